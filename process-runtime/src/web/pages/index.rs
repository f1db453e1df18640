//! Owns the page that lists every process with its latest run.
//! Refuses to know how processes are found.

use maud::{Markup, html};

use super::panel::bar;
use super::shell::page;
use super::{Entry, Shell, words};
use crate::run::Run;

/// Every process by group. The entries come sorted by route; a group is shown where it first appears.
pub(in crate::web) fn index(shell: &Shell<'_>, entries: &[Entry]) -> Markup {
    let mut groups: Vec<Option<&str>> = vec![None];
    for entry in entries {
        if !groups.contains(&entry.process.group) {
            groups.push(entry.process.group);
        }
    }
    let texts = shell.texts;
    let content = html! {
        (head(shell, entries.iter().filter_map(|entry| entry.latest.as_ref()).any(is_live)))
        @if entries.is_empty() { p.soft { (texts.text("index.empty")) } }
        @for group in groups {
            @let members: Vec<&Entry> = entries.iter().filter(|entry| entry.process.group == group).collect();
            @if !members.is_empty() {
                section {
                    @if let Some(name) = group { h2.group dir="auto" { (name) } }
                    ul.cards { @for entry in members { li { (card(shell, entry)) } } }
                }
            }
        }
    };
    page(shell, texts.text("page.processes"), &content)
}

fn card(shell: &Shell<'_>, entry: &Entry) -> Markup {
    let process = entry.process;
    let title = html! { a href=(shell.process(&process.route())) dir="auto" { (process.title) } };
    html! {
        div.what {
            @match process.group {
                Some(_) => h3 { (title) },
                None => h2 { (title) },
            }
            @if let Some(first) = words::paragraphs(process.description).next() {
                p.soft dir="auto" { (words::prose(first)) }
            }
        }
        @match &entry.latest {
            Some(run) => (latest(shell, run)),
            None => div.latest { p.soft { (shell.texts.text("index.not_run")) } },
        }
    }
}

fn is_live(run: &Run) -> bool {
    !run.status.is_terminal()
}

/// The title, and what the script needs where there is a run to follow.
fn head(shell: &Shell<'_>, live: bool) -> Markup {
    let texts = shell.texts;
    html! {
        div.title data-bars=[live.then(|| format!("{}/events", shell.base))] {
            h1 { (texts.text("page.processes")) }
            @if live {
                p.note data-part="note" {}
                noscript {
                    p { (texts.text("page.still")) " " a href=(shell.home()) { (texts.text("page.reload")) } }
                }
                p.unseen role="status" data-part="announcement" {}
            }
        }
    }
}

/// The latest run of a process. The script keeps one that goes on live, by its parts.
fn latest(shell: &Shell<'_>, run: &Run) -> Markup {
    let live = is_live(run);
    html! {
        div.latest data-bar=[live.then_some(run.id)] data-status=[live.then_some(run.status)] {
            p {
                a href=(shell.run(run.id)) {
                    span.status data-part="status" data-status=(words::tone(run)) { (words::state(shell.texts, run)) }
                }
            }
            @if live {
                (bar(shell.texts, run))
            } @else {
                p.soft { (words::moment(run.finished_at.unwrap_or(run.created_at))) }
            }
        }
    }
}
