//! The cursor in the handle: where the run is, what it had counted there, how many saves the store has not heard of,
//! and the places where the body stops because it was asked to.

use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use serde_json::Value;

use super::facts::Mark;
use super::{Progress, Report, Slow, Stop};
use crate::run::{SavedCursor, SavedList};

/// How many saves may wait for the store, unless the process says otherwise.
pub(crate) const REPEAT_AT_MOST: u32 = 100;

/// Sits under the lock of a run's handle.
pub(super) struct Saves {
    /// Without the facts, until somebody reads them.
    at: Option<SavedCursor>,
    /// The facts when it was saved here.
    mark: Mark,
    /// How many saves were made, how many the reader has seen, and how many the store has acknowledged.
    made: u64,
    read: u64,
    stored: u64,
    repeat_at_most: u32,
    /// True when there is a store to wait for.
    bounded: bool,
    /// True when the body is to stop at its next save.
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
    /// True when somebody stores what is reported.
    pub(super) fn has_store(&self) -> bool {
        self.saves.bounded
    }

    /// True when the body is to stop at its next save.
    pub(super) fn is_yielding(&self) -> bool {
        self.saves.yielding
    }

    /// The cursor if it is new to the reader, and how many saves that makes.
    pub(super) fn read_cursor(&mut self) -> (Option<SavedCursor>, u64) {
        let new = self.saves.read < self.saves.made;
        self.saves.read = self.saves.made;
        (new.then(|| self.saved()).flatten(), self.saves.made)
    }

    /// The cursor as it was saved here last, with the facts of that moment.
    pub(super) fn saved(&self) -> Option<SavedCursor> {
        let cursor = self.saves.at.clone()?;
        Some(SavedCursor { facts: Some(self.facts.at(&self.saves.mark)), ..cursor })
    }

    /// True when a save has to wait: as many as may be repeated are on their way to the store.
    fn is_behind(&self) -> bool {
        let Saves { made, stored, repeat_at_most, bounded, yielding, .. } = self.saves;
        bounded && made - stored >= repeat_at_most.into() && !yielding && self.stop.is_none()
    }
}

impl Progress {
    /// The same handle, whose saves wait for [`cursor_stored`](Self::cursor_stored), and whose lines for
    /// [`lines_stored`](Self::lines_stored). Without, there is no store, and nothing to wait for.
    pub(crate) fn with_store(self) -> Self {
        self.slow().saves.bounded = true;
        self
    }

    /// Nothing is stored from here on: whoever still waits for that goes on.
    pub(crate) fn without_store(&self) {
        let mut slow = self.slow();
        slow.saves.bounded = false;
        self.wake_saves(slow);
    }

    /// Says where an earlier attempt of the run came to.
    pub(crate) fn resume_at(&self, cursor: SavedCursor) {
        self.slow().saves.at = Some(cursor);
    }

    /// Where the run is: as it was saved last, or where it goes on.
    pub(crate) fn cursor(&self) -> Option<Value> {
        self.slow().saves.at.as_ref().map(|at| at.value.clone())
    }

    /// Of what list that is, where a loop has said so.
    pub(crate) fn cursor_list(&self) -> Option<SavedList> {
        self.slow().saves.at.as_ref().and_then(|at| at.list)
    }

    /// Lets so many saves be on their way to the store. At least one is: the one that waits.
    pub(crate) fn repeat_at_most(&self, saves: u32) {
        let mut slow = self.slow();
        slow.saves.repeat_at_most = saves.max(1);
        self.wake_saves(slow);
    }

    /// Takes the cursor over. The caller waits for the store next, with one of the two below.
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

    /// Blocks while too many saves are on their way, and leaves the body if it is to stop here.
    pub(crate) fn wait_for_store(&self) {
        let mut slow = self.slow();
        if slow.is_behind() {
            self.0.save_waits.notify_one();
            slow =
                self.0.room.wait_while(slow, |slow| slow.is_behind()).unwrap_or_else(PoisonError::into_inner);
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

    /// What is saved is the whole work so far: a body that was asked to stop leaves here.
    fn pass_save_point(&self, slow: MutexGuard<'_, Slow>) {
        let yielding = slow.saves.yielding;
        drop(slow);
        // A body that panics does not stop because it was asked to, even if a destructor of it saves.
        if yielding && !std::thread::panicking() {
            self.stop(Stop::Yielded);
        }
        self.leave_if_stopped();
    }

    /// The store has acknowledged what it was given when so many saves had been made, by [`read`](Self::read).
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

    /// Asks the body to stop at its next save, or does not any more.
    pub(crate) fn yield_asked(&self, asked: bool) {
        let mut slow = self.slow();
        slow.saves.yielding = asked;
        self.wake_saves(slow);
    }

    /// Waits until a save waits for the store: until then, storing can wait for more.
    pub(crate) async fn save_waits(&self) {
        self.0.save_waits.notified().await;
    }

    /// Has whoever waits for the store look again.
    pub(super) fn wake_saves(&self, mut slow: MutexGuard<'_, Slow>) {
        let waiting = std::mem::take(&mut slow.saves.waiting);
        drop(slow);
        self.0.room.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests;
