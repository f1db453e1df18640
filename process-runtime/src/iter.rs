//! Progress and resumption for loops: the items move the bar and keep the cursor.

use std::panic::Location;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cursor::Cursor;
use crate::number::Count;

mod ahead;
mod bar;
mod list;
mod loop_cursor;
mod stream;

use bar::Bar;
pub use bar::WithProgress;
use list::{ByKey, ByNumber};
use loop_cursor::LoopCursor;
pub use loop_cursor::{Checkpoint, ResumeFrom};
pub use stream::ProgressStream;

/// Progress and resumption for every iterator: `rows.resume_from(&cursor).progress()`.
///
/// All of these adapters count an item as done when the loop asks for the next one, and the last item when the
/// iterator ends. A loop that you leave early, by `break`, `?` or a panic, has not done its current item. Put these
/// adapters at the end of a chain: an adapter behind them that works ahead, such as `peekable`, asks for the next
/// item before the current one is done.
///
/// [`ProgressStream`] has the same methods for a `Stream`.
pub trait ProgressIterator: Iterator + Sized {
    /// Moves the bar of the current run with the items.
    ///
    /// The total is known if the iterator reports its exact length through [`size_hint`](Iterator::size_hint), as
    /// ranges, slices and vectors do. Otherwise viewers see the number of items that are done. If you know the total
    /// from elsewhere, use [`progress_of`](Self::progress_of).
    ///
    /// The adapter reports as [`set_progress_of`](crate::set_progress_of) does: a cancelled run leaves the body here,
    /// and outside a run the items pass through without a report. The adapter reports to the run of the task that
    /// calls `progress`; the loop itself may be on another thread.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Repricing")]
    /// async fn reprice() {
    ///     for product in ["Lamp", "Chair"].into_iter().progress() {
    ///         set_progress_text(format!("Repricing {product}"));
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::of::<Reprice>().execute().await?;
    /// assert_eq!(run.percents, [Some(0.0), Some(50.0), Some(100.0)]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    #[track_caller]
    fn progress(self) -> WithProgress<Self> {
        let total = exact(self.size_hint());
        WithProgress::new(self, Bar::new("progress", 0, total, Location::caller()))
    }

    /// Like [`progress`](Self::progress), with a total that you supply. A total of 0 means that the total is unknown.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Counting words")]
    /// async fn count_words(#[field(default = "one two")] text: String) {
    ///     let words = text.split(' ').count();
    ///     for word in text.split(' ').progress_of(words) {
    ///         log(word);
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::of::<CountWords>().execute().await?;
    /// assert_eq!(run.percents, [Some(0.0), Some(50.0), Some(100.0)]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    #[track_caller]
    fn progress_of(self, total: impl Count) -> WithProgress<Self> {
        WithProgress::new(self, Bar::new("progress_of", 0, total.to_count(), Location::caller()))
    }

