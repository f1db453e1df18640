//! The list of runs: its filter, its pages, and the table that the process page uses too.

use maud::{Markup, html};

use super::{Content, History, Shell, words};
use crate::layout::PageKind;
use crate::process::Process;
use crate::run::{Run, RunStatus};
use crate::store::RunFilter;

/// One page of the history.
pub(in crate::web) fn history(shell: &Shell<'_>, history: &History<'_>) -> Content {
    let texts = shell.texts;
    let markup = html! {
        h1 { (texts.text("page.history")) }
        (filter(shell, history))
        @if history.runs.is_empty() {
            (nothing(shell, history))
        } @else {
            (table(shell, history.runs, Some(history.processes)))
        }
        @if history.page > 1 || history.has_more {
            nav.pages aria-label=(texts.text("page.pages")) {
                @if history.page > 1 {
                    a.button rel="prev" href=(address(shell, history, history.page - 1)) { (texts.text("history.newer")) }
                }
                span { (texts.with("history.page", &[("n", &history.page.to_string())])) }
                @if history.has_more {
                    a.button rel="next" href=(address(shell, history, history.page + 1)) { (texts.text("history.older")) }
                }
            }
        }
    };
    Content { kind: PageKind::History, title: texts.text("page.history").to_owned(), markup }
}

/// Shown instead of the table if there are no runs.
fn nothing(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let (texts, filter) = (shell.texts, history.filter);
    let is_filtered = filter.process.is_some()
        || !filter.statuses.is_empty()
        || filter.actor.is_some()
        || !history.from.is_empty()
        || !history.until.is_empty();
    html! {
        p.soft {
            @if history.page > 1 {
                (texts.text("history.empty_page"))
            } @else if is_filtered {
                (texts.text("history.empty")) " " a href=(shell.history()) { (texts.text("history.clear")) }
            } @else {
                (texts.text("process.no_runs"))
            }
        }
    }
}

fn filter(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let (texts, filter) = (shell.texts, history.filter);
    let status = |status: &RunStatus| words::status(texts, *status).trim_end_matches('…');
    // A select has one value. Several statuses, which only a URL can request, become one more option.
    let several = Some(statuses(filter)).filter(|_| filter.statuses.len() > 1);
    html! {
        form.filter method="get" action=(shell.history()) {
            div.field {
                label for="filter-process" { (texts.text("history.process")) }
                select #filter-process name="process" {
                    option value="" { (texts.text("history.all")) }
                    @for process in history.processes {
                        @let route = process.route();
                        option value=(route) selected[filter.process.as_deref() == Some(route.as_str())] dir="auto" {
                            (process.title)
                        }
                    }
                }
            }
            div.field {
                label for="filter-status" { (texts.text("history.status")) }
                select #filter-status name="status" {
                    option value="" { (texts.text("history.all")) }
                    @if let Some(several) = &several {
                        option value=(several) selected { (filter.statuses.iter().map(status).collect::<Vec<_>>().join(", ")) }
                    }
                    @for one in &RunStatus::ALL {
                        option value=(one) selected[filter.statuses == [*one]] { (status(one)) }
                    }
                }
            }
            div.field {
                label for="filter-actor" { (texts.text("history.actor")) }
                input #filter-actor type="text" name="actor" dir="auto" value=[filter.actor.as_deref()] autocomplete="off";
            }
            (day("from", texts.text("history.from"), history.from))
            (day("until", texts.text("history.until"), history.until))
            button type="submit" { (texts.text("action.show")) }
        }
    }
}

/// An input for one end of the period. A value more precise than a day, which only a URL can contain, is shown as text.
fn day(name: &str, label: &str, value: &str) -> Markup {
    let id = format!("filter-{name}");
    let kind = if matches!(value.len(), 0 | 10) { "date" } else { "text" };
    html! {
        div.field {
            label for=(id) { (label) }
            input id=(id) type=(kind) name=(name) value=(value);
        }
    }
}

fn statuses(filter: &RunFilter) -> String {
    filter.statuses.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(",")
}

fn address(shell: &Shell<'_>, history: &History<'_>, page: usize) -> String {
    let filter = history.filter;
    let (statuses, page) = (statuses(filter), if page > 1 { page.to_string() } else { String::new() });
    let pairs = [
        ("process", filter.process.as_deref().unwrap_or_default()),
        ("status", &statuses),
        ("actor", filter.actor.as_deref().unwrap_or_default()),
        ("from", history.from),
        ("until", history.until),
        ("page", &page),
    ];
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => shell.history(),
        query => format!("{}?{query}", shell.history()),
    }
}

/// Runs as rows. With `processes`, each row also names its process.
pub(super) fn table(shell: &Shell<'_>, runs: &[Run], processes: Option<&[&'static Process]>) -> Markup {
    let texts = shell.texts;
    html! {
        table.runs {
            thead {
                tr {
                    th scope="col" { (texts.text("history.run")) }
                    th scope="col" { (texts.text("history.status")) }
                }
            }
            tbody {
                @for run in runs {
                    tr {
                        td {
                            a href=(shell.run(run.id)) {
                                span dir="auto" { (run.progress.title) } " " (words::moment(run.created_at))
                            }
                            @if let Some(processes) = processes { (process_of(shell, run, processes)) }
                            @if let Some(actor) = &run.actor { p.soft {
                                    (words::around(texts.text("run.started_by"), "{actor}", &html! { bdi { (actor) } }))
                                } }
                        }
                        td {
                            div.state {
                                (words::badge(texts, run))
                                @if run.status == RunStatus::Running { span.soft { (words::percent(texts, run)) } }
                                (words::elapsed(texts, run))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The title of the process, unless the row already shows it.
fn process_of(shell: &Shell<'_>, run: &Run, processes: &[&'static Process]) -> Markup {
    html! {
        @match processes.iter().find(|process| process.route() == run.process) {
            Some(process) if process.title == run.progress.title => {},
            Some(process) => p.soft { a href=(shell.process(&run.process)) dir="auto" { (process.title) } },
            None => p.soft { bdi dir="ltr" { (run.process) } },
        }
    }
}
