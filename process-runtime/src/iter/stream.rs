//! Progress and resumption for streams: the items move the bar and keep the cursor, without blocking a thread.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::list::{ByKey, ByNumber, Identity};
use super::{Bar, Checkpoint, LoopCursor, ResumeFrom, WithProgress, ahead, exact};
use crate::cursor::Cursor;
use crate::number::Count;

/// Progress and resumption for every `Stream`: `rows.resume_from(&cursor).progress()`.
///
/// The methods work as those of [`ProgressIterator`](super::ProgressIterator) do: an item is done when the next one
/// is requested. Where an iterator blocks its thread until the store has answered, a stream awaits the answer.
///
/// The returned streams are `Unpin`: you can poll them without `pin!`.
///
/// # Several items at a time
///
/// `buffered(8)` requests eight items before the first of them is done, so the position of the adapter matters:
///
/// | chain | after a crash |
/// |---|---|
/// | `items.skip(done).map(send).buffered(8)`, then `checkpoint` | Correct: the run sends the items again that the cursor does not cover, at most the number that a [`Cursor`] may repeat plus eight |
/// | `items.map(send).buffered(8).resume_from(&cursor)` | **The run sends every item again**: the skipped items are requested, and so sent, first. The log gets a warning |
/// | `items.resume_from(&cursor).map(send).buffered(8)` | **Up to eight items are never sent**: an item counts as done when `buffered` requests the next one. The runtime cannot detect this |
/// | `buffer_unordered` before `checkpoint` | **The run skips items**: it saves the key of a later item before an earlier one is done. The log gets a warning |
///
/// So begin the source after the saved position, do the work in the middle, and save the position at the end, in
/// order:
///
/// ```
/// use futures_util::{StreamExt, stream};
/// use process_runtime::log;
/// use process_runtime::prelude::*;
/// use process_runtime::testing::TestRun;
///
/// async fn send(letter: u64) -> u64 {
///     log(format!("letter {letter}"));
///     letter
/// }
///
/// #[process(title = "Sending letters")]
/// async fn send_letters(cursor: Cursor<u64>) {
///     // Letters have rising numbers: those up to the cursor are sent.
///     let rest = stream::iter(1..=10).skip_while(|letter| {
///         std::future::ready(cursor.get().is_some_and(|sent| *letter <= sent))
///     });
///     let sent = rest.map(send).buffered(8).checkpoint(&cursor, |letter| *letter);
///     sent.for_each(|_| async {}).await;
/// }
///
/// # async fn test() -> Result<(), process_runtime::testing::TestError> {
/// let run = TestRun::of::<SendLetters>().cursor(8).execute().await?;
/// assert_eq!(run.log_texts(), ["letter 9", "letter 10"]);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
/// ```
pub trait ProgressStream: Stream + Sized {
    /// Moves the bar of the current run with the items: see
    /// [`ProgressIterator::progress`](super::ProgressIterator::progress).
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Fetching")]
    /// async fn fetch() {
    ///     let pages = futures_util::stream::iter(1..=2).then(|page| async move { format!("page {page}") });
    ///     let mut pages = pages.progress_of(2);
    ///     while let Some(page) = pages.next().await {
    ///         log(page);
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::of::<Fetch>().execute().await?;
    /// assert_eq!(run.log_texts(), ["page 1", "page 2"]);
    /// assert_eq!(run.percents, [Some(0.0), Some(50.0), Some(100.0)]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    #[track_caller]
    fn progress(self) -> WithProgress<Pin<Box<Self>>> {
        let total = exact(self.size_hint());
        WithProgress::new(Box::pin(self), Bar::new("progress", 0, total, Location::caller()))
    }

    /// Like [`progress`](Self::progress), with a total that you supply. A total of 0 means that the total is unknown.
    #[track_caller]
    fn progress_of(self, total: impl Count) -> WithProgress<Pin<Box<Self>>> {
        WithProgress::new(Box::pin(self), Bar::new("progress_of", 0, total.to_count(), Location::caller()))
    }

    /// Skips the items that are done, and saves the number of done items: see
    /// [`ProgressIterator::resume_from`](super::ProgressIterator::resume_from).
    fn resume_from(self, cursor: &Cursor<u64>) -> ResumeFrom<Pin<Box<Self>>> {
        ahead::warn_of_resume::<Self, u64>(cursor);
        let total = exact(self.size_hint());
        ResumeFrom::new(Box::pin(self), cursor, total, ByNumber)
    }

    /// Skips the items that are done, and saves the number of done items and a checksum of their keys: see
    /// [`ProgressIterator::resume_from_keyed`](super::ProgressIterator::resume_from_keyed).
    fn resume_from_keyed<K, F>(self, cursor: &Cursor<u64>, key: F) -> ResumeFrom<Pin<Box<Self>>, ByKey<F>>
    where
        K: Serialize,
        F: FnMut(&Self::Item) -> K,
    {
        ahead::warn_of_resume::<Self, u64>(cursor);
        let total = exact(self.size_hint());
        ResumeFrom::new(Box::pin(self), cursor, total, ByKey::new(key))
    }

    /// Saves the key of each item once the item is done: see
    /// [`ProgressIterator::checkpoint`](super::ProgressIterator::checkpoint).
    fn checkpoint<K, F>(self, cursor: &Cursor<K>, key: F) -> Checkpoint<Pin<Box<Self>>, K, F>
    where
        K: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: FnMut(&Self::Item) -> K,
    {
        ahead::warn_of_checkpoint::<Self, K>(cursor);
        Checkpoint { inner: Box::pin(self), place: LoopCursor::new(cursor), key }
    }
}

impl<S: Stream> ProgressStream for S {}

impl<S: Stream + Unpin> Stream for WithProgress<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.bar.ask();
        let item = ready!(Pin::new(&mut self.inner).poll_next(context));
        self.bar.came(item.as_ref(), 0);
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

// The key function is never pinned.
impl<S: Unpin, D> Unpin for ResumeFrom<S, D> {}

impl<S: Stream + Unpin, D: Identity<S::Item>> Stream for ResumeFrom<S, D> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        ready!(self.place.poll_save(context));
        loop {
            self.compare::<S::Item>();
            let item = ready!(Pin::new(&mut self.inner).poll_next(context));
            match &item {
                Some(item) if self.left_out > 0 => {
                    self.leave_out(item);
                    continue;
                }
                Some(item) => self.hand_out(item, 0),
                None if self.left_out > 0 => self.ended_early(),
                None => {}
            }
            return Poll::Ready(item);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rest(self.inner.size_hint())
    }
}

// Neither the key nor the closure is ever pinned.
impl<S: Unpin, K, F> Unpin for Checkpoint<S, K, F> {}

impl<S, K, F> Stream for Checkpoint<S, K, F>
where
    S: Stream + Unpin,
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: FnMut(&S::Item) -> K,
{
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        ready!(self.place.poll_save(context));
        let item = ready!(Pin::new(&mut self.inner).poll_next(context));
        if let Some(item) = &item {
            let key = (self.key)(item);
            self.place.hand_out(key, None);
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
