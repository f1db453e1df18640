//! The texts and numbers shown of a run: status, counts, sizes, durations and times. `words.js` writes the same; change
//! both together.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::process::Process;
use crate::processes::ScheduleNote;
use crate::run::{InnerBar, Level, ProgressState, Run, RunStatus};
use crate::texts::Texts;

pub(in crate::web) fn status(texts: &Texts, status: RunStatus) -> &str {
    texts.text(match status {
        RunStatus::Queued => "status.queued",
        RunStatus::Running => "status.running",
        RunStatus::Paused => "status.paused",
        RunStatus::Cancelling => "status.cancelling",
        RunStatus::Succeeded => "status.succeeded",
        RunStatus::Failed => "status.failed",
        RunStatus::Cancelled => "status.cancelled",
        RunStatus::Interrupted => "status.interrupted",
    })
}

/// The state of a run, in more detail than its status.
pub(super) fn state<'a>(texts: &'a Texts, run: &Run) -> &'a str {
    match run.status {
        RunStatus::Running if run.pausing => texts.text("status.pausing"),
        RunStatus::Running if run.stalled => texts.text("status.stalled"),
        RunStatus::Queued if run.due_at.is_some() => texts.text("status.retrying"),
        RunStatus::Succeeded if run.progress.warnings > 0 => texts.text("status.warned"),
        status => self::status(texts, status),
    }
}

pub(super) fn level(texts: &Texts, level: Level) -> &str {
    texts.text(match level {
        Level::Debug => "level.debug",
        Level::Info => "level.info",
        Level::Warn => "level.warn",
        Level::Error => "level.error",
    })
}

/// The state that determines mark and colour: a stalled run looks different from a running one.
pub(super) fn tone(run: &Run) -> &'static str {
    match run.status {
        RunStatus::Running if run.pausing => RunStatus::Paused.as_str(),
        RunStatus::Running if run.stalled => "stalled",
        RunStatus::Succeeded if run.progress.warnings > 0 => "warned",
        status => status.as_str(),
    }
}

/// The state of a run as a badge: a text, and a decorative mark.
pub(super) fn badge(texts: &Texts, run: &Run) -> Markup {
    html! { span.status data-status=(tone(run)) { (state(texts, run)) } }
}

/// The step counts: `45 of 100`, `45 so far` or nothing.
pub(super) fn count(texts: &Texts, progress: &ProgressState) -> String {
    let Some(current) = progress.current else { return String::new() };
    let current = texts.whole(current);
    match (progress.total, progress.first_total) {
        (Some(total), None) => {
            texts.with("bar.steps", &[("current", &current), ("total", &texts.whole(total))])
        }
        (Some(total), Some(first)) => {
            let (total, first) = (texts.whole(total), texts.whole(first));
            texts.with("bar.steps_grew", &[("current", &current), ("total", &total), ("first", &first)])
        }
        (None, _) => texts.with("bar.steps_so_far", &[("current", &current)]),
    }
}

/// The step counts of an inner loop.
pub(super) fn inner(texts: &Texts, progress: &ProgressState) -> String {
    let Some(InnerBar { current, total, .. }) = progress.inner else { return String::new() };
    count(texts, &ProgressState { current, total, ..ProgressState::default() })
}

/// The text under the bar. What a run said it was doing is no longer so once it has ended: where it did not succeed,
/// it is shown as the last text.
pub(super) fn line(texts: &Texts, run: &Run) -> String {
    let text = &run.progress.text;
    match run.status {
        _ if text.is_empty() => String::new(),
        RunStatus::Succeeded => String::new(),
        status if status.is_terminal() => texts.with("bar.last_text", &[("text", text)]),
        _ => text.clone(),
    }
}

/// `2 of 4 · Exporting`.
pub(super) fn stage(texts: &Texts, progress: &ProgressState) -> String {
    let Some(stage) = &progress.stage else { return String::new() };
    let Some(index) = stage.index.map(|index| texts.whole(index)) else { return stage.name.clone() };
    match stage.of {
        Some(of) => {
            texts.with("stage.of", &[("index", &index), ("of", &texts.whole(of)), ("name", &stage.name)])
        }
        None => format!("{index} · {}", texts.isolated(&stage.name)),
    }
}

