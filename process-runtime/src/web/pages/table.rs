//! Runs as rows of a table, live as far as they are active. `rows.js` renders the same rows; change both together.

use maud::{Markup, html};

use super::{Shell, bar, given, words};
use crate::process::Process;
use crate::run::Run;

/// The most characters of an error that a row shows.
const ERROR: usize = 200;

/// Runs as rows.
pub(super) struct Table<'a> {
    pub(super) runs: &'a [Run],
    pub(super) processes: &'a [&'static Process],
    /// Each row also names its process.
    pub(super) names_process: bool,
    /// The script keeps the table as the runs at this address are. Without one, no rows are added.
    pub(super) address: Option<&'a str>,
    /// The most rows.
    pub(super) most: usize,
}

pub(super) fn table(shell: &Shell<'_>, table: &Table<'_>) -> Markup {
    let texts = shell.texts;
    let Table { runs, processes, names_process, address, most } = *table;
    html! {
        table.runs data-runs=[address] data-most=(most) data-base=(shell.base) data-processes[names_process]
            hidden[runs.is_empty()] {
            thead {
                tr {
                    th scope="col" { (texts.text("history.run")) }
                    th scope="col" { (texts.text("history.status")) }
                }
            }
            tbody {
                @for run in runs {
                    @let process = processes.iter().find(|process| process.route() == run.process).copied();
                    tr data-id=(run.id) data-live[!run.status.is_terminal()] {
                        td { (what(shell, run, process, names_process)) }
                        td { (state(shell, run)) }
                    }
                }
            }
        }
    }
}

fn what(shell: &Shell<'_>, run: &Run, process: Option<&'static Process>, names_process: bool) -> Markup {
    let texts = shell.texts;
    let summary = given::summary(texts, process, run);
    html! {
        div.brief {
            div {
                a href=(shell.run(run.id)) {
                    (words::number(run)) " " span dir="auto" { (run.progress.title) } " " (words::moment(run.created_at))
                }
                @if names_process { (process_of(shell, run, process)) }
                @if let Some(actor) = &run.actor {
                    p.soft { (words::around(texts.text("run.started_by"), "{actor}", &html! { bdi { (actor) } })) }
                }
            }
            div {
                @if !summary.is_empty() { p.soft dir="auto" { (summary) } }
                @if let Some(error) = &run.error { p.error dir="auto" { (first_line(error)) } }
            }
        }
    }
}

/// The first line of an error.
pub(super) fn first_line(error: &str) -> String {
    let line = error.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(ERROR) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

fn state(shell: &Shell<'_>, run: &Run) -> Markup {
    html! {
        @if run.status.is_terminal() {
            div.state { (words::badge(shell.texts, run)) (words::elapsed(shell.texts, run)) }
        } @else {
            (bar::compact(shell, run))
        }
    }
}

/// The title of the process, unless the row already shows it.
fn process_of(shell: &Shell<'_>, run: &Run, process: Option<&'static Process>) -> Markup {
    html! {
        @match process {
            Some(process) if process.title == run.progress.title => {},
            Some(process) => p.soft { a href=(shell.process(&run.process)) dir="auto" { (process.title) } },
            None => p.soft { (run.process) },
        }
    }
}
