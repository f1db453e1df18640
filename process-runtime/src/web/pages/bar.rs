//! `<process-progress>` as a page contains it: the initial state of the element, and the same content for browsers
//! without JavaScript. `element.js` renders the same; change both together.

use maud::{Markup, html};
use serde_json::Value;

use super::outcome::failure;
use super::{LogTail, Shell, estimates, facts, words};
use crate::run::{Run, RunStatus};
use crate::texts::Texts;
use crate::wire::{Changing, Position};

/// The bar in a run's own panel, with its title and actions. Log lines after the last of `log` are requested.
pub(super) fn full(shell: &Shell<'_>, run: &Run, log: &LogTail, title: &Markup, actions: &Markup) -> Markup {
    let texts = shell.texts;
    let position = Position::of(run.id, run.attempt, log.last);
    html! {
        process-progress src=(shell.run(run.id)) log snapshot=(snapshot(run)) position=(position) {
            p slot="state" { (state(texts, run)) }
            (title)
            (failure(texts, run, log))
            (figures(texts, run))
            (inner(texts, run))
            (facts::stages(texts, &run.progress, words::stage_bar(run)))
            div.says slot="says" {
                p.stage data-part="stage" dir="auto" { (words::stage(texts, &run.progress)) }
                p.line data-part="text" dir="auto" { (words::line(texts, run)) }
            }
            (facts::counts(texts, &run.progress))
            div.facts slot="facts" {
                p {
                    span data-part="took" { (words::took(texts, run)) } " " (words::elapsed(texts, run))
                    span.rate data-part="rate" { (estimates::rate(texts, run)) }
                }
                p {
                    span data-part="after" { (ended(texts, run)) }
                    span data-part="left" { (estimates::left(texts, run)) }
                    span.note data-part="note" { (next_try(texts, run)) }
                }
            }
            (actions)
            p.unseen slot="announcement" role="status" data-part="announcement" {}
        }
    }
}

/// The bar of a run in a list.
pub(super) fn compact(shell: &Shell<'_>, run: &Run) -> Markup {
    let address = shell.run(run.id);
    html! {
        process-progress src=(address) compact link silent snapshot=(snapshot(run)) {
            p slot="state" { a href=(address) { (state(shell.texts, run)) } }
            (figures(shell.texts, run))
        }
    }
}

/// The state that the element shows before its stream is open.
fn snapshot(run: &Run) -> String {
    let mut value = serde_json::to_value(Changing::of(run)).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("id".to_owned(), run.id.to_string().into());
        fields.insert("number".to_owned(), run.number.into());
        fields.insert("finished_at".to_owned(), run.finished_at.map(|at| at.to_string()).into());
        // A duration, because the viewer's clock may be wrong.
        if let Some(ms) = words::waited(run) {
            fields.insert("waited_ms".to_owned(), ms.into());
        }
    }
    value.to_string()
}

fn state(texts: &Texts, run: &Run) -> Markup {
    html! { span.status data-part="status" data-status=(words::tone(run)) { (words::state(texts, run)) } }
}

fn figures(texts: &Texts, run: &Run) -> Markup {
    let (count, percent) = (words::count(texts, &run.progress), words::percent(texts, run));
    let mut spoken = vec![percent.clone(), count.clone(), estimates::left(texts, run)];
    spoken.retain(|words| !words.is_empty());
    let spoken = spoken.join(", ");
    html! {
        p.figures slot="figures" data-part="figures" hidden[words::has_no_bar(run)] { strong data-part="percent" { (percent) } span data-part="count" { (count) } }
        progress slot="bar" data-part="bar" data-status=(words::tone(run)) aria-label=(texts.text("bar.progress")) hidden[words::has_no_bar(run)]
            aria-valuetext=(spoken) max="100" value=[words::bar(run).map(|value| format!("{value:.2}"))] {}
    }
}

/// The bar of an inner loop, under that of the run.
fn inner(texts: &Texts, run: &Run) -> Markup {
    let inner = run.progress.inner.as_ref();
    html! {
        div.inner slot="inner" data-part="inner" hidden[inner.is_none()] {
            @if let Some(inner) = inner {
                progress max="100" aria-label=(texts.text("bar.inner"))
                    value=[inner.percent.map(|value| format!("{value:.2}"))] {}
                span { (words::inner(texts, &run.progress)) }
            }
        }
    }
}

fn ended(texts: &Texts, run: &Run) -> Markup {
    html! {
        @if let Some(at) = run.finished_at { (words::around(texts.text("run.ended"), "{time}", &words::moment(at))) }
    }
}

/// When a failed run is retried.
fn next_try(texts: &Texts, run: &Run) -> Markup {
    let due = run.due_at.filter(|_| run.status == RunStatus::Queued);
    html! { @if let Some(due) = due { (words::around(texts.text("note.next_try"), "{time}", &words::clock(due))) } }
}
