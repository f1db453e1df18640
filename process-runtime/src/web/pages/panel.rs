//! Owns the panel of one run: bar, state, log, outcome. True as it is sent; the script then keeps it live.
//! Refuses to know the page around it. The script finds its parts by `data-part`.

use maud::{Markup, html};
use serde_json::Value;

use super::super::path;
use super::log::{lines, search};
use super::{LogTail, Shell, values, words};
use crate::process::Process;
use crate::run::{Run, RunFile, RunStatus};
use crate::texts::Texts;

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
    let texts = shell.texts;
    html! {
        article.run aria-labelledby=(title) data-run=(id) data-status=(run.status) data-elapsed=(run.elapsed_ms)
            data-attempt=(run.attempt)
            data-resumable[process.is_some_and(Process::is_resumable)] data-live[live] data-events=[live.then(|| format!("{address}/events"))]
            data-address=(address) data-last=(log.last) data-window[heading == Heading::Page] {
            div.now {
                header {
                    span.status data-part="status" data-status=(words::tone(run)) { (words::state(texts, run)) }
                    @match heading {
                        Heading::Page => h1 id=(title) data-part="title" tabindex="-1" dir="auto" { (run.progress.title) },
                        Heading::Section => h2 id=(title) tabindex="-1" {
                            a href=(address) data-part="title" dir="auto" { (run.progress.title) }
                        },
                    }
                }
                (bar(texts, run))
                div.says {
                    p.stage data-part="stage" dir="auto" { (words::stage(texts, &run.progress)) }
                    p.line data-part="text" dir="auto" { (run.progress.text) }
                }
                div.facts {
                    div {
                        p {
                            span data-part="took" { (words::took(texts, run.status)) } " "
                            (words::elapsed(texts, run))
                        }
                        p data-part="after" {
                            @match run.finished_at {
                                Some(at) => { (words::around(texts.text("run.ended"), "{time}", &words::moment(at))) },
                                None => { span data-part="left" {} span.note data-part="note" { (next_try(texts, run)) } },
                            }
                        }
                    }
                    (actions(shell, process, run, &address))
                }
                @if live {
                    noscript { p { (texts.text("page.still")) " " a href=(address) { (texts.text("page.reload")) } } }
                }
                (about(shell, process, run))
                p.unseen role="status" data-part="announcement" {}
            }
            (log_section(shell, run, log))
            div.outcome data-part="outcome" { (outcome(texts, run, &address)) }
        }
    }
}

/// The bar with its figures; also what a list shows of a run.
pub(super) fn bar(texts: &Texts, run: &Run) -> Markup {
    let count = words::count(texts, &run.progress);
    let percent = words::percent(texts, run);
    let spoken = if count.is_empty() { percent.clone() } else { format!("{percent}, {count}") };
    html! {
        div.bar {
            p.figures {
                strong data-part="percent" { (percent) }
                span data-part="count" { (count) }
            }
            progress data-part="bar" aria-label=(texts.text("bar.progress")) aria-valuetext=(spoken) max="100"
                value=[words::bar(run).map(|value| format!("{value:.2}"))] {}
        }
    }
}

/// What can be asked of the run, as it is. The script shows and hides these as the run goes on.
fn actions(shell: &Shell<'_>, process: Option<&Process>, run: &Run, address: &str) -> Markup {
    let texts = shell.texts;
    let live = !run.status.is_terminal();
    let cancelling = run.status == RunStatus::Cancelling;
    let resumable = process.is_some_and(Process::is_resumable);
    let waits = run.status == RunStatus::Queued || (run.status == RunStatus::Running && resumable);
    let paused = run.status == RunStatus::Paused || run.pausing;
    // A run that has ended well has nothing to be repeated.
    let failed = !live && run.status != RunStatus::Succeeded;
    let ask = |part: &str, what: &str, class: Option<&str>, key: &str, shown: bool| {
        html! {
            form method="post" action=(format!("{address}/{what}")) data-ask=(part) hidden[!shown] {
                button type="submit" class=[class] { (texts.text(key)) }
            }
        }
    };
    html! {
        div.actions {
            @if live {
                (ask("pause", "pause", None, "action.pause", waits && !paused))
                (ask("resume", "resume", Some("primary"), "action.resume", paused))
                form method="post" action=(format!("{address}/cancel")) data-part="cancel" {
                    button type="submit" disabled[cancelling] {
                        (texts.text(if cancelling { "action.cancelling" } else { "action.cancel" }))
                    }
                }
                (ask("force", "cancel?force=yes", Some("danger"), "action.force", cancelling || run.stalled))
            }
            @if let Some(process) = process {
                (ask("retry", "retry", Some("primary"), "action.retry", failed))
                @if resumable { (ask("anew", "retry?from=start", None, "action.retry_anew", failed)) }
                a.button href=(again(shell, process, run)) data-part="again" hidden[live] { (texts.text("action.again")) }
            }
        }
    }
}

