//! Owns the panel of one run: bar, state, log, outcome. True as it is sent; the script then keeps it live.
//! Refuses to know the page around it. The script finds its parts by `data-part`.

use maud::{Markup, html};
use serde_json::Value;

use super::super::path;
use super::log::{lines, search};
use super::{LogTail, Shell, values, words};
use crate::process::Process;
use crate::run::{Run, RunFile, RunStatus};

/// Whether the run's title is the heading of the page or of a section.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    Page,
    Section,
}

/// The panel of a run. `process` is `None` when the program no longer has it.
pub(super) fn panel(
    shell: &Shell<'_>,
    heading: Heading,
    process: Option<&Process>,
    run: &Run,
    log: &LogTail,
) -> Markup {
    let id = run.id;
    let address = shell.run(id);
    let live = !run.status.is_terminal();
    let title = format!("title-{id}");
    html! {
        article.run aria-labelledby=(title) data-run=(id) data-status=(run.status) data-elapsed=(run.elapsed_ms)
            data-attempt=(run.attempt)
            data-resumable[process.is_some_and(Process::is_resumable)] data-live[live] data-events=[live.then(|| format!("{address}/events"))]
            data-address=(address) data-last=(log.last) data-window[heading == Heading::Page] {
            div.now {
                header {
                    span.status data-part="status" data-status=(words::tone(run)) { (words::state(run)) }
                    @match heading {
                        Heading::Page => h1 id=(title) data-part="title" tabindex="-1" { (run.progress.title) },
                        Heading::Section => h2 id=(title) tabindex="-1" {
                            a href=(address) data-part="title" { (run.progress.title) }
                        },
                    }
                }
                (bar(run))
                div.says {
                    p.stage data-part="stage" { (words::stage(&run.progress)) }
                    p.line data-part="text" { (run.progress.text) }
                }
                div.facts {
                    div {
                        p {
                            span data-part="took" { (words::took(run.status)) } " "
                            (words::elapsed(run))
                        }
                        p data-part="after" {
                            @match run.finished_at {
                                Some(at) => { "Ended " (words::moment(at)) },
                                None => { span data-part="left" {} span.note data-part="note" { (next_try(run)) } },
                            }
                        }
                    }
                    (actions(shell, process, run, &address))
                }
                @if live {
                    noscript { p { "Without a script this page stands still. " a href=(address) { "Reload it" } } }
                }
                (about(shell, process, run))
                p.unseen role="status" data-part="announcement" {}
            }
            (log_section(shell, run, log))
            div.outcome data-part="outcome" { (outcome(run, &address)) }
        }
    }
}

/// The bar with its figures; also what a list shows of a run.
pub(super) fn bar(run: &Run) -> Markup {
    let count = words::count(&run.progress);
    let percent = words::percent(run);
    let spoken = if count.is_empty() { percent.clone() } else { format!("{percent}, {count}") };
    html! {
        div.bar {
            p.figures {
                strong data-part="percent" { (percent) }
                span data-part="count" { (count) }
            }
            progress data-part="bar" aria-label="Progress" aria-valuetext=(spoken) max="100"
                value=[words::bar(run).map(|value| format!("{value:.2}"))] {}
        }
    }
}

/// What can be asked of the run, as it is. The script shows and hides these as the run goes on.
fn actions(shell: &Shell<'_>, process: Option<&Process>, run: &Run, address: &str) -> Markup {
    let live = !run.status.is_terminal();
    let cancelling = run.status == RunStatus::Cancelling;
    let resumable = process.is_some_and(Process::is_resumable);
    let waits = run.status == RunStatus::Queued || (run.status == RunStatus::Running && resumable);
    let paused = run.status == RunStatus::Paused || run.pausing;
    // A run that has ended well has nothing to be repeated.
    let failed = !live && run.status != RunStatus::Succeeded;
    let ask = |part: &str, what: &str, class: Option<&str>, words: &str, shown: bool| {
        html! {
            form method="post" action=(format!("{address}/{what}")) data-ask=(part) hidden[!shown] {
                button type="submit" class=[class] { (words) }
            }
        }
    };
    html! {
        div.actions {
            @if live {
                (ask("pause", "pause", None, "Pause", waits && !paused))
                (ask("resume", "resume", Some("primary"), "Resume", paused))
                form method="post" action=(format!("{address}/cancel")) data-part="cancel" {
                    button type="submit" disabled[cancelling] {
                        (if cancelling { "Cancelling…" } else { "Cancel" })
                    }
                }
                (ask("force", "cancel?force=yes", Some("danger"), "End it now", cancelling || run.stalled))
            }
            @if let Some(process) = process {
                (ask("retry", "retry", Some("primary"), "Retry", failed))
                @if resumable { (ask("anew", "retry?from=start", None, "Retry from the start", failed)) }
                a.button href=(again(shell, process, run)) data-part="again" hidden[live] { "Run again" }
            }
        }
    }
}

