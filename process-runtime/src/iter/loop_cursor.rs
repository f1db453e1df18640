//! The position that a loop saves in a cursor: the number of done items, or the key of the last one.

use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, ready};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::list::{self, ByNumber, Identity, Same};
use super::{Bar, WithProgress};
use crate::cursor::Cursor;
use crate::number::Count;
use crate::run::SavedList;

/// The cursor, and its next value once the current item is done.
#[derive(Debug)]
pub(super) struct LoopCursor<K> {
    cursor: Cursor<K>,
    after: Option<(K, Option<SavedList>)>,
    /// True while a task waits for the store.
    waits: bool,
}

impl<K: Serialize + DeserializeOwned + Send + Sync + 'static> LoopCursor<K> {
    pub(super) fn new(cursor: &Cursor<K>) -> Self {
        Self { cursor: cursor.clone(), after: None, waits: false }
    }

    /// Saves that the current item is done. May block, and may leave the body.
    fn save(&mut self) {
        if let Some((after, list)) = self.after.take() {
            self.cursor.save_in(&after, list);
        }
    }

    /// Like [`save`](Self::save), in a task.
    pub(super) fn poll_save(&mut self, context: &Context<'_>) -> Poll<()> {
        if let Some((after, list)) = self.after.take() {
            self.cursor.take(&after, list);
            self.waits = true;
        }
        if self.waits {
            ready!(self.cursor.poll_store(context));
            self.waits = false;
        }
        Poll::Ready(())
    }

    pub(super) fn hand_out(&mut self, after: K, list: Option<SavedList>) {
        self.after = Some((after, list));
    }
}

/// The remaining items, whose adapter saves the number of done items: see [`ProgressIterator::resume_from`].
///
/// [`ProgressIterator::resume_from`]: super::ProgressIterator::resume_from
#[derive(Debug)]
#[must_use = "iterators and streams are lazy: nothing happens until items are requested"]
pub struct ResumeFrom<I, D = ByNumber> {
    pub(super) inner: I,
    pub(super) place: LoopCursor<u64>,
    /// How many items earlier attempts did, and how many of them are still to be skipped.
    done: u64,
    pub(super) left_out: u64,
    /// How many items are done or handed out.
    position: u64,
    /// 0 if the total is unknown.
    total: u64,
    identity: D,
    /// What the cursor stored of the list.
    before: Option<SavedList>,
    /// True once the current list was compared with it.
    compared: bool,
}

impl<I, D> ResumeFrom<I, D> {
    pub(super) fn new(inner: I, cursor: &Cursor<u64>, total: u64, identity: D) -> Self {
        let (done, place) = (cursor.get().unwrap_or(0), LoopCursor::new(cursor));
        let before = cursor.list();
        // If no item is done, any list is acceptable.
        let compared = done == 0;
        Self { inner, place, done, left_out: done, position: done, total, identity, before, compared }
    }

    /// Moves the bar of the current run with the items, beginning at the position from which the run resumes.
    /// Otherwise it works like [`progress`](super::ProgressIterator::progress) of any iterator.
    #[track_caller]
    pub fn progress(self) -> WithProgress<Self> {
        let bar = Bar::new("progress", self.position, self.total, Location::caller());
        WithProgress::new(self, bar)
    }

    /// Like [`progress`](Self::progress), with a total that you supply: the number of all items, including those that
    /// are already done.
    #[track_caller]
    pub fn progress_of(self, total: impl Count) -> WithProgress<Self> {
        let bar = Bar::new("progress_of", self.position, total.to_count(), Location::caller());
        WithProgress::new(self, bar)
    }

    /// What remains of a size hint after the done items are skipped.
    pub(super) fn rest(&self, hint: (usize, Option<usize>)) -> (usize, Option<usize>) {
        let left_out = usize::try_from(self.left_out).unwrap_or(usize::MAX);
        (hint.0.saturating_sub(left_out), hint.1.map(|most| most.saturating_sub(left_out)))
    }

    /// Records an item that is handed out, after `passed` skipped ones.
    pub(super) fn hand_out<T>(&mut self, item: &T, passed: u64)
    where
        D: Identity<T>,
    {
        self.identity.add(item);
        self.position += passed + 1;
        let list = self.list::<T>();
        self.place.hand_out(self.position, Some(list));
    }

    /// Skips an item that is done.
    pub(super) fn leave_out<T>(&mut self, item: &T)
    where
        D: Identity<T>,
    {
        self.identity.add(item);
        self.left_out -= 1;
    }

    fn list<T>(&self) -> SavedList
    where
        D: Identity<T>,
    {
        SavedList { total: (self.total > 0).then_some(self.total), digest: self.identity.digest() }
    }

    /// Compares the current list with the stored one, once, as early as possible: without keys at the beginning, with
    /// keys after the done items. May leave the body.
    #[inline]
    pub(super) fn compare<T>(&mut self)
    where
        D: Identity<T>,
    {
        if !self.compared && (self.left_out == 0 || !D::KNOWS) {
            self.compared = true;
            self.judge(list::same(self.done, self.before, self.list::<T>()));
        }
    }

    /// The list has fewer items than are done. May leave the body.
    #[cold]
    pub(super) fn ended_early(&mut self) {
        self.left_out = 0;
        self.compared = true;
        let now = (self.total > 0).then_some(self.total);
        self.judge(list::ended_early(self.done, self.before, now));
    }

    #[cold]
    fn judge(&self, same: Same) {
        match same {
            Same::Yes => {}
            Same::Unclear(why) => self.place.cursor.handle().warn(why),
            Same::No(why) => self.place.cursor.refuse(why),
        }
    }
}

impl<I: Iterator, D: Identity<I::Item>> ResumeFrom<I, D> {
    /// Takes all done items from the iterator. Returns false if there are fewer.
    fn leave_out_all(&mut self) -> bool {
        self.compare::<I::Item>();
        while self.left_out > 0 {
            if D::KNOWS {
                let Some(item) = self.inner.next() else { break };
                self.leave_out(&item);
            } else {
                // In several calls where a count of items may exceed `usize`.
                let step = usize::try_from(self.left_out).unwrap_or(usize::MAX);
                if self.inner.nth(step - 1).is_none() {
                    break;
                }
                self.left_out -= step as u64;
            }
        }
        let all = self.left_out == 0;
        if all {
            self.compare::<I::Item>();
        } else {
            self.ended_early();
        }
        all
    }
}

impl<I: Iterator, D: Identity<I::Item>> Iterator for ResumeFrom<I, D> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.nth(0)
    }

    fn nth(&mut self, n: usize) -> Option<I::Item> {
        self.place.save();
        if !self.leave_out_all() {
            return None;
        }
        if D::KNOWS {
            for _ in 0..n {
                let passed_over = self.inner.next()?;
                self.identity.add(&passed_over);
            }
        }
        let item = self.inner.nth(if D::KNOWS { 0 } else { n })?;
        self.hand_out(&item, n as u64);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest(self.inner.size_hint())
    }
}

impl<I: ExactSizeIterator, D: Identity<I::Item>> ExactSizeIterator for ResumeFrom<I, D> {}

/// Items whose keys are saved in the cursor: see [`ProgressIterator::checkpoint`].
///
/// [`ProgressIterator::checkpoint`]: super::ProgressIterator::checkpoint
#[must_use = "iterators and streams are lazy: nothing happens until items are requested"]
pub struct Checkpoint<I, K, F> {
    pub(super) inner: I,
    pub(super) place: LoopCursor<K>,
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
        self.place.hand_out((self.key)(&item), None);
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
