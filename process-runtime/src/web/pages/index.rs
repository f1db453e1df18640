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
    let content = html! {
        h1 { "Processes" }
        @if entries.is_empty() { p.soft { "This program has no processes." } }
        @for group in groups {
            @let members: Vec<&Entry> = entries.iter().filter(|entry| entry.process.group == group).collect();
            @if !members.is_empty() {
                section {
                    @if let Some(name) = group { h2.group { (name) } }
                    ul.cards { @for entry in members { li { (card(shell, entry)) } } }
                }
            }
        }
    };
    page(shell, "Processes", &content)
}

fn card(shell: &Shell<'_>, entry: &Entry) -> Markup {
    let process = entry.process;
    let title = html! { a href=(shell.process(&process.route())) { (process.title) } };
    html! {
        div.what {
            @match process.group {
                Some(_) => h3 { (title) },
                None => h2 { (title) },
            }
            @if let Some(first) = words::paragraphs(process.description).next() {
                p.soft { (words::prose(first)) }
            }
        }
        div.latest {
            @match &entry.latest {
                Some(run) => (latest(shell, run)),
                None => p.soft { "Not run yet" },
            }
        }
    }
}

fn latest(shell: &Shell<'_>, run: &Run) -> Markup {
    html! {
        p { a href=(shell.run(run.id)) { (words::badge(run)) } }
        @if run.status.is_terminal() {
            p.soft { (words::moment(run.finished_at.unwrap_or(run.created_at))) }
        } @else {
            (bar(run))
        }
    }
}
