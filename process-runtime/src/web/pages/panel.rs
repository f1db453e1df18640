//! The panel of one run: its inputs, bar, log and outcome. It is complete as the server sends it; the script then
//! updates it. The script finds the parts by `data-part`.

use maud::{Markup, html};

use super::actions::{actions, may_pause};
use super::log::{search, tail};
use super::outcome::outcome;
use super::{Link, LogTail, RunView, Shell, bar, copy, given, values, words};
use crate::process::Process;
use crate::run::Run;
use crate::texts::Texts;
use crate::web::request::rights::Rights;

/// Whether the run's title is the heading of the page or of a section.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    Page,
    Section,
}

/// The panel of a run.
pub(super) fn panel(shell: &Shell<'_>, heading: Heading, shown: &RunView<'_>) -> Markup {
    let RunView { process, run, log, earlier, rights, link } = *shown;
    let (texts, address) = (shell.texts, shell.run(run.id));
    let live = !run.status.is_terminal();
    let title = heading_of(heading, run, &address);
    html! {
        article.run aria-labelledby=(id_of(run)) data-run=(run.id) data-status=(run.status) data-live[live]
            data-resumable[process.is_some_and(|process| may_pause(process, run))] data-window[heading == Heading::Page]
            data-address=(address) data-last=(log.last) data-saves[rights.download] {
            div.now {
                (bar::full(shell, run, log, &title, &actions(shell, process, run, rights)))
                @if live {
                    noscript { p { (texts.text("page.still")) " " a href=(address) { (texts.text("page.reload")) } } }
                }
                div.tools {
                    button.small type="button" data-copy="" hidden { (texts.text("action.copy_link")) }
                    @if live {
                        button.small type="button" data-part="tell" aria-pressed="false" hidden {
                            (texts.text("tell.offer"))
                        }
                    }
                    @if let Some(earlier) = earlier {
                        a.button.small href=(format!("{address}/compare")) {
                            span { (words::around(texts.text("run.compare"), "{number}", &words::number(earlier))) }
                        }
                    }
                    @if rights.share {
                        form method="post" action=(format!("{address}/share")) {
                            button.small type="submit" { (texts.text("action.share")) }
                        }
                    }
                }
                @if let Some(link) = link { (shared(shell, link)) }
                (about(shell, process, run, rights))
            }
            (log_section(shell, run, log, rights))
            div.outcome data-part="outcome" { (outcome(shell, run, rights)) }
        }
    }
}

/// A share link that was just created. It is shown once.
fn shared(shell: &Shell<'_>, link: Link<'_>) -> Markup {
    let texts = shell.texts;
    html! {
        section.shared {
            h2 tabindex="-1" autofocus { (texts.text("share.title")) }
            p { (words::around(texts.text("share.until"), "{time}", &words::moment(link.until))) }
            p {
                input type="text" readonly value=(link.address) aria-label=(texts.text("share.title")) dir="ltr";
                " " (copy(texts.text("action.copy"), link.address))
            }
        }
    }
}

fn id_of(run: &Run) -> String {
    format!("title-{}", run.id)
}

fn heading_of(heading: Heading, run: &Run, address: &str) -> Markup {
    let title = &run.progress.title;
    html! {
        @match heading {
            Heading::Page => h1 slot="title" id=(id_of(run)) data-part="title" tabindex="-1" dir="auto" { (title) },
            Heading::Section => h2 slot="title" id=(id_of(run)) tabindex="-1" {
                a href=(address) data-part="title" dir="auto" { (title) }
            },
        }
    }
}

/// The inputs of the run, who started it and when, and its id.
fn about(shell: &Shell<'_>, process: Option<&Process>, run: &Run, rights: Rights) -> Markup {
    let texts = shell.texts;
    let fields = process.map(Process::fields).unwrap_or_default();
    let brief = run.input.iter().map(|(name, value)| {
        let field = fields.iter().find(|field| field.name == name);
        let label = field.map_or_else(|| values::label(texts, name), |field| field.label.clone());
        let value = given::brief(texts, name, field.map(|field| &field.shape), value);
        format!("{label} {}", texts.isolated(&value))
    });
    let brief: Vec<String> = brief.collect();
    html! {
        details.about {
            summary {
                b { (texts.text("run.details")) }
                @if !brief.is_empty() { span.soft { @for (index, one) in brief.iter().enumerate() {
                    @if index > 0 { " · " }
                    bdi { (one) }
                } } }
            }
            @if brief.is_empty() {
                p.soft { (texts.text("run.without_input")) }
            } @else {
                (given::inputs(shell, &fields, run, rights.download))
            }
            dl.fields {
                @if run.number > 0 { div { dt { (texts.text("run.number")) } dd { (words::number(run)) } } }
                div { dt { (texts.text("run.asked_for")) } dd { (words::moment(run.created_at)) } }
                @if let Some(actor) = &run.actor { div { dt { (texts.text("run.by")) } dd dir="auto" { (actor) } } }
                @if let Some(node) = &run.node { div { dt { (texts.text("run.node")) } dd dir="auto" { (at_node(texts, run, node)) } } }
                @if run.attempt > 1 { div { dt { (texts.text("run.attempt")) } dd { (run.attempt) } } }
                @if run.priority != 0 { div { dt { (texts.text("run.priority")) } dd { (run.priority) } } }
                // A visitor with a share link cannot open other runs.
                @if let Some(ended) = run.retry_of.filter(|_| rights.process) {
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

fn log_section(shell: &Shell<'_>, run: &Run, log: &LogTail, rights: Rights) -> Markup {
    let title = format!("log-{}", run.id);
    let (texts, whole) = (shell.texts, shell.whole_log(run.id, rights));
    html! {
        section.log {
            header {
                h2 id=(title) { (texts.text("page.log")) }
                a href=(whole) { (texts.text(if rights.download { "log.whole" } else { "log.view" })) }
            }
            (search(shell, run))
            div.lines role="log" aria-live="off" aria-labelledby=(title) tabindex="0" data-part="log" {
                ol { (tail(texts, run, log, &whole)) }
                p.soft { (texts.text("log.nothing")) }
            }
            button.small type="button" data-part="jump" hidden { (texts.text("log.jump")) }
        }
    }
}

/// The node that executes a run, and whether no other one can.
fn at_node(texts: &Texts, run: &Run, node: &str) -> Markup {
    let name = html! { bdi { (node) } };
    match run.pinned_to() {
        Some(_) => words::around(texts.text("run.node_with_files"), "{name}", &name),
        None => name,
    }
}
