//! Publishes what a body reports: reads it from the run's handle, conflates progress to a limited rate, and stores it
//! in pieces. Log lines wait for the store in the feed, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::omission::Omission;
use super::timing::at;
use crate::estimate::RunEstimator;
use crate::feed::Feed;
use crate::progress::Progress;
use crate::run::Run;
use crate::store::{Batch, StoreError, TrimLog};

mod saving;

use saving::{PIECE, Saving};

/// How often the reports of a busy body are read, unless it writes lines. Progress is published at most this often, or
/// less often if the settings say so.
const TICK: Duration = Duration::from_millis(50);
/// The shortest interval between two reads of lines.
const LINES: Duration = Duration::from_millis(5);
/// How much each line lengthens that interval, up to a tick, so that many lines are read at once.
const A_LINE: Duration = Duration::from_micros(6);
/// How long a log line or a cursor may wait to be stored together with others.
const GATHER: Duration = Duration::from_millis(200);
/// How often progress alone is stored. The store needs it only after a crash.
const STORE_PROGRESS: Duration = Duration::from_secs(1);

/// Publishes the reports of one execution.
pub(super) struct Publisher {
    progress: Progress,
    feed: Arc<Feed>,
    /// When this execution began, and how long earlier ones took.
    began: Instant,
    before: Duration,
    look: Look,
    /// The next read was triggered by a report.
    woken: bool,
    /// The shortest interval between two progress events, and when the next is allowed.
    progress_every: Duration,
    progress_at: Instant,
    /// A run that reports nothing for this long is shown as stalled.
    stalled_after: Duration,
    /// What the store does not have yet, except for lines, and when it must be saved.
    unsaved: Batch,
    save_at: Option<Instant>,
    /// The time is saved even if nothing else is.
    time_is_due: bool,
    /// How many saves of the cursor the batch contains, and how many earlier ones did.
    cursor_saves: u64,
    /// Decides which lines are not kept; and the omission that the store has not carried out yet.
    omission: Omission,
    omit: Option<TrimLog>,
    /// The save in progress, piece by piece.
    saving: Option<Saving>,
    /// The last save failed: the next attempt waits, and is not brought forward.
    failing: bool,
    /// The rate and the time left.
    estimator: RunEstimator,
    /// When viewers last received an event, and when the body last reported anything.
    last_event: Instant,
    last_report: Instant,
    stalled: bool,
}

/// How to wait for the body's next report.
enum Look {
    /// At this time, because the last read found lines.
    At(Instant),
    /// When a line arrives, or at this time: the last read found something else, or held something back.
    ForLines(Instant),
    /// At the next report, or at this time: a report may have arrived while the wake-up was being armed.
    WhenWoken(Option<Instant>),
}

/// What a read found.
#[derive(Clone, Copy)]
struct Seen {
    /// The number of lines.
    lines: u32,
    /// Progress, files or a cursor.
    others: bool,
}

/// The next step of the publisher.
pub(super) enum Next {
    /// Read the reports.
    Look,
    /// Save what is due.
    Save,
    /// The store has answered.
    Saved(Result<(), StoreError>),
}

impl Publisher {
    pub(super) fn new(
        progress: Progress,
        feed: Arc<Feed>,
        omission: Omission,
        run: &Run,
        settings: &Settings,
    ) -> Self {
        let now = Instant::now();
        Self {
            progress,
            feed,
            began: now,
            before: Duration::from_millis(run.elapsed_ms),
            look: Look::At(now),
            woken: false,
            progress_every: settings.progress_every,
            progress_at: now,
            stalled_after: settings.stalled_after,
            unsaved: Batch { elapsed_ms: run.elapsed_ms, ..Batch::default() },
            save_at: None,
            time_is_due: false,
            cursor_saves: 0,
            omission,
            omit: None,
            saving: None,
            failing: false,
            estimator: RunEstimator::new(&run.progress, run.elapsed_ms),
            last_event: now,
            last_report: now,
            stalled: false,
        }
    }

    /// When viewers last received an event.
    pub(super) fn last_event(&self) -> Instant {
        self.last_event
    }

    /// Sends viewers a heartbeat without changes.
    ///
    /// The time that a silent run has run for is stored as well, so that it does not go back if the program is killed.
    pub(super) fn ping(&mut self) {
        self.feed.ping();
        self.last_event = Instant::now();
        self.time_is_due = true;
        self.due_in(GATHER);
    }

