//! The recording of a run under test: every value it reports, and the report at which the test interrupts it. Runs
//! outside of tests record nothing.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::{Progress, Slow, Stop, WATCHED};
use crate::run::{Counts, FailedItem, LogLine, RunFile, SavedCursor, Stage};

/// How many values of each kind are kept; the oldest are dropped first.
const MAX_RECORDED: usize = 100_000;

/// How a test interrupts a run at one of its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// The program ends: the body stops, and nothing it still reports is recorded.
    Killed,
    /// The run is cancelled.
    Cancelled,
}

impl Interruption {
    fn reason(self) -> Stop {
        match self {
            // Both have the same effect: the body ends, and nothing more is written.
            Self::Killed => Stop::LeaseLost,
            Self::Cancelled => Stop::Cancelled,
        }
    }
}

/// Everything a run reported, each kind in order.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    /// How many reports there were.
    pub(crate) steps: u64,
    /// What the bar showed, each change once.
    pub(crate) percents: VecDeque<Option<f64>>,
    /// The texts under the bar.
    pub(crate) texts: VecDeque<String>,
    /// The titles.
    pub(crate) titles: VecDeque<String>,
    /// The stages.
    pub(crate) stages: VecDeque<Stage>,
    /// The log.
    pub(crate) lines: VecDeque<LogLine>,
    /// Outcomes, counted by name.
    pub(crate) counts: Counts,
    /// The items that failed.
    pub(crate) failed_items: VecDeque<FailedItem>,
    /// The files as last offered.
    pub(crate) files: Vec<RunFile>,
    /// The cursor as last saved, with the counts at that time.
    pub(crate) cursor: Option<SavedCursor>,
    /// How many values were dropped in favour of newer ones.
    pub(crate) dropped: u64,
}

/// One report, as it is recorded.
pub(super) enum Report<'a> {
    Bar(Option<f64>),
    Text(&'a str),
    Title(&'a str),
    Stage(&'a Stage),
    Line(&'a LogLine),
    Count(&'a str, u64),
    /// With its log line.
    FailedItem(&'a FailedItem, &'a LogLine),
    /// `None` when the file could not be kept.
    File(Option<&'a RunFile>),
    Cursor(&'a SavedCursor),
    End,
}

/// Sits under the lock of a watched run's handle.
#[derive(Default)]
pub(super) struct Recorder {
    recording: Recording,
    interrupt_at: Option<(u64, Interruption)>,
    /// The interruption, once the run has reached it.
    interrupted: Option<Interruption>,
    /// Recording has ended: the run has ended or was killed.
    over: bool,
}

impl Recorder {
    fn record(&mut self, report: Report<'_>) {
        if self.over {
            return;
        }
        let Recording {
            steps,
            percents,
            texts,
            titles,
            stages,
            lines,
            counts,
            failed_items,
            files,
            cursor,
            dropped,
        } = &mut self.recording;
        *steps += 1;
        match report {
            Report::Bar(percent) if percents.back() == Some(&percent) => {}
            Report::Bar(percent) => keep(percents, percent, dropped),
            Report::Text(text) => keep(texts, text.to_owned(), dropped),
            Report::Title(title) => keep(titles, title.to_owned(), dropped),
            Report::Stage(stage) => {
                // The bar is reset; before the first percentage there is nothing to reset.
                if matches!(percents.back(), Some(Some(_))) {
                    keep(percents, None, dropped);
                }
                keep(stages, Stage { started_ms: 0, ..stage.clone() }, dropped);
            }
            Report::Line(line) => keep(lines, line.clone(), dropped),
            Report::Count(name, n) => counts.add(name, n),
            Report::FailedItem(failed, line) => {
                keep(lines, line.clone(), dropped);
                counts.add(Counts::FAILED, 1);
                keep(failed_items, failed.clone(), dropped);
            }
            Report::File(Some(file)) => {
                files.retain(|kept| kept.name != file.name);
                files.push(file.clone());
            }
            Report::Cursor(saved) => *cursor = Some(saved.clone()),
            Report::File(None) | Report::End => {}
        }
        if let Some((_, interruption)) = self.interrupt_at.filter(|(step, _)| step == steps) {
            self.interrupted = Some(interruption);
            self.over = interruption == Interruption::Killed;
        }
    }
}

fn keep<T>(list: &mut VecDeque<T>, value: T, dropped: &mut u64) {
    if list.len() == MAX_RECORDED {
        list.pop_front();
        *dropped += 1;
    }
    list.push_back(value);
}

impl Slow {
    /// Records a report if the run is under test. Inlined: for any other run it costs one check.
    #[inline]
    pub(super) fn record(&mut self, report: Report<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(report);
        }
    }
}

impl Progress {
    /// Records every report from here on, and interrupts the run at the given report. Counts of an earlier attempt
    /// continue.
    pub(crate) fn watch(&self, interrupt_at: Option<(u64, Interruption)>) {
        let mut slow = self.slow();
        let (counts, failed_items) = slow.facts.counted();
        let recording = Recording { counts, failed_items, ..Recording::default() };
        slow.recorder = Some(Box::new(Recorder { recording, interrupt_at, ..Recorder::default() }));
        drop(slow);
        self.0.hot.flags.fetch_or(WATCHED, Ordering::Release);
    }

    /// Takes the recording. Later reports are not recorded.
    pub(crate) fn recorded(&self) -> Recording {
        let mut slow = self.slow();
        let Some(recorder) = &mut slow.recorder else { return Recording::default() };
        recorder.over = true;
        std::mem::take(&mut recorder.recording)
    }

    /// Ends a report of a run under test: records it if it was one of the bar, and interrupts the run if this is the
    /// given report. Returns true if the caller must leave the body now.
    #[expect(clippy::option_option, reason = "no bar was reported, an unknown one, or a percentage")]
    pub(super) fn watched(&self, bar: Option<Option<f64>>) -> bool {
        let mut slow = self.slow();
        if let Some(bar) = bar {
            let percent = slow.facts.percent(bar);
            slow.record(Report::Bar(percent));
        }
        let interrupted = slow.recorder.as_ref().and_then(|recorder| recorder.interrupted);
        let dropping = slow.closing == Some(std::thread::current().id());
        drop(slow);
        let Some(interruption) = interrupted else { return false };
        // Every thread that sees the interruption sets the stop reason before any thread leaves: code that joins a
        // leaving thread must find that the run was stopped, and not only that the thread is gone.
        self.stop(interruption.reason());
        let may_unwind = cfg!(panic = "unwind") && !dropping && !std::thread::panicking();
        interruption == Interruption::Killed && may_unwind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recording_drops_oldest_beyond_limit() {
        let progress = Progress::detached();
        progress.watch(None);
        for index in 0..MAX_RECORDED + 3 {
            progress.set_progress_text(index.to_string());
        }
        let recording = progress.recorded();
        assert_eq!((recording.texts.len(), recording.dropped), (MAX_RECORDED, 3));
        assert_eq!(recording.texts.front().map(String::as_str), Some("3"));
        assert_eq!(recording.steps, MAX_RECORDED as u64 + 3);
    }

    #[test]
    fn reports_after_end_are_not_recorded() {
        let progress = Progress::detached();
        progress.watch(Some((2, Interruption::Killed)));
        progress.set_progress(1);
        assert_eq!(progress.recorded().steps, 1);
        progress.set_progress(2);
        assert_eq!((progress.recorded().steps, progress.is_stopped()), (0, false));
    }

    #[test]
    fn unwatched_handle_records_nothing() {
        let progress = Progress::detached();
        progress.log("unheard");
        assert_eq!(progress.recorded().steps, 0);
    }
}
