//! Owns the same words for streams: their items move the bar and keep the place, and nothing blocks.
//! Refuses to know how a report is shown and how a cursor is stored.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bar, Checkpoint, Place, ResumeFrom, WithProgress, exact};
use crate::cursor::Cursor;
use crate::number::Count;

/// Bars and places for every `Stream`: `rows.resume_from(&cursor).progress()`.
///
/// They mean what they mean for an iterator, in [`ProgressIterator`](super::ProgressIterator): an item is done
/// when the next one is asked for. Waiting for the store is an await here, and blocks no thread. What works on
/// several items at a time, such as `buffered`, belongs in front of them.
///
/// What comes out can be polled where it is: no `pin!` is needed.
pub trait ProgressStream: Stream + Sized {
    /// Moves the bar of the current run with the items:
    /// see [`ProgressIterator::progress`](super::ProgressIterator::progress).
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

    /// Like [`progress`](Self::progress), for a total that is known from elsewhere. A total of 0 means that
    /// nobody knows it.
    #[track_caller]
    fn progress_of(self, total: impl Count) -> WithProgress<Pin<Box<Self>>> {
        WithProgress::new(Box::pin(self), Bar::new("progress_of", 0, total.to_count(), Location::caller()))
    }

    /// Leaves out the items that are done, and saves how many are:
    /// see [`ProgressIterator::resume_from`](super::ProgressIterator::resume_from).
    fn resume_from(self, cursor: &Cursor<u64>) -> ResumeFrom<Pin<Box<Self>>> {
        let total = exact(self.size_hint());
        ResumeFrom::new(Box::pin(self), cursor, total)
    }

    /// Saves the key of each item once it is done:
    /// see [`ProgressIterator::checkpoint`](super::ProgressIterator::checkpoint).
    fn checkpoint<K, F>(self, cursor: &Cursor<K>, key: F) -> Checkpoint<Pin<Box<Self>>, K, F>
    where
        K: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: FnMut(&Self::Item) -> K,
    {
        Checkpoint { inner: Box::pin(self), place: Place::new(cursor), key }
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

impl<S: Stream + Unpin> Stream for ResumeFrom<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        ready!(self.place.poll_save(context));
        loop {
            let Some(item) = ready!(Pin::new(&mut self.inner).poll_next(context)) else {
                return Poll::Ready(None);
            };
            if self.left_out > 0 {
                self.left_out -= 1;
                continue;
            }
            self.position += 1;
            let position = self.position;
            self.place.hand_out(position);
            return Poll::Ready(Some(item));
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
            self.place.hand_out(key);
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