/// How full the bar is; `None` if that is unknown. It is never full before the run has succeeded.
pub(super) fn bar(run: &Run) -> Option<f64> {
    full(run, run.progress.percent)
}

/// The same of the current stage.
pub(super) fn stage_bar(run: &Run) -> Option<f64> {
    full(run, run.progress.bar_percent())
}

fn full(run: &Run, percent: Option<f64>) -> Option<f64> {
    match run.status {
        RunStatus::Succeeded => Some(100.0),
        status if status.is_terminal() => percent,
        _ => percent.map(|percent| percent.min(99.0)),
    }
}

/// True for a run that has ended before it got anywhere: it has no bar to show.
pub(super) fn has_no_bar(run: &Run) -> bool {
    run.status.is_terminal() && !bar(run).is_some_and(|value| value > 0.0)
}

/// The same as text: `42 %`, `Finishing…`, `Working…`.
pub(super) fn percent(texts: &Texts, run: &Run) -> String {
    let live = !run.status.is_terminal();
    let word = match (run.status, run.progress.percent) {
        // It may have succeeded without all of its steps, and then is done, but not with all of them.
        (RunStatus::Succeeded, _) if run.progress.is_short() => "status.done",
        (RunStatus::Succeeded, _) => return texts.percent(100.0),
        (RunStatus::Queued, _) => "bar.waiting",
        (RunStatus::Running, None) => "bar.working",
        (_, None) => "bar.unknown",
        (_, Some(percent)) if live && percent >= 100.0 => "bar.finishing",
        (_, Some(percent)) => return texts.percent(percent),
    };
    texts.text(word).to_owned()
}

/// The window's title: `42 % · Import`, `Failed · Import`.
pub(super) fn window_title(texts: &Texts, run: &Run) -> String {
    let state = match run.status {
        RunStatus::Running if !run.pausing && !run.stalled => percent(texts, run),
        RunStatus::Succeeded => texts.text("status.done").to_owned(),
        _ => state(texts, run).to_owned(),
    };
    format!("{state} · {}", texts.isolated(&run.progress.title))
}

/// How long a run has waited, in milliseconds; `None` once it has executed.
pub(super) fn waited(run: &Run) -> Option<u64> {
    let waits = run.status == RunStatus::Queued && run.started_at.is_none();
    let since = || Timestamp::now().duration_since(run.created_at).as_millis();
    waits.then(|| u64::try_from(since()).unwrap_or(0))
}

/// The label before a run's time: the time of a run that is paused or queued again does not advance.
pub(super) fn took<'a>(texts: &'a Texts, run: &Run) -> &'a str {
    texts.text(match run.status {
        RunStatus::Queued if waited(run).is_some() => "run.waiting",
        RunStatus::Running | RunStatus::Cancelling => "run.running_for",
        RunStatus::Queued | RunStatus::Paused => "run.has_run_for",
        _ => "run.took",
    })
}

/// The time of a run, so far or in total.
pub(super) fn elapsed(texts: &Texts, run: &Run) -> Markup {
    let ended = run.status.is_terminal();
    let ms = waited(run).unwrap_or(run.elapsed_ms);
    html! {
        time data-part="elapsed" datetime=(format!("PT{}S", ms / 1000)) {
            (texts.duration(ms, ended))
        }
    }
}

/// Inserts an element into the placeholder of a text: `Ended {time}`.
pub(super) fn around(text: &str, placeholder: &str, element: &Markup) -> Markup {
    let (before, behind) = text.split_once(placeholder).unwrap_or((text, ""));
    html! { (before) (element) (behind) }
}

/// The schedule of a process; nothing if it has none.
pub(super) fn schedule(texts: &Texts, process: &Process) -> Markup {
    let next = process.next_run_after(Timestamp::now());
    html! {
        @if let (Some(schedule), Some(next)) = (process.schedule, next) {
            @let words = texts.with("process.scheduled", &[("schedule", schedule)]);
            p.soft { (around(&words, "{time}", &moment(next))) }
        }
    }
}

