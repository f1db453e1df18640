//! Publishes what a body reports: reads it from the run's handle, conflates progress to a measured pace, and stores
//! it piece by piece. Log lines wait for the store in the feed, and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::omission::Omission;
use super::timing::at;
use crate::feed::Feed;
use crate::progress::Progress;
use crate::run::Run;
use crate::store::{Batch, StoreError, TrimLog};

mod saving;

use saving::{PIECE, Saving};

/// How often a body that keeps reporting is looked at, unless it writes lines. Progress is published no more
/// often, or less, as the settings say.
const TICK: Duration = Duration::from_millis(50);
/// The shortest time between two looks for lines.
const LINES: Duration = Duration::from_millis(5);
/// How much longer each line makes it, up to a tick: many are taken at once.
const A_LINE: Duration = Duration::from_micros(6);
/// How long a log line or a cursor may wait for others to be stored with.
const GATHER: Duration = Duration::from_millis(200);
/// How often progress alone is stored. The store needs it only after a crash.
const STORE_PROGRESS: Duration = Duration::from_secs(1);

/// The news of one execution.
pub(super) struct Publisher {
    progress: Progress,
    feed: Arc<Feed>,
    /// When this execution began, and how long earlier ones had taken.
    began: Instant,
    before: Duration,
    look: Look,
    /// The next look is one that a report asked for.
    woken: bool,
    /// The shortest time between two progress events, and when there may be another.
    progress_every: Duration,
    progress_at: Instant,
    /// A run that says nothing for so long is shown as stalled.
    stalled_after: Duration,
    /// Publisher the store has not been given yet, but for lines, and when all of it is due.
    unsaved: Batch,
    save_at: Option<Instant>,
    /// How many saves of the cursor are in them, and were before.
    cursor_saves: u64,
    /// Which lines need not be kept, as the log grows; and those that the store has not omitted yet.
    omission: Omission,
    omit: Option<TrimLog>,
    /// What is on its way to the store, piece by piece.
    saving: Option<Saving>,
    /// The store could not write the last time: it is asked again after a while, and no sooner.
    failing: bool,
    /// When viewers last heard of the run, and when its body last said anything.
    heard: Instant,
    said: Instant,
    stalled: bool,
}

/// How the body's next report is waited for.
enum Look {
    /// At this moment, because the last look saw lines.
    At(Instant),
    /// When woken by a line, or at this moment: the last look saw something else, or held something back.
    ForLines(Instant),
    /// When woken, or once more at this moment: a report may have raced with the arming.
    WhenWoken(Option<Instant>),
}

/// What was seen in a look.
#[derive(Clone, Copy)]
struct Seen {
    /// How many lines.
    lines: u32,
    /// Progress, files or a cursor.
    others: bool,
}

/// What is to be done next.
pub(super) enum Next {
    /// Look at what was reported.
    Look,
    /// Give the store what is due.
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
            cursor_saves: 0,
            omission,
            omit: None,
            saving: None,
            failing: false,
            heard: now,
            said: now,
            stalled: false,
        }
    }

    /// When viewers last heard of the run.
    pub(super) fn heard(&self) -> Instant {
        self.heard
    }

    /// Tells viewers that the run is alive, though nothing is new.
    pub(super) fn ping(&mut self) {
        self.feed.ping();
        self.heard = Instant::now();
    }

    /// Waits until something is to be done.
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
            // The body waits for the store: what it waits with goes at once.
            () = self.progress.save_waits(), if may_save && !self.failing => Next::Save,
            () = at(self.save_at), if may_save => Next::Save,
            () = self.progress.changed(), if may_wake => {
                self.woken = true;
                Next::Look
            }
            () = at(look_at) => Next::Look,
        }
    }

    /// Publishes what was reported, and settles how more is waited for.
    pub(super) fn look(&mut self) {
        let now = Instant::now();
        let Seen { lines, others } = self.take(now);
        let woken = std::mem::take(&mut self.woken);
        let stalls_at = self.said.checked_add(self.stalled_after).filter(|_| !self.stalled);
        if stalls_at.is_some_and(|at| at <= now) {
            self.set_stalled(true);
        }
        // When a change of the bar may be published at the earliest, if not now.
        let held_until = Some(self.progress_at).filter(|at| *at > now);
        let soon = (now + TICK).min(held_until.unwrap_or(now + self.progress_every));
        self.look = match self.look {
            _ if lines > 0 => Look::At(now + (A_LINE * lines).clamp(LINES, TICK)),
            // A report that changes nothing may be one of millions: those are not to wake it either.
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
            // A run that says nothing is looked at once more when it counts as stalled.
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

    /// Moves what was reported to the feed and to what is to be stored.
    fn take(&mut self, now: Instant) -> Seen {
        let mut reading = self.progress.read();
        reading.state.omitted_lines = self.omission.gone();
        let elapsed_ms = u64::try_from((self.before + self.began.elapsed()).as_millis()).unwrap_or(u64::MAX);
        let due = now >= self.progress_at;
        let mut moved = false;
        let publish = |run: &mut Run| {
            run.elapsed_ms = elapsed_ms;
            moved = due && run.progress != reading.state;
            if moved {
                run.progress.clone_from(&reading.state);
            }
            // Those who come to see the run are told; for those who are there, the end does.
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
            // It will not be fewer pieces for waiting.
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
        (self.heard, self.said) = (now, now);
        if self.stalled {
            self.set_stalled(false);
        }
        seen
    }
}

impl Drop for Publisher {
    /// What the body has left behind, in threads, waits for nobody.
    fn drop(&mut self) {
        self.progress.without_store();
    }
}

#[cfg(test)]
mod tests;
