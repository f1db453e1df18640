//! The record of a watched run: every value it reports, and at which of its reports it is interrupted. A run that
//! nobody watches never comes here.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::{Progress, Slow, Stop, WATCHED};
use crate::run::{Counts, FailedItem, LogLine, RunFile, SavedCursor, Stage};

/// How many values of each kind are kept, before the oldest give way.
const MAX_RECORDED: usize = 100_000;

/// What befalls a watched run at one of its reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interruption {
    /// Its program is gone: the body goes no further, and nothing it still says is heard.
    Killed,
    /// Somebody cancels it.
    Cancelled,
}

impl Interruption {
    fn reason(self) -> Stop {
        match self {
            // What follows from both is the same: the body ends, and nothing more is written.
            Self::Killed => Stop::LeaseLost,
            Self::Cancelled => Stop::Cancelled,
        }
    }
}

/// Everything a run reported, each kind in the order in which it was.
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
    /// The files as they were offered last.
    pub(crate) files: Vec<RunFile>,
    /// The cursor as it was saved last, with what was counted then.
    pub(crate) cursor: Option<SavedCursor>,
    /// How many values gave way to newer ones.
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
    /// With the line that says so.
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
    /// The interruption, once the run has come to it.
    interrupted: Option<Interruption>,
    /// Nothing is recorded any more: the run has ended, or was killed.
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
                // The bar starts anew; before the first percentage there is nothing to start anew from.
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
    /// Records a report, if the run is watched. Inline: for a run that is not, it is one look.
    #[inline]
    pub(super) fn record(&mut self, report: Report<'_>) {
        if let Some(recorder) = &mut self.recorder {
            recorder.record(report);
        }
    }
}

impl Progress {
    /// From here on every report is recorded, and the run is interrupted at the report that is named. What an earlier
    /// attempt has counted is counted on.
    pub(crate) fn watch(&self, interrupt_at: Option<(u64, Interruption)>) {
        let mut slow = self.slow();
        let (counts, failed_items) = slow.facts.counted();
        let recording = Recording { counts, failed_items, ..Recording::default() };
        slow.recorder = Some(Box::new(Recorder { recording, interrupt_at, ..Recorder::default() }));
        drop(slow);
        self.0.hot.flags.fetch_or(WATCHED, Ordering::Release);
    }

    /// Takes what was recorded. What is reported later is not.
    pub(crate) fn recorded(&self) -> Recording {
        let mut slow = self.slow();
        let Some(recorder) = &mut slow.recorder else { return Recording::default() };
        recorder.over = true;
        std::mem::take(&mut recorder.recording)
    }

    /// Ends a report of a watched run: records it if it was one of the bar, and interrupts the run if this
    /// is where it is to be interrupted. True when the body is to be left at once.
    pub(super) fn watched(&self, bar: Option<Option<f64>>) -> bool {
        let mut slow = self.slow();
        if let Some(percent) = bar {
            slow.record(Report::Bar(percent));
        }
        let interrupted = slow.recorder.as_ref().and_then(|recorder| recorder.interrupted);
        let dropping = slow.closing == Some(std::thread::current().id());
        drop(slow);
        let Some(interruption) = interrupted else { return false };
        // Said by everybody who sees it, before anybody leaves: whoever waits for a thread that leaves must
        // find that the run was stopped, and not only that the thread is gone.
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