/// The scheduled starts that started nothing since the last one that did.
pub(super) fn unstarted(texts: &Texts, note: ScheduleNote) -> Markup {
    html! {
        @if let (1.., Some(at)) = (note.skipped, note.skipped_at) {
            @let words = texts.counted("schedule.skipped", note.skipped);
            p.note { (around(&words, "{time}", &moment(at))) }
        }
        @if let Some(at) = note.missed_at {
            p.note { (around(texts.text("schedule.missed"), "{time}", &moment(at))) }
        }
    }
}

/// The paragraphs of a doc comment.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

/// A paragraph of a doc comment: text between backticks becomes code.
pub(super) fn prose(paragraph: &str) -> Markup {
    let pieces: Vec<&str> = paragraph.split('`').collect();
    let paired = pieces.len() % 2 == 1;
    html! {
        @if paired {
            @for (index, piece) in pieces.iter().enumerate() {
                @if index % 2 == 1 { code { (piece) } } @else { (piece) }
            }
        } @else {
            (paragraph)
        }
    }
}

/// `#127`. The digits stay behind the sign on a right-to-left page.
pub(super) fn number(run: &Run) -> Markup {
    html! { @if run.number > 0 { bdi dir="ltr" { "#" (run.number) } } }
}

/// A date and a time. The script converts it to the viewer's time zone. It has its own direction, because digits and
/// spaces alone would be reordered on a right-to-left page.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! {
        time.moment datetime=(at) data-zone="utc" dir="auto" { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) }
    }
}

/// The time of day of a log line, handled in the same way.
pub(super) fn clock(at: Timestamp) -> Markup {
    html! { time datetime=(at) data-zone="utc" dir="auto" { (at.strftime("%H:%M:%S")) } }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn doc_comment_backticks_become_code() {
        assert_eq!(prose("Reads `a<b`.").into_string(), "Reads <code>a&lt;b</code>.");
        assert_eq!(prose("One ` alone").into_string(), "One ` alone");
    }

    #[test]
    fn status_has_word_tone_and_title() {
        let mut run = Run::queued("a", "A", Map::new());
        let texts = Texts::english();
        let said = |run: &Run| (state(texts, run), tone(run), window_title(texts, run), took(texts, run));
        run.due_at = Some(Timestamp::UNIX_EPOCH);
        let words = "Waiting to retry";
        assert_eq!(said(&run), (words, "queued", format!("{words} · A"), "Waiting"));
        run.started_at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(took(texts, &run), "Ran for");
        run.status = RunStatus::Running;
        run.progress.percent = Some(40.0);
        assert_eq!(said(&run), ("Running", "running", "40 % · A".to_owned(), "Running for"));
        run.stalled = true;
        assert_eq!(said(&run), ("Stalled", "stalled", "Stalled · A".to_owned(), "Running for"));
        run.pausing = true;
        assert_eq!(said(&run), ("Pausing…", "paused", "Pausing… · A".to_owned(), "Running for"));
        (run.status, run.pausing, run.stalled) = (RunStatus::Paused, false, false);
        assert_eq!(said(&run), ("Paused", "paused", "Paused · A".to_owned(), "Ran for"));
        run.status = RunStatus::Succeeded;
        assert_eq!(said(&run), ("Succeeded", "succeeded", "Done · A".to_owned(), "Took"));
    }

    #[test]
    fn waiting_run_shows_its_progress() {
        let mut run = Run::queued("a", "A", Map::new());
        run.progress.percent = Some(40.0);
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (Some(40.0), "Waiting…".to_owned()));
    }

    #[test]
    fn progress_is_never_full_before_end() {
        let mut run = Run::queued("a", "A", Map::new());
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (None, "Waiting…".to_owned()));
        run.status = RunStatus::Running;
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (None, "Working…".to_owned()));
        run.progress.percent = Some(98.99);
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (Some(98.99), "98 %".to_owned()));
        run.progress.percent = Some(100.0);
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (Some(99.0), "Finishing…".to_owned()));
        run.status = RunStatus::Succeeded;
        assert_eq!((bar(&run), percent(Texts::english(), &run)), (Some(100.0), "100 %".to_owned()));
    }
}