/// When a run that has failed is tried again.
fn next_try(texts: &Texts, run: &Run) -> Markup {
    let due = run.due_at.filter(|_| run.status == RunStatus::Queued);
    html! { @if let Some(due) = due { (words::around(texts.text("note.next_try"), "{time}", &words::clock(due))) } }
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
    let texts = shell.texts;
    let fields = process.map(Process::fields).unwrap_or_default();
    let input: Vec<(String, &str, &Value)> = run
        .input
        .iter()
        .map(|(name, value)| {
            let known = fields.iter().find(|field| field.name == name);
            (
                known.map_or_else(|| values::label(texts, name), |field| field.label.clone()),
                name.as_str(),
                value,
            )
        })
        .collect();
    let brief: Vec<String> = input
        .iter()
        .map(|(label, name, value)| format!("{label} {}", values::brief(texts, name, value)))
        .collect();
    html! {
        details.about {
            summary {
                b { (texts.text("run.details")) }
                @if !brief.is_empty() { span.soft dir="auto" { (brief.join(" · ")) } }
            }
            @if input.is_empty() {
                p.soft { (texts.text("run.without_input")) }
            } @else {
                (values::fields(texts, input.into_iter().map(|(label, _, value)| (label, value))))
            }
            dl.fields {
                div { dt { (texts.text("run.asked_for")) } dd { (words::moment(run.created_at)) } }
                @if let Some(actor) = &run.actor { div { dt { (texts.text("run.by")) } dd dir="auto" { (actor) } } }
                @if run.attempt > 1 { div { dt { (texts.text("run.attempt")) } dd { (run.attempt) } } }
                @if run.priority != 0 { div { dt { (texts.text("run.priority")) } dd { (run.priority) } } }
                @if let Some(ended) = run.retry_of {
                    div {
                        dt { (texts.text("run.in_place_of")) }
                        dd { a href=(shell.run(ended)) { code dir="ltr" { (ended) } } }
                    }
                }
                div {
                    dt { (texts.text("run.id")) }
                    dd {
                        code dir="ltr" { (run.id) }
                        (copy(texts.text("action.copy_id"), &run.id.to_string()))
                    }
                }
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
    let (texts, whole) = (shell.texts, shell.log(run.id));
    html! {
        section.log {
            header {
                h2 id=(title) { (texts.text("page.log")) }
                a href=(whole) { (texts.text("log.whole")) }
            }
            (search(shell, run))
            div.lines role="log" aria-live="off" aria-labelledby=(title) tabindex="0" data-part="log" {
                ol { (lines(texts, &log.lines, 0, true, Some(&whole))) }
                p.soft { (texts.text("log.nothing")) }
            }
            button.small type="button" data-part="jump" hidden { (texts.text("log.jump")) }
        }
    }
}

fn outcome(texts: &Texts, run: &Run, address: &str) -> Markup {
    html! {
        @if let Some(error) = &run.error { (failure(texts, run, error)) }
        @match &run.result {
            Some(result) if !result.is_null() => section.result {
                header {
                    h2 { (texts.text("run.result")) }
                    a href=(format!("{address}/result")) download { (texts.text("action.download")) }
                }
                (values::value(texts, result))
            },
            _ if run.status == RunStatus::Succeeded && run.files.is_empty() => section.result {
                h2 { (texts.text("run.result")) }
                p.soft { (texts.text("run.no_result")) }
            },
            _ => {},
        }
        @if !run.files.is_empty() { (files(texts, &run.files, address)) }
    }
}

/// The message first, the rest of it folded, and all that a bug report needs to be copied.
fn failure(texts: &Texts, run: &Run, error: &str) -> Markup {
    let (message, rest) = error.trim_end().split_once('\n').unwrap_or((error, ""));
    let id = run.id.to_string();
    let copied =
        texts.with("run.copied_error", &[("title", &run.progress.title), ("error", error), ("id", &id)]);
    html! {
        section.failure {
            h2 { (words::status(texts, run.status)) }
            p.message dir="auto" { (message) }
            @if !rest.is_empty() {
                details { summary { (texts.text("run.more")) } pre tabindex="0" dir="auto" { (rest) } }
            }
            p.soft {
                (words::around(texts.text("run.id_is"), "{id}", &html! { code dir="ltr" { (id) } })) " "
                (copy(texts.text("action.copy"), &copied))
            }
        }
    }
}

fn files(texts: &Texts, files: &[RunFile], address: &str) -> Markup {
    html! {
        section.files {
            h2 { (texts.text("run.files")) }
            ul {
                @for file in files {
                    @let name = path::segment(&file.name);
                    li {
                        a href=(format!("{address}/files/{name}")) download=(file.name) dir="auto" { (file.name) }
                        " " span.soft { (texts.size(file.size)) }
                    }
                }
            }
        }
    }
}
