//! Owns the words and figures people read: states, counts, sizes, durations and points in time.
//! Refuses to know pages. `words.js` writes the same words; the two change together.

use jiff::Timestamp;
use maud::{Markup, html};

use crate::run::{Level, ProgressState, Run, RunStatus};

pub(super) fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "Queued",
        RunStatus::Running => "Running",
        RunStatus::Paused => "Paused",
        RunStatus::Cancelling => "Cancelling…",
        RunStatus::Succeeded => "Succeeded",
        RunStatus::Failed => "Failed",
        RunStatus::Cancelled => "Cancelled",
        RunStatus::Interrupted => "Interrupted",
    }
}

/// Where a run stands, more closely than its status says.
pub(super) fn state(run: &Run) -> &'static str {
    match run.status {
        RunStatus::Running if run.pausing => "Pausing…",
        RunStatus::Running if run.stalled => "Stalled",
        RunStatus::Queued if run.due_at.is_some() => "Waiting to try again",
        status => self::status(status),
    }
}

/// What stands in front of a line that is not like most of them.
pub(super) fn level(level: Level) -> Option<&'static str> {
    match level {
        Level::Debug => Some("Debug"),
        Level::Info => None,
        Level::Warn => Some("Warning"),
        Level::Error => Some("Error"),
    }
}

/// What the mark and the colour of a run's state go by: a stalled run is not like one that runs.
pub(super) fn tone(run: &Run) -> &'static str {
    match run.status {
        RunStatus::Running if run.pausing => RunStatus::Paused.as_str(),
        RunStatus::Running if run.stalled => "stalled",
        status => status.as_str(),
    }
}

/// A run's state as a badge: a word, and a mark that only decorates it.
pub(super) fn badge(run: &Run) -> Markup {
    html! { span.status data-status=(tone(run)) { (state(run)) } }
}

/// `1234567` → `1,234,567`; the part behind a decimal point is left alone.
pub(super) fn grouped(number: &str) -> String {
    let (sign, unsigned) = number.strip_prefix('-').map_or(("", number), |rest| ("-", rest));
    let (whole, fraction) = unsigned.split_at(unsigned.find('.').unwrap_or(unsigned.len()));
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// What is known of the number of steps: `45 of 100`, `45 so far` or nothing.
pub(super) fn count(progress: &ProgressState) -> String {
    match (progress.current, progress.total) {
        (Some(current), Some(total)) => {
            format!("{} of {}", grouped(&current.to_string()), grouped(&total.to_string()))
        }
        (Some(current), None) => format!("{} so far", grouped(&current.to_string())),
        (None, _) => String::new(),
    }
}

/// `2 of 4 · Exporting`.
pub(super) fn stage(progress: &ProgressState) -> String {
    let Some(stage) = &progress.stage else { return String::new() };
    match (stage.index, stage.of) {
        (Some(index), Some(of)) => format!("{index} of {of} · {}", stage.name),
        (Some(index), None) => format!("{index} · {}", stage.name),
        (None, _) => stage.name.clone(),
    }
}

/// How full the bar is; `None` when nobody knows. Never full before the run has succeeded.
pub(super) fn bar(run: &Run) -> Option<f64> {
    match run.status {
        RunStatus::Succeeded => Some(100.0),
        status if status.is_terminal() => run.progress.percent,
        _ => run.progress.percent.map(|percent| percent.min(99.0)),
    }
}

/// The same in words: `42 %`, `Finishing…`, `Working…`.
pub(super) fn percent(run: &Run) -> String {
    let live = !run.status.is_terminal();
    match (run.status, run.progress.percent) {
        (RunStatus::Succeeded, _) => "100 %".to_owned(),
        (RunStatus::Queued, _) => "Waiting…".to_owned(),
        (RunStatus::Running, None) => "Working…".to_owned(),
        (_, None) => "—".to_owned(),
        (_, Some(percent)) if live && percent >= 100.0 => "Finishing…".to_owned(),
        // Rounded down: 99.9 % is not done.
        (_, Some(percent)) => format!("{} %", percent.floor()),
    }
}

/// The window's title: `42 % · Import`, `Failed · Import`.
pub(super) fn window_title(run: &Run) -> String {
    let state = match run.status {
        RunStatus::Running if !run.pausing && !run.stalled => percent(run),
        RunStatus::Succeeded => "Done".to_owned(),
        _ => state(run).to_owned(),
    };
    format!("{state} · {}", run.progress.title)
}

/// A whole run's time: tenths under ten seconds, then `12 s`, `3 min 05 s`, `2 h 07 min`.
pub(super) fn duration(ms: u64, ended: bool) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..=9 if ended => format!("{seconds}.{} s", ms % 1000 / 100),
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", grouped(&(seconds / 3600).to_string()), seconds / 60 % 60),
    }
}

