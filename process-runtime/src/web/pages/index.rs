//! The page that lists every process with its latest run. `list.js` renders the same rows; change both together.

use maud::{Markup, html};

use super::{Content, Entry, Shell, bar, words};
use crate::layout::PageKind;
use crate::run::Run;
use crate::texts::Texts;
use crate::web::request::active::ActiveCounts;

/// Every process by group. The entries are sorted by route; a group appears where its first entry is. `searched` is the
/// text that was searched for.
pub(in crate::web) fn index(shell: &Shell<'_>, entries: &[Entry], searched: &str) -> Content {
    let texts = shell.texts;
    let mut groups: Vec<Option<&str>> = vec![None];
    for entry in entries {
        if !groups.contains(&entry.process.group) {
            groups.push(entry.process.group);
        }
    }
    let nothing_found = !entries.is_empty() && !entries.iter().any(|entry| is_found(entry, searched));
    let markup = html! {
        div.title {
            h1 { (texts.text("page.processes")) }
            p.note data-part="note" {}
            p.unseen role="status" data-part="announcement" {}
            @if entries.len() > 1 { (search(shell, searched)) }
        }
        @if entries.iter().filter_map(|entry| entry.latest.as_ref()).any(|run| !run.status.is_terminal()) {
            noscript {
                p { (texts.text("page.still")) " " a href=(shell.home()) { (texts.text("page.reload")) } }
            }
        }
        @if entries.is_empty() { p.soft { (texts.text("index.empty")) } }
        p.soft data-part="none" hidden[!nothing_found] { (texts.text("index.none_found")) }
        div data-rows data-base=(shell.base) {
            @for group in groups {
                @let members: Vec<&Entry> = entries.iter().filter(|entry| entry.process.group == group).collect();
                @if !members.is_empty() {
                    section data-group hidden[!members.iter().any(|entry| is_found(entry, searched))] {
                        @if let Some(name) = group { h2.group dir="auto" { (name) } }
                        ul.cards {
                            @for entry in members {
                                li data-found-by=(found_by(entry)) hidden[!is_found(entry, searched)] {
                                    (card(shell, entry))
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Content {
        has_token: false,
        kind: PageKind::Index,
        title: texts.text("page.processes").to_owned(),
        markup,
    }
}

fn search(shell: &Shell<'_>, searched: &str) -> Markup {
    let label = shell.texts.text("index.search");
    html! {
        form.search method="get" action=(shell.home()) role="search" data-search {
            input type="search" name="q" value=(searched) aria-label=(label) placeholder=(label) autocomplete="off";
        }
    }
}

/// The text that a search looks at.
fn found_by(entry: &Entry) -> String {
    let process = entry.process;
    let (route, group) = (process.route(), process.group.unwrap_or_default());
    let description = words::paragraphs(process.description).next().unwrap_or_default();
    format!("{} {route} {group} {description}", process.title)
}

fn is_found(entry: &Entry, searched: &str) -> bool {
    let text = found_by(entry).to_lowercase();
    searched.to_lowercase().split_whitespace().all(|word| text.contains(word))
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
            (words::schedule(shell.texts, process))
        }
        div.latest {
            div data-process=(process.route()) data-latest=(entry.latest.as_ref().map_or_else(String::new, |run| run.id.to_string())) {
                @match &entry.latest {
                    Some(run) if !run.status.is_terminal() => (bar::compact(shell, run)),
                    Some(run) => (ended(shell, run)),
                    None => p.soft { (shell.texts.text("index.not_run")) },
                }
            }
            @let beside = entry.latest.as_ref().map(|run| beside(shell.texts, entry.active.beside(run.status)));
            p.soft.more hidden[beside.is_none()] {
                span data-part="beside" { (beside.unwrap_or_default()) } " "
                a href=(shell.history_of(&process.route())) { (shell.texts.text("index.all_runs")) }
            }
        }
    }
}

/// The active runs beside the one that is shown: `1 more running · 2 queued`.
pub(super) fn beside(texts: &Texts, counts: ActiveCounts) -> String {
    let ActiveCounts { running, paused, queued } = counts;
    let counted = [("index.running", running), ("index.paused", paused), ("index.queued", queued)];
    let words =
        counted.into_iter().filter(|(_, count)| *count > 0).map(|(key, count)| texts.counted(key, count));
    words.collect::<Vec<_>>().join(" · ")
}

fn ended(shell: &Shell<'_>, run: &Run) -> Markup {
    html! {
        p { a href=(shell.run(run.id)) { (words::badge(shell.texts, run)) } " " span.soft { (words::number(run)) } }
        p.soft { (words::moment(run.finished_at.unwrap_or(run.created_at))) }
    }
}