/// When a run that has failed is tried again.
fn next_try(run: &Run) -> Markup {
    let due = run.due_at.filter(|_| run.status == RunStatus::Queued);
    html! { @if let Some(due) = due { "Next try at " (words::clock(due)) } }
}

/// The form of the process, filled in as it was for this run, without its secrets and files.
fn again(shell: &Shell<'_>, process: &Process, run: &Run) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(super::super::form::pairs(&process.fields(), &run.input));
    let page = shell.process(&process.route());
    match query.finish() {
        query if query.is_empty() => page,
        query => format!("{page}?{query}"),
    }
}

/// What the run was started with, by whom and when, and its id.
fn about(shell: &Shell<'_>, process: Option<&Process>, run: &Run) -> Markup {
    let fields = process.map(Process::fields).unwrap_or_default();
    let input: Vec<(String, &str, &Value)> = run
        .input
        .iter()
        .map(|(name, value)| {
            let known = fields.iter().find(|field| field.name == name);
            (known.map_or_else(|| values::label(name), |field| field.label.clone()), name.as_str(), value)
        })
        .collect();
    let brief: Vec<String> =
        input.iter().map(|(label, name, value)| format!("{label} {}", values::brief(name, value))).collect();
    html! {
        details.about {
            summary { b { "Details" } @if !brief.is_empty() { span.soft { (brief.join(" · ")) } } }
            @if input.is_empty() {
                p.soft { "Started without input." }
            } @else {
                (values::fields(input.into_iter().map(|(label, _, value)| (label, value))))
            }
            dl.fields {
                div { dt { "Asked for" } dd { (words::moment(run.created_at)) } }
                @if let Some(actor) = &run.actor { div { dt { "By" } dd { (actor) } } }
                @if run.attempt > 1 { div { dt { "Attempt" } dd { (run.attempt) } } }
                @if run.priority != 0 { div { dt { "Priority" } dd { (run.priority) } } }
                @if let Some(ended) = run.retry_of {
                    div { dt { "In place of" } dd { a href=(shell.run(ended)) { code { (ended) } } } }
                }
                div { dt { "Run" } dd { code { (run.id) } (copy("Copy id", &run.id.to_string())) } }
            }
        }
    }
}

/// Shown by the script where the browser lets it copy.
fn copy(label: &str, text: &str) -> Markup {
    html! { button.small type="button" data-copy=(text) hidden { (label) } }
}

fn log_section(shell: &Shell<'_>, run: &Run, log: &LogTail) -> Markup {
    let title = format!("log-{}", run.id);
    let whole = shell.log(run.id);
    html! {
        section.log {
            header {
                h2 id=(title) { "Log" }
                a href=(whole) { "Whole log" }
            }
            (search(shell, run))
            div.lines role="log" aria-live="off" aria-labelledby=(title) tabindex="0" data-part="log" {
                ol { (lines(&log.lines, 0, true, Some(&whole))) }
                p.soft { "Nothing logged." }
            }
            button.small type="button" data-part="jump" hidden { "Jump to latest" }
        }
    }
}

fn outcome(run: &Run, address: &str) -> Markup {
    html! {
        @if let Some(error) = &run.error { (failure(run, error)) }
        @match &run.result {
            Some(result) if !result.is_null() => section.result {
                header {
                    h2 { "Result" }
                    a href=(format!("{address}/result")) download { "Download" }
                }
                (values::value(result))
            },
            _ if run.status == RunStatus::Succeeded && run.files.is_empty() => section.result {
                h2 { "Result" }
                p.soft { "It ended without a result to show." }
            },
            _ => {},
        }
        @if !run.files.is_empty() { (files(&run.files, address)) }
    }
}

/// The message first, the rest of it folded, and all that a bug report needs to be copied.
fn failure(run: &Run, error: &str) -> Markup {
    let (message, rest) = error.trim_end().split_once('\n').unwrap_or((error, ""));
    html! {
        section.failure {
            h2 { (words::status(run.status)) }
            p.message { (message) }
            @if !rest.is_empty() {
                details { summary { "More" } pre tabindex="0" { (rest) } }
            }
            p.soft {
                "Run " code { (run.id) } " "
                (copy("Copy", &format!("{}: {error}\nRun {}", run.progress.title, run.id)))
            }
        }
    }
}

fn files(files: &[RunFile], address: &str) -> Markup {
    html! {
        section.files {
            h2 { "Files" }
            ul {
                @for file in files {
                    @let name = path::segment(&file.name);
                    li {
                        a href=(format!("{address}/files/{name}")) download=(file.name) { (file.name) }
                        " " span.soft { (words::size(file.size)) }
                    }
                }
            }
        }
    }
}