/// What stands before a run's time: a paused or waiting run has a time that stands still.
pub(super) fn took(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running | RunStatus::Cancelling => "Running for",
        RunStatus::Queued | RunStatus::Paused => "Has run for",
        _ => "Took",
    }
}

/// A run's time so far, or in all.
pub(super) fn elapsed(run: &Run) -> Markup {
    let ended = run.status.is_terminal();
    html! {
        time data-part="elapsed" datetime=(format!("PT{}S", run.elapsed_ms / 1000)) {
            (duration(run.elapsed_ms, ended))
        }
    }
}

/// The paragraphs of a doc comment.
pub(super) fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty())
}

/// A paragraph of a doc comment: what stands between backticks is code, all else is text.
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

/// `512 bytes`, `1.4 MB`: decimal units, as file managers show them.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") };
    }
    let mut amount = bytes as f64 / 1000.0;
    let mut unit = 0;
    while amount >= 999.95 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    format!("{amount:.1} {}", UNITS[unit])
}

/// A day and a time. The script turns it into the viewer's own zone.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time.moment datetime=(at) data-zone="utc" { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}

/// The time of day of a log line, treated in the same way.
pub(super) fn clock(at: Timestamp) -> Markup {
    html! { time datetime=(at) data-zone="utc" { (at.strftime("%H:%M:%S")) } }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(grouped("1234567.891"), "1,234,567.891");
        assert_eq!(grouped("-1234"), "-1,234");
        assert_eq!(grouped("-123"), "-123");
        assert_eq!(duration(1_340, true), "1.3 s");
        assert_eq!(duration(1_340, false), "1 s");
        assert_eq!(duration(65_000, true), "1 min 05 s");
        assert_eq!(duration(7_620_000, true), "2 h 07 min");
        assert_eq!(size(1), "1 byte");
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_400_000), "1.4 MB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(size(u64::MAX), "18.4 EB");
    }

    #[test]
    fn backticks_of_a_doc_comment_are_code() {
        assert_eq!(prose("Reads `a<b`.").into_string(), "Reads <code>a&lt;b</code>.");
        assert_eq!(prose("One ` alone").into_string(), "One ` alone");
    }

    #[test]
    fn a_state_has_a_word_a_tone_and_a_window_title() {
        let mut run = Run::queued("a", "A", Map::new());
        let said = |run: &Run| (state(run), tone(run), window_title(run), took(run.status));
        run.due_at = Some(Timestamp::UNIX_EPOCH);
        let words = "Waiting to try again";
        assert_eq!(said(&run), (words, "queued", format!("{words} · A"), "Has run for"));
        run.status = RunStatus::Running;
        run.progress.percent = Some(40.0);
        assert_eq!(said(&run), ("Running", "running", "40 % · A".to_owned(), "Running for"));
        run.stalled = true;
        assert_eq!(said(&run), ("Stalled", "stalled", "Stalled · A".to_owned(), "Running for"));
        run.pausing = true;
        assert_eq!(said(&run), ("Pausing…", "paused", "Pausing… · A".to_owned(), "Running for"));
        (run.status, run.pausing, run.stalled) = (RunStatus::Paused, false, false);
        assert_eq!(said(&run), ("Paused", "paused", "Paused · A".to_owned(), "Has run for"));
        run.status = RunStatus::Succeeded;
        assert_eq!(said(&run), ("Succeeded", "succeeded", "Done · A".to_owned(), "Took"));
    }

    #[test]
    fn a_run_that_waits_to_go_on_shows_how_far_it_is() {
        let mut run = Run::queued("a", "A", Map::new());
        run.progress.percent = Some(40.0);
        assert_eq!((bar(&run), percent(&run)), (Some(40.0), "Waiting…".to_owned()));
    }

    #[test]
    fn a_run_is_never_full_before_its_end() {
        let mut run = Run::queued("a", "A", Map::new());
        assert_eq!((bar(&run), percent(&run)), (None, "Waiting…".to_owned()));
        run.status = RunStatus::Running;
        assert_eq!((bar(&run), percent(&run)), (None, "Working…".to_owned()));
        run.progress.percent = Some(98.99);
        assert_eq!((bar(&run), percent(&run)), (Some(98.99), "98 %".to_owned()));
        run.progress.percent = Some(100.0);
        assert_eq!((bar(&run), percent(&run)), (Some(99.0), "Finishing…".to_owned()));
        run.status = RunStatus::Succeeded;
        assert_eq!((bar(&run), percent(&run)), (Some(100.0), "100 %".to_owned()));
    }
}
