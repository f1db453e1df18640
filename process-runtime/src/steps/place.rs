//! Owns the place that a loop keeps in a cursor: by the number of the items that are done, or by their keys.
//! Refuses to know how a cursor is stored, and what is shown of it.

use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, ready};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bar, WithProgress};
use crate::cursor::Cursor;
use crate::number::Count;

/// The cursor, and what it will be once the item at hand is done.
#[derive(Debug)]
pub(super) struct Place<K> {
    cursor: Cursor<K>,
    after: Option<K>,
    /// True while the store is waited for, in a task.
    waits: bool,
}

impl<K: Serialize + DeserializeOwned + Send + Sync + 'static> Place<K> {
    pub(super) fn new(cursor: &Cursor<K>) -> Self {
        Self { cursor: cursor.clone(), after: None, waits: false }
    }

    /// The item at hand is done. May block, and may leave the body.
    fn save(&mut self) {
        if let Some(after) = self.after.take() {
            self.cursor.save(after);
        }
    }

    /// Like [`save`](Self::save), in a task.
    pub(super) fn poll_save(&mut self, context: &Context<'_>) -> Poll<()> {
        if let Some(after) = self.after.take() {
            self.cursor.take(&after);
            self.waits = true;
        }
        if self.waits {
            ready!(self.cursor.poll_store(context));
            self.waits = false;
        }
        Poll::Ready(())
    }

    pub(super) fn hand_out(&mut self, after: K) {
        self.after = Some(after);
    }
}

/// The items that are not done, and the number of those that are: see [`ProgressIterator::resume_from`].
///
/// [`ProgressIterator::resume_from`]: super::ProgressIterator::resume_from
#[derive(Debug)]
#[must_use = "nothing is done until its items are asked for"]
pub struct ResumeFrom<I> {
    pub(super) inner: I,
    pub(super) place: Place<u64>,
    /// How many items are still to be left out.
    pub(super) left_out: u64,
    /// How many items are done, or at hand.
    pub(super) position: u64,
    total: u64,
}

impl<I> ResumeFrom<I> {
    pub(super) fn new(inner: I, cursor: &Cursor<u64>, total: u64) -> Self {
        let position = cursor.get().unwrap_or(0);
        Self { inner, place: Place::new(cursor), left_out: position, position, total }
    }

    /// Moves the bar of the current run with the items; it begins where the run goes on. Otherwise like
    /// [`progress`](super::ProgressIterator::progress) of any iterator.
    #[track_caller]
    pub fn progress(self) -> WithProgress<Self> {
        let bar = Bar::new("progress", self.position, self.total, Location::caller());
        WithProgress::new(self, bar)
    }

    /// Like [`progress`](Self::progress), for a total that is known from elsewhere: of all items, those
    /// before the cursor included.
    #[track_caller]
    pub fn progress_of(self, total: impl Count) -> WithProgress<Self> {
        let bar = Bar::new("progress_of", self.position, total.to_count(), Location::caller());
        WithProgress::new(self, bar)
    }

    /// What is left of a number of items once those that are done are left out.
    pub(super) fn rest(&self, hint: (usize, Option<usize>)) -> (usize, Option<usize>) {
        let left_out = usize::try_from(self.left_out).unwrap_or(usize::MAX);
        (hint.0.saturating_sub(left_out), hint.1.map(|most| most.saturating_sub(left_out)))
    }
}

impl<I: Iterator> Iterator for ResumeFrom<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.nth(0)
    }

    fn nth(&mut self, n: usize) -> Option<I::Item> {
        self.place.save();
        while self.left_out > 0 {
            // Not all at once where a number of items may be longer than a pointer.
            let step = usize::try_from(self.left_out).unwrap_or(usize::MAX);
            self.inner.nth(step - 1)?;
            self.left_out -= step as u64;
        }
        let item = self.inner.nth(n)?;
        self.position += n as u64 + 1;
        self.place.hand_out(self.position);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest(self.inner.size_hint())
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for ResumeFrom<I> {}

/// Items whose keys are saved: see [`ProgressIterator::checkpoint`].
///
/// [`ProgressIterator::checkpoint`]: super::ProgressIterator::checkpoint
#[must_use = "nothing is done until its items are asked for"]
pub struct Checkpoint<I, K, F> {
    pub(super) inner: I,
    pub(super) place: Place<K>,
    pub(super) key: F,
}

impl<I, K, F> Iterator for Checkpoint<I, K, F>
where
    I: Iterator,
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: FnMut(&I::Item) -> K,
{
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.nth(0)
    }

    fn nth(&mut self, n: usize) -> Option<I::Item> {
        self.place.save();
        let item = self.inner.nth(n)?;
        self.place.hand_out((self.key)(&item));
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<I: ExactSizeIterator, K, F> ExactSizeIterator for Checkpoint<I, K, F> where Self: Iterator {}

impl<I: fmt::Debug, K: fmt::Debug, F> fmt::Debug for Checkpoint<I, K, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, place, .. } = self;
        f.debug_struct("Checkpoint").field("inner", inner).field("place", place).finish_non_exhaustive()
    }
}
