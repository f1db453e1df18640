//! The cursor in the handle: the saved position, the counts at that position, the saves that the store has not
//! acknowledged, and the points where the body stops on request.

use std::task::{Context, Poll, Waker};

use parking_lot::MutexGuard;
use serde_json::Value;

use super::facts::Mark;
use super::{Progress, Report, Slow, Stop};
use crate::run::{SavedCursor, SavedList};

/// How many saves may wait for the store, unless the process sets another number.
pub(crate) const REPEAT_AT_MOST: u32 = 100;

/// Sits under the lock of a run's handle.
pub(super) struct Saves {
    /// The saved cursor, without the facts; those are added when it is read.
    at: Option<SavedCursor>,
    /// The facts at the time of the save.
    mark: Mark,
    /// How many saves were made, how many the reader has seen, and how many the store has acknowledged.
    made: u64,
    read: u64,
    stored: u64,
    repeat_at_most: u32,
    /// True if there is a store to wait for.
    bounded: bool,
    /// True if the body is to stop at its next save.
    yielding: bool,
    /// Tasks that wait for the store.
    waiting: Vec<Waker>,
}

impl Default for Saves {
    fn default() -> Self {
        Self {
            at: None,
            mark: Mark::default(),
            made: 0,
            read: 0,
            stored: 0,
            repeat_at_most: REPEAT_AT_MOST,
            bounded: false,
            yielding: false,
            waiting: Vec::new(),
        }
    }
}

impl Slow {
    /// True if a store writes the reports.
    pub(super) fn has_store(&self) -> bool {
        self.saves.bounded
    }

    /// True if the body is to stop at its next save.
    pub(super) fn is_yielding(&self) -> bool {
        self.saves.yielding
    }

    /// The cursor, if the reader has not seen it yet, and the number of saves up to it.
    pub(super) fn read_cursor(&mut self) -> (Option<SavedCursor>, u64) {
        let new = self.saves.read < self.saves.made;
        self.saves.read = self.saves.made;
        (new.then(|| self.saved()).flatten(), self.saves.made)
    }

    /// The last saved cursor, with the facts at that time.
    pub(super) fn saved(&self) -> Option<SavedCursor> {
        let cursor = self.saves.at.clone()?;
        Some(SavedCursor { facts: Some(self.facts.at(&self.saves.mark)), ..cursor })
    }

    /// True if a save must wait: as many saves as may be repeated are on their way to the store.
    fn is_behind(&self) -> bool {
        let Saves { made, stored, repeat_at_most, bounded, yielding, .. } = self.saves;
        bounded && made - stored >= repeat_at_most.into() && !yielding && self.stop.is_none()
    }
}

impl Progress {
    /// The same handle with a store: its saves wait for [`cursor_stored`](Self::cursor_stored), and its lines for
    /// [`lines_stored`](Self::lines_stored).
    pub(crate) fn with_store(self) -> Self {
        self.slow().saves.bounded = true;
        self
    }

    /// Detaches the store: nothing is written from here on, and everything that waits for the store continues.
    pub(crate) fn without_store(&self) {
        let mut slow = self.slow();
        slow.saves.bounded = false;
        self.wake_saves(slow);
    }

    /// Sets the position that an earlier attempt of the run reached.
    pub(crate) fn resume_at(&self, cursor: SavedCursor) {
        self.slow().saves.at = Some(cursor);
    }

    /// The position of the run: the last save, or the position from which it resumes.
    pub(crate) fn cursor(&self) -> Option<Value> {
        self.slow().saves.at.as_ref().map(|at| at.value.clone())
    }

    /// The list that the position refers to, if a loop saved it.
    pub(crate) fn cursor_list(&self) -> Option<SavedList> {
        self.slow().saves.at.as_ref().and_then(|at| at.list)
    }

    /// Allows this many unacknowledged saves. The minimum is one: the save that waits.
    pub(crate) fn repeat_at_most(&self, saves: u32) {
        let mut slow = self.slow();
        slow.saves.repeat_at_most = saves.max(1);
        self.wake_saves(slow);
    }

    /// Records the cursor. The caller must then wait for the store with one of the two methods below.
    pub(crate) fn save_cursor(&self, cursor: SavedCursor) {
        let mut slow = self.slow();
        let numbers = self.numbers();
        let Slow { facts, saves, .. } = &mut *slow;
        facts.mark(&mut saves.mark, numbers);
        saves.at = Some(cursor);
        saves.made += 1;
        if let Some(saved) = slow.recorder.is_some().then(|| slow.saved()).flatten() {
            slow.record(Report::Cursor(&saved));
        }
        drop(slow);
        self.touched();
    }

    /// Blocks while too many saves are on their way to the store, and leaves the body if it is to stop here.
    pub(crate) fn wait_for_store(&self) {
        let mut slow = self.slow();
        if slow.is_behind() {
            self.0.save_waits.notify_one();
            self.0.room.wait_while(&mut slow, |slow| slow.is_behind());
        }
        self.pass_save_point(slow);
    }

    /// Like [`wait_for_store`](Self::wait_for_store), in a task.
    pub(crate) fn poll_store(&self, context: &Context<'_>) -> Poll<()> {
        let mut slow = self.slow();
        if slow.is_behind() {
            self.0.save_waits.notify_one();
            let waiting = &mut slow.saves.waiting;
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            return Poll::Pending;
        }
        self.pass_save_point(slow);
        Poll::Ready(())
    }

    /// A save covers all work so far, so a body that was asked to stop leaves here.
    fn pass_save_point(&self, slow: MutexGuard<'_, Slow>) {
        let yielding = slow.saves.yielding;
        drop(slow);
        // A body that panics did not stop on request, even if one of its destructors saves.
        if yielding && !std::thread::panicking() {
            self.stop(Stop::Yielded);
        }
        self.leave_if_stopped();
    }

    /// The store has acknowledged everything up to this number of saves, as [`read`](Self::read) returned it.
    pub(crate) fn cursor_stored(&self, saves: u64) {
        let mut slow = self.slow();
        let Saves { made, stored, .. } = slow.saves;
        slow.saves.stored = stored.max(saves.min(made));
        self.wake_saves(slow);
    }

    /// True once the store has acknowledged a save of this attempt.
    pub(crate) fn has_stored_cursor(&self) -> bool {
        self.slow().saves.stored > 0
    }

    /// Sets or withdraws the request to stop at the next save.
    pub(crate) fn yield_asked(&self, asked: bool) {
        let mut slow = self.slow();
        slow.saves.yielding = asked;
        self.wake_saves(slow);
    }

    /// Waits until a save waits for the store. Before that, the writer may collect more.
    pub(crate) async fn save_waits(&self) {
        self.0.save_waits.notified().await;
    }

    /// Wakes everything that waits for the store.
    pub(super) fn wake_saves(&self, mut slow: MutexGuard<'_, Slow>) {
        let waiting = std::mem::take(&mut slow.saves.waiting);
        drop(slow);
        self.0.room.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests;
