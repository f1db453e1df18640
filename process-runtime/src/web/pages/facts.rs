//! The details beside a run's bar: its stages, each with its own bar, and its counts. `element.js` renders the same
//! elements; change both together.

use maud::{Markup, html};

use crate::run::{Counts, ProgressState};
use crate::texts::Texts;

/// How many of the coming stages get a bar.
const AHEAD: u64 = 20;

struct Row<'a> {
    name: &'a str,
    full: Option<f64>,
    elapsed_ms: Option<u64>,
    is_present: bool,
}

/// Completed stages are full, the current one is as full as `bar`, and the rest are empty.
pub(super) fn stages(texts: &Texts, progress: &ProgressState, bar: Option<f64>) -> Markup {
    let rows = rows(progress, bar);
    html! {
        ol.stages slot="stages" data-part="stages" aria-label=(texts.text("stages.label")) hidden[rows.is_empty()] {
            @for row in rows {
                @let label = if row.name.is_empty() { texts.text("stage.ahead") } else { row.name };
                li aria-current[row.is_present] {
                    progress part="stage-bar" max="100" value=[row.full.map(|full| format!("{full:.2}"))] aria-label=(label) {}
                    span dir="auto" { (row.name) }
                    small { @if let Some(ms) = row.elapsed_ms { (texts.duration(ms, true)) } }
                }
            }
        }
    }
}

fn rows(progress: &ProgressState, bar: Option<f64>) -> Vec<Row<'_>> {
    let Some(stage) = &progress.stage else { return Vec::new() };
    if progress.stages.is_empty() && stage.of.unwrap_or_default() < 2 {
        return Vec::new();
    }
    let past = progress.stages.iter().map(|past| Row {
        name: &past.name,
        full: Some(100.0),
        elapsed_ms: Some(past.elapsed_ms),
        is_present: false,
    });
    let present = Row { name: &stage.name, full: bar, elapsed_ms: None, is_present: true };
    let ahead = stage.of.zip(stage.index).map_or(0, |(of, index)| of.saturating_sub(index).min(AHEAD));
    let ahead = (0..ahead).map(|_| Row { name: "", full: Some(0.0), elapsed_ms: None, is_present: false });
    past.chain([present]).chain(ahead).collect()
}

/// The counts by name, and the number of warnings.
pub(super) fn counts(texts: &Texts, progress: &ProgressState) -> Markup {
    let ProgressState { counts, warnings, .. } = progress;
    // A failed item is also a warning in the log.
    let warnings = warnings.saturating_sub(counts.get(Counts::FAILED));
    html! {
        ul.counts slot="counts" data-part="counts" aria-label=(texts.text("counts.label"))
            hidden[counts.is_empty() && warnings == 0] {
            @for (name, count) in in_order(counts) {
                li data-status=[(name == Counts::FAILED).then_some("failed")] {
                    b { (texts.whole(count)) } " " span dir="auto" { (name) }
                }
            }
            @if warnings > 0 {
                li data-status="warned" {
                    b { (texts.whole(warnings)) } " " span dir="auto" { (texts.counted("counts.warnings", warnings)) }
                }
            }
        }
    }
}

/// The counts in the order in which a browser reads them from an object: first those whose name is a whole number, by number.
fn in_order(counts: &Counts) -> Vec<(&str, u64)> {
    let index =
        |name: &str| name.parse().ok().filter(|index: &u32| *index < u32::MAX && index.to_string() == name);
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(name, _)| index(name).map_or((true, 0), |index| (false, index)));
    counts
}
