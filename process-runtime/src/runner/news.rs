//! Owns the way of a body's news: read from its handle, published to viewers at a measured pace, stored in groups.
//! Refuses to know what is asked of the body and how it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Settings;
use super::omission::Omission;
use super::pump::{TRY_AGAIN, at};
use crate::feed::Feed;
use crate::process::BoxFuture;
use crate::progress::Progress;
use crate::run::{Level, Run};
use crate::store::{Batch, Lease, Store, StoreError};
use crate::text::OneLine;

/// How often a body that keeps reporting is looked at, unless it writes lines. Progress is published no more
/// often, or less, as the settings say.
const TICK: Duration = Duration::from_millis(50);
/// The shortest time between two looks for lines.
const LINES: Duration = Duration::from_millis(5);
/// How much longer each line makes it: as many as may wait in the handle are taken 20 times a second.
const A_LINE: Duration = Duration::from_micros(6);
/// How long a log line or a cursor may wait for others to be stored with.
const GATHER: Duration = Duration::from_millis(200);
/// How often progress alone is stored. The store needs it only after a crash.
const STORE_PROGRESS: Duration = Duration::from_secs(1);
/// How many lines may wait while the store cannot write, before the oldest plain ones are given up.
const MAX_UNSAVED: usize = 20_000;
/// How much text they may have, in bytes.
const MAX_UNSAVED_BYTES: usize = 32 << 20;

/// The news of one execution.
pub(super) struct News {
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
    /// News the store has not been given yet, and when they are due.
    unsaved: Batch,
    save_at: Option<Instant>,
    /// Which lines need not be kept, as the log grows.
    omission: Omission,
    /// How many saves of the cursor are in them, and were before.
    cursor_saves: u64,
    /// News on their way to the store, kept until it has answered.
    saving: Option<Saving>,
    /// The store could not write the last time: it is asked again after a while, and no sooner.
    failing: bool,
    /// When viewers last heard of the run, and when its body last said anything.
    heard: Instant,
    said: Instant,
    stalled: bool,
}

struct Saving {
    batch: Batch,
    cursor_saves: u64,
    answer: BoxFuture<'static, Result<(), StoreError>>,
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

impl News {
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
            omission,
            cursor_saves: 0,
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
        let may_save = self.saving.is_none();
        let saved = async {
            match &mut self.saving {
                Some(saving) => (&mut saving.answer).await,
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
            _ if lines > 0 => Look::At(now + LINES.max(A_LINE * lines)),
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
        self.feed.publish(|run| run.stalled = stalled, &[]);
        self.unsaved.stalled = Some(stalled);
        self.due_in(GATHER);
    }

    fn due_in(&mut self, wait: Duration) {
        let due = Instant::now() + wait;
        self.save_at = Some(self.save_at.map_or(due, |at| at.min(due)));
    }

    /// Moves what was reported to the feed and to what is to be stored.
    fn take(&mut self, now: Instant) -> Seen {
        let reading = self.progress.read();
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
        self.feed.publish(publish, &reading.lines);
        if moved {
            self.progress_at = now + self.progress_every;
        }
        self.unsaved.elapsed_ms = elapsed_ms;
        let lines = u32::try_from(reading.lines.len()).unwrap_or(u32::MAX);
        let rest = reading.files.is_some() || reading.failed_items.is_some() || reading.cursor.is_some();
        let seen = Seen { lines, others: moved || rest };
        if lines == 0 && !seen.others {
            return seen;
        }
        let seldom = lines == 0 && !rest;
        self.due_in(if seldom { STORE_PROGRESS } else { GATHER });
        self.unsaved.lines.extend(reading.lines);
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

    /// Gives the store what has gathered.
    pub(super) fn save(&mut self, store: &Arc<dyn Store>, lease: Lease) {
        self.take(Instant::now());
        self.omission.look(&mut self.unsaved);
        let elapsed_ms = self.unsaved.elapsed_ms;
        let batch = std::mem::take(&mut self.unsaved);
        self.unsaved.elapsed_ms = elapsed_ms;
        self.save_at = None;
        let (store, copy) = (Arc::clone(store), batch.clone());
        let answer = Box::pin(async move { store.append(lease, copy).await });
        self.saving = Some(Saving { batch, cursor_saves: self.cursor_saves, answer });
    }

    /// The store has answered.
    pub(super) fn saved(&mut self, result: Result<(), StoreError>) {
        let Some(Saving { batch, cursor_saves, .. }) = self.saving.take() else { return };
        self.failing = result.is_err();
        let Err(error) = result else { return self.progress.cursor_stored(cursor_saves) };
        tracing::error!(run = %self.progress.run_id(), "news could not be stored, and are kept: {}", OneLine(&error));
        let newer = std::mem::replace(&mut self.unsaved, batch);
        let kept = &mut self.unsaved;
        kept.lines.extend(newer.lines);
        kept.progress = newer.progress.or(kept.progress.take());
        kept.files = newer.files.or(kept.files.take());
        kept.failed_items = newer.failed_items.or(kept.failed_items.take());
        kept.cursor = newer.cursor.or(kept.cursor.take());
        kept.stalled = newer.stalled.or(kept.stalled);
        kept.elapsed_ms = newer.elapsed_ms;
        let mut lines = kept.lines.len();
        let mut bytes: usize = kept.lines.iter().map(|line| line.text.len()).sum();
        kept.lines.retain(|line| {
            let fit = lines <= MAX_UNSAVED && bytes <= MAX_UNSAVED_BYTES;
            let keep = fit || line.level >= Level::Warn;
            if !keep {
                (lines, bytes) = (lines - 1, bytes - line.text.len());
            }
            keep
        });
        self.save_at = Some(Instant::now() + TRY_AGAIN);
    }

    /// Waits for what is on its way, and gives what was reported last.
    pub(super) async fn last(mut self) -> Batch {
        let now = Instant::now();
        // Nothing follows it that it could be held back for.
        self.progress_at = now;
        self.take(now);
        if let Some(saving) = &mut self.saving {
            let result = (&mut saving.answer).await;
            self.saved(result);
        }
        self.omission.look(&mut self.unsaved);
        self.unsaved
    }
}

#[cfg(test)]
mod tests;