    /// Skips the items that are done, and saves the number of done items in the cursor.
    ///
    /// Use it for items that are the same, in the same order, each time the run resumes: the rows of a file, a range.
    /// If items can be added or removed in between, use [`checkpoint`](Self::checkpoint), which saves a key.
    ///
    /// The adapter takes the done items from the iterator and drops them. An iterator that itself does work for each
    /// item, as in `rows.map(send).resume_from(&cursor)`, repeats that work. Put the work in the loop.
    ///
    /// # A changed list
    ///
    /// If the iterator reports its exact length, the cursor stores it. A run that finds fewer items when it resumes
    /// fails with an explanation, since it cannot tell which of them are done; an example is an update of the program
    /// in which `chunks(10)` has become `chunks(20)`. The run keeps its cursor. A run that finds more items resumes
    /// after the done ones, with a warning: either items were added at the end, or the batches have become smaller.
    /// [`resume_from_keyed`](Self::resume_from_keyed) can tell the difference. If the length is unknown, the adapter
    /// only detects a list that ends before all the done items.
    ///
    /// A [`progress`](ResumeFrom::progress) after this adapter begins at the position from which the run resumes.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Importing")]
    /// async fn import(cursor: Cursor<u64>) {
    ///     let rows = ["Ada", "Grace", "Edsger", "Barbara"];
    ///     for row in rows.into_iter().resume_from(&cursor).progress() {
    ///         log(row);
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::of::<Import>().cursor(2).execute().await?;
    /// assert_eq!(run.log_texts(), ["Edsger", "Barbara"]);
    /// assert_eq!(run.percents, [Some(50.0), Some(75.0), Some(100.0)]);
    /// assert_eq!(run.cursor, Some(4.into()));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    fn resume_from(self, cursor: &Cursor<u64>) -> ResumeFrom<Self> {
        let total = exact(self.size_hint());
        ResumeFrom::new(self, cursor, total, ByNumber)
    }

    /// Like [`resume_from`](Self::resume_from), but identifies the items by a key: the run resumes only if the done
    /// items are the same as before. Items may be added at the end. If the list, its order or the size of the batches
    /// has changed, the run fails with an explanation and keeps its cursor.
    ///
    /// A key is any value that serde can write: a number, a name; for a batch, the key of its first item and its
    /// length. The cursor stores a checksum of the keys, which costs a few nanoseconds for each item. A run that
    /// resumes computes the key of each done item again.
    ///
    /// ```
    /// use process_runtime::RunStatus;
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    /// use serde_json::json;
    ///
    /// #[process(title = "Importing")]
    /// async fn import(cursor: Cursor<u64>, batch: usize, #[field(default = 0)] fails_at: u64) -> Result<(), String> {
    ///     let rows: Vec<u64> = (1..=400).collect();
    ///     for rows in rows.chunks(batch).resume_from_keyed(&cursor, |rows| (rows[0], rows.len())) {
    ///         if rows.contains(&fails_at) {
    ///             return Err("the database is gone".into());
    ///         }
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let failed = TestRun::of::<Import>().input(json!({ "batch": 10, "fails_at": 341 })).execute().await?;
    /// let input = json!({ "batch": 5 });
    /// let run = TestRun::of::<Import>().input(input).resume(&failed).execute().await?;
    /// assert_eq!(run.status, RunStatus::Failed);
    /// assert!(run.error.unwrap().starts_with("34 items were done, but the first 34 items have other keys now"));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    fn resume_from_keyed<K, F>(self, cursor: &Cursor<u64>, key: F) -> ResumeFrom<Self, ByKey<F>>
    where
        K: Serialize,
        F: FnMut(&Self::Item) -> K,
    {
        let total = exact(self.size_hint());
        ResumeFrom::new(self, cursor, total, ByKey::new(key))
    }

    /// Saves the key of each item once the item is done. It does not skip anything: use [`cursor.get()`](Cursor::get)
    /// to produce only the remaining items, for example with a query that begins after a key.
    ///
    /// The items must come in the order of their keys, and each key must be unique. Use it for items that can be
    /// added or removed while the run waits: a key still marks the position then, and a number of items does not.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use std::ops::Bound;
    ///
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    /// use serde_json::json;
    ///
    /// struct Users(BTreeMap<u64, &'static str>);
    ///
    /// impl Users {
    ///     fn after(&self, id: Option<u64>) -> impl Iterator<Item = (u64, &str)> {
    ///         let from = id.map_or(Bound::Unbounded, Bound::Excluded);
    ///         self.0.range((from, Bound::Unbounded)).map(|(id, name)| (*id, *name))
    ///     }
    /// }
    ///
    /// #[process(title = "Writing to everybody")]
    /// async fn write_to_all(users: State<Users>, cursor: Cursor<u64>) {
    ///     for (_, name) in users.after(cursor.get()).checkpoint(&cursor, |user| user.0) {
    ///         log(format!("Dear {name}"));
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let users = Users([(3, "Ada"), (7, "Grace"), (9, "Edsger")].into());
    /// let run = TestRun::of::<WriteToAll>().state(users).cursor(3).execute().await?;
    /// assert_eq!(run.log_texts(), ["Dear Grace", "Dear Edsger"]);
    /// assert_eq!(run.cursor, Some(json!(9)));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    fn checkpoint<K, F>(self, cursor: &Cursor<K>, key: F) -> Checkpoint<Self, K, F>
    where
        K: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: FnMut(&Self::Item) -> K,
    {
        Checkpoint { inner: self, place: LoopCursor::new(cursor), key }
    }
}

impl<I: Iterator> ProgressIterator for I {}

/// The number of items if it is known, otherwise 0, as in a report.
fn exact(hint: (usize, Option<usize>)) -> u64 {
    match hint {
        (least, Some(most)) if least == most => least.to_count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
