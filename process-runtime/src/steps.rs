//! What a process says of its loops: the bar that moves with the items, the place that is kept.

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

/// Bars and places for every iterator: `rows.resume_from(&cursor).progress()`.
///
/// In all of these an item is done when the next one is asked for, and the last one when there is no other.
/// A loop that is left early, by `break`, `?` or a panic, has not done the item it was at. So they belong at
/// the end of a chain of adapters: what stands behind them and works ahead, as `peekable` does, asks for the
/// next item while the one before is not done.
///
/// The same words for a `Stream` are in [`ProgressStream`].
pub trait ProgressIterator: Iterator + Sized {
    /// Moves the bar of the current run with the items.
    ///
    /// The total is known when the iterator knows its exact length by its
    /// [`size_hint`](Iterator::size_hint), as ranges, slices and vectors do; otherwise viewers see the number
    /// of items that are done. [`progress_of`](Self::progress_of) is for totals known from elsewhere.
    ///
    /// It reports as [`set_progress_of`](crate::set_progress_of) does, so a run that was cancelled leaves here,
    /// and outside a run it only passes the items through. The run is the one of the task that calls
    /// `progress`: the loop may be on another thread.
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

    /// Like [`progress`](Self::progress), for a total that is known from elsewhere. A total of 0 means that
    /// nobody knows it.
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

    /// Leaves out the items that are done, and saves how many are.
    ///
    /// For items that are the same, in the same order, whenever the run goes on: the rows of a file, a range.
    /// Where items come and go meanwhile, [`checkpoint`](Self::checkpoint) keeps the place by a key.
    ///
    /// The items that are done are asked for and left out. So what the iterator itself does for each of them, as in
    /// `rows.map(send).resume_from(&cursor)`, is done again: the work belongs into the loop.
    ///
    /// # Another list
    ///
    /// How many items there are is stored with the cursor, where the iterator knows its exact length. A run that
    /// finds fewer of them when it goes on, as after an update of the program in which `chunks(10)` has become
    /// `chunks(20)`, fails and says so: nobody knows which of them are done. Its cursor is kept. Where there are more
    /// items, it goes on behind those that are done, with a warning: they were added at the end, or the batches have
    /// become smaller. With [`resume_from_keyed`](Self::resume_from_keyed) the run knows. Where the length is unknown,
    /// all that can be noticed is a list that ends before the items that are done.
    ///
    /// A [`progress`](ResumeFrom::progress) behind it begins at the place where the run goes on.
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

    /// Like [`resume_from`](Self::resume_from), and tells the items apart by a key: the run goes on only where the
    /// items that are done are the same as before. Items may be added at the end. Another list, another order or
    /// another size of batches fails the run in words, with its cursor kept.
    ///
    /// A key is whatever serde can write: a number, a name; of a batch, the key of its first item and its length. A
    /// checksum of the keys is stored, a few nanoseconds an item. A run that goes on asks for the key of each item
    /// that is done.
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
    /// assert!(run.error.unwrap().starts_with("34 items were done, and the first 34 items are others now"));
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

    /// Saves the key of each item once it is done. Leaving out what is done is up to whoever makes the items,
    /// with [`cursor.get()`](Cursor::get): a query can begin behind a key.
    ///
    /// The items must come in the order of their keys, and each must have a key of its own. It is for items that come and go while the run waits:
    /// a key says where it is, when a number of items would not any more.
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

/// The number of items, if it is known; 0 otherwise, as in a report.
fn exact(hint: (usize, Option<usize>)) -> u64 {
    match hint {
        (least, Some(most)) if least == most => least.to_count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
