//! The list of runs: its filter with counts, and its pages.

use maud::{Markup, html};

use super::table::{Table, table};
use super::{Content, History, Shell, words};
use crate::layout::PageKind;
use crate::run::RunStatus;
use crate::store::{RunFilter, RunPosition};
use crate::web::request::position;

/// One page of the history.
pub(in crate::web) fn history(shell: &Shell<'_>, history: &History<'_>) -> Content {
    let texts = shell.texts;
    // A search is not repeated by itself: it reads runs that do not match.
    let is_searched = history.filter.contains.is_some();
    let own = Address { before: history.filter.after, ..Address::of(history) }.written(shell);
    let rows = Table {
        runs: history.runs,
        processes: history.processes,
        names_process: true,
        address: Some(own.as_str()).filter(|_| !is_searched),
        most: history.filter.limit,
    };
    let markup = html! {
        h1 { (texts.text("page.history")) }
        p.note data-part="note" {}
        (filter(shell, history))
        (counts(shell, history))
        @if history.runs.is_empty() && !history.is_cut { p.soft data-part="none" { (nothing(shell, history)) } }
        (table(shell, &rows))
        (stamp(shell, history, &own, is_searched))
        @if history.filter.after.is_some() || history.next.is_some() {
            nav.pages aria-label=(texts.text("page.pages")) {
                @if history.filter.after.is_some() {
                    a.button rel="first" href=(Address::of(history).written(shell)) { (texts.text("history.newest")) }
                }
                @if let Some(next) = history.next {
                    a.button rel="next" href=(older(shell, history, next)) { (texts.text("history.older")) }
                }
            }
        }
    };
    Content {
        has_token: false,
        kind: PageKind::History,
        title: texts.text("page.history").to_owned(),
        markup,
    }
}

/// The address of the page with older runs.
pub(in crate::web) fn older(shell: &Shell<'_>, history: &History<'_>, next: RunPosition) -> String {
    Address { before: Some(next), ..Address::of(history) }.written(shell)
}

/// When the list was read, if it stays as it was, and how far a search went.
fn stamp(shell: &Shell<'_>, history: &History<'_>, own: &str, is_searched: bool) -> Markup {
    let texts = shell.texts;
    let as_of = html! {
        (words::around(texts.text("history.as_of"), "{time}", &words::moment(history.at))) " "
        a href=(own) { (texts.text("page.reload")) }
    };
    html! {
        @if let Some(next) = history.next.filter(|_| history.is_cut) {
            p.soft { (words::around(texts.text("history.searched_until"), "{time}", &words::moment(next.created_at))) }
        }
        @if is_searched {
            p.soft { (as_of) }
        } @else {
            noscript { p { (as_of) } }
        }
    }
}

/// Shown instead of rows.
fn nothing(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let (texts, filter) = (shell.texts, history.filter);
    let is_filtered = filter.process.is_some()
        || !filter.statuses.is_empty()
        || filter.actor.is_some()
        || filter.failed_items
        || [history.from, history.until, history.sought].iter().any(|text| !text.is_empty());
    html! {
        @if filter.after.is_some() {
            (texts.text("history.empty_page"))
        } @else if is_filtered {
            (texts.text("history.empty")) " " a href=(shell.history()) { (texts.text("history.clear")) }
        } @else {
            (texts.text("process.no_runs"))
        }
    }
}

/// The matching runs by status: each count leads to these runs. The one that is selected leads back to all.
fn counts(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let Some(counts) = history.counts else { return html! {} };
    let (texts, chosen) = (shell.texts, &history.filter.statuses);
    let more = if counts.is_complete { "" } else { "+" };
    let address = |status: &str| Address { status: status.to_owned(), ..Address::of(history) }.written(shell);
    let chip = |label: &str, name: &str, count: u64, is_chosen: bool, leads_to: &str| {
        html! {
            a.chip href=(address(leads_to)) aria-current=[is_chosen.then_some("true")] hidden[count == 0 && !is_chosen]
                data-count=(name) {
                (label) " " b { (texts.whole(count)) (more) }
            }
        }
    };
    html! {
        nav.chips aria-label=(texts.text("history.status")) {
            (chip(texts.text("history.all"), "all", counts.total(), chosen.is_empty(), ""))
            @for status in RunStatus::ALL {
                @let is_chosen = chosen.contains(&status);
                @let leads_to = if is_chosen { "" } else { status.as_str() };
                (chip(word(shell, status), status.as_str(), counts.of(status), is_chosen, leads_to))
            }
        }
    }
}

fn word<'a>(shell: &Shell<'a>, status: RunStatus) -> &'a str {
    words::status(shell.texts, status).trim_end_matches('…')
}

fn filter(shell: &Shell<'_>, history: &History<'_>) -> Markup {
    let (texts, filter) = (shell.texts, history.filter);
    let status = |status: &RunStatus| word(shell, *status);
    // A select has one value. Several statuses, which only a URL can request, become one more option.
    let several = Some(statuses(filter)).filter(|_| filter.statuses.len() > 1);
    // A process that is no longer part of the program.
    let gone = filter.process.as_deref();
    let gone = gone.filter(|route| history.processes.iter().all(|process| process.route() != *route));
    html! {
        form.filter method="get" action=(shell.history()) role="search" {
            div.field.sought {
                label for="filter-q" { (texts.text("history.sought")) }
                input #filter-q type="search" name="q" dir="auto" value=(history.sought) autocomplete="off";
            }
            div.field {
                label for="filter-process" { (texts.text("history.process")) }
                select #filter-process name="process" {
                    option value="" { (texts.text("history.all")) }
                    @if let Some(gone) = gone { option value=(gone) selected dir="auto" { (gone) } }
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
            label.tick {
                input type="checkbox" name="failed_items" value="true" checked[filter.failed_items];
                (texts.text("history.failed_items"))
            }
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

/// An address with the filter of a page.
struct Address<'a> {
    history: &'a History<'a>,
    status: String,
    before: Option<RunPosition>,
}

impl<'a> Address<'a> {
    /// The first page.
    fn of(history: &'a History<'a>) -> Self {
        Self { history, status: statuses(history.filter), before: None }
    }

    fn written(&self, shell: &Shell<'_>) -> String {
        let Self { history, status, before } = self;
        let filter = history.filter;
        let before = before.map(position::written).unwrap_or_default();
        let pairs = [
            ("process", filter.process.as_deref().unwrap_or_default()),
            ("status", status),
            ("actor", filter.actor.as_deref().unwrap_or_default()),
            ("from", history.from),
            ("until", history.until),
            ("q", history.sought),
            ("failed_items", if filter.failed_items { "true" } else { "" }),
            ("before", &before),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        match query.finish() {
            query if query.is_empty() => shell.history(),
            query => format!("{}?{query}", shell.history()),
        }
    }
}
