//! Owns the list of runs: its filter, its pages, and the table that the process page shows too.
//! Refuses to know how runs are found.

use maud::{Markup, html};

use super::shell::page;
use super::{History, Shell, words};
use crate::process::Process;
use crate::run::{Run, RunStatus};

/// One page of the history, as its address asks for it.
pub(in crate::web) fn history(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let content = html! {
        h1 { "History" }
        (filter(shell, history))
        @if history.runs.is_empty() {
            p.soft { (if history.page > 1 { "No runs on this page." } else { "No runs." }) }
        } @else {
            (table(shell, history.runs, Some(history.processes)))
        }
        @if history.page > 1 || history.has_more {
            nav.pages aria-label="Pages" {
                @if history.page > 1 {
                    a.button rel="prev" href=(address(shell, history, history.page - 1)) { "Newer" }
                }
                span { "Page " (history.page) }
                @if history.has_more {
                    a.button rel="next" href=(address(shell, history, history.page + 1)) { "Older" }
                }
            }
        }
    };
    page(shell, "History", &content)
}

fn filter(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    html! {
        form.filter method="get" action=(shell.history()) {
            div.field {
                label for="filter-process" { "Process" }
                select #filter-process name="process" {
                    option value="" { "All" }
                    @for process in history.processes {
                        @let route = process.route();
                        option value=(route) selected[history.process == Some(route.as_str())] { (process.title) }
                    }
                }
            }
            div.field {
                label for="filter-status" { "Status" }
                select #filter-status name="status" {
                    option value="" { "All" }
                    @for status in RunStatus::ALL {
                        option value=(status) selected[history.status == Some(status)] {
                            (words::status(status).trim_end_matches('…'))
                        }
                    }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn address(shell: &Shell<'_>, history: &History<'_>, page: u64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(process) = history.process {
        query.append_pair("process", process);
    }
    if let Some(status) = history.status {
        query.append_pair("status", status.as_str());
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    match query.finish() {
        query if query.is_empty() => shell.history(),
        query => format!("{}?{query}", shell.history()),
    }
}

/// Runs as rows. With `processes` each row names its process too.
pub(super) fn table(shell: &Shell<'_>, runs: &[Run], processes: Option<&[&'static Process]>) -> Markup {
    html! {
        table.runs {
            thead { tr { th scope="col" { "Run" } th scope="col" { "Status" } } }
            tbody {
                @for run in runs {
                    tr {
                        td {
                            a href=(shell.run(run.id)) {
                                span { (run.progress.title) } " " (words::moment(run.created_at))
                            }
                            @if let Some(processes) = processes { (process_of(shell, run, processes)) }
                        }
                        td {
                            div.state {
                                (words::badge(run.status))
                                @if run.status == RunStatus::Running { span.soft { (words::percent(run)) } }
                                (words::elapsed(run))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The process by its name, where that is not what the row says already.
fn process_of(shell: &Shell<'_>, run: &Run, processes: &[&'static Process]) -> Markup {
    html! {
        @match processes.iter().find(|process| process.route() == run.process) {
            Some(process) if process.title == run.progress.title => {},
            Some(process) => p.soft { a href=(shell.process(&run.process)) { (process.title) } },
            None => p.soft { (run.process) },
        }
    }
}