    /// Waits for the next step.
    pub(super) async fn next(&mut self) -> Next {
        let look_at = match self.look {
            Look::At(at) | Look::ForLines(at) | Look::WhenWoken(Some(at)) => Some(at),
            Look::WhenWoken(None) => None,
        };
        let may_wake = !matches!(self.look, Look::At(_));
        let mut piece = self.saving.as_mut().and_then(|saving| saving.piece.as_mut());
        let may_save = piece.is_none();
        let saved = async {
            match &mut piece {
                Some(piece) => (&mut piece.answer).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            saved = saved => Next::Saved(saved),
            // The body waits for this save, so it is not delayed.
            () = self.progress.save_waits(), if may_save && !self.failing => Next::Save,
            () = at(self.save_at), if may_save => Next::Save,
            () = self.progress.changed(), if may_wake => {
                self.woken = true;
                Next::Look
            }
            () = at(look_at) => Next::Look,
        }
    }

    /// Publishes new reports, and decides how to wait for the next.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        let Seen { lines, others } = self.take(now);
        let woken = std::mem::take(&mut self.woken);
        let stalls_at = self.last_report.checked_add(self.stalled_after).filter(|_| !self.stalled);
        if stalls_at.is_some_and(|at| at <= now) {
            self.set_stalled(true);
        }
        // The earliest time to publish a change of the bar, if not now.
        let held_until = Some(self.progress_at).filter(|at| *at > now);
        let soon = (now + TICK).min(held_until.unwrap_or(now + self.progress_every));
        self.look = match self.look {
            _ if lines > 0 => Look::At(now + (A_LINE * lines).clamp(LINES, TICK)),
            // A report that changes nothing may be one of millions, and must not wake the publisher either.
            _ if others || woken || held_until.is_some() => {
                if self.progress.arm_for_lines() {
                    Look::ForLines(soon)
                } else {
                    Look::At(now)
                }
            }
            Look::At(_) | Look::ForLines(_) => {
                if self.progress.arm() {
                    Look::WhenWoken(Some(soon))
                } else {
                    Look::At(now)
                }
            }
            // A silent run is read once more when it becomes stalled.
            Look::WhenWoken(_) => Look::WhenWoken(stalls_at.filter(|at| *at > now)),
        };
    }

    fn set_stalled(&mut self, stalled: bool) {
        self.stalled = stalled;
        self.feed.publish(|run| run.stalled = stalled, Vec::new());
        self.unsaved.stalled = Some(stalled);
        self.due_in(GATHER);
    }

    fn due_in(&mut self, wait: Duration) {
        let due = Instant::now() + wait;
        self.save_at = Some(self.save_at.map_or(due, |at| at.min(due)));
    }

    /// Moves reports to the feed and to the next save.
    fn take(&mut self, now: Instant) -> Seen {
        let mut reading = self.progress.read();
        reading.state.omitted_lines = self.omission.gone();
        let elapsed_ms = u64::try_from((self.before + self.began.elapsed()).as_millis()).unwrap_or(u64::MAX);
        let due = now >= self.progress_at;
        let mut moved = false;
        let publish = |run: &mut Run| {
            run.elapsed_ms = elapsed_ms;
            reading.state.estimate = run.progress.estimate;
            moved = due && run.progress != reading.state;
            if moved {
                reading.state.estimate = self.estimator.observe(&reading.state, elapsed_ms);
                run.progress.clone_from(&reading.state);
            }
            // New viewers get the list of files; the ones already connected get it at the end.
            if let Some(files) = &reading.files {
                run.files.clone_from(files);
            }
            if let Some(failed_items) = &reading.failed_items {
                run.failed_items.clone_from(failed_items);
            }
        };
        let lines = u32::try_from(reading.lines.len()).unwrap_or(u32::MAX);
        self.feed.publish(publish, reading.lines);
        if moved {
            self.progress_at = now + self.progress_every;
        }
        self.unsaved.elapsed_ms = elapsed_ms;
        let rest = reading.files.is_some() || reading.failed_items.is_some() || reading.cursor.is_some();
        let seen = Seen { lines, others: moved || rest };
        if lines == 0 && !seen.others {
            return seen;
        }
        let seldom = lines == 0 && !rest;
        self.due_in(match () {
            () if seldom => STORE_PROGRESS,
            // Waiting longer would not make it fewer pieces.
            () if !self.failing && self.feed.unstored_size() >= PIECE => Duration::ZERO,
            () => GATHER,
        });
        self.unsaved.progress = Some(reading.state);
        if reading.cursor.is_some() {
            self.unsaved.cursor = reading.cursor;
            self.cursor_saves = reading.cursor_saves;
        }
        if reading.files.is_some() {
            self.unsaved.files = reading.files;
        }
        if reading.failed_items.is_some() {
            self.unsaved.failed_items = reading.failed_items;
        }
        (self.last_event, self.last_report) = (now, now);
        if self.stalled {
            self.set_stalled(false);
        }
        seen
    }
}

impl Drop for Publisher {
    /// Threads that the body left behind must not wait for a save.
    fn drop(&mut self) {
        self.progress.without_store();
    }
}

#[cfg(test)]
mod tests;
