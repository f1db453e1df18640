//! Owns where a run is up to: the cursor a process takes, how it is written as JSON and believed again.
//! Refuses to know who stores it and what is iterated over.

use std::any::type_name;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::field::FieldErrors;
use crate::parameter::{Injected, Invocation, NoOptions, Parameter, ParameterInfo};
use crate::progress::{Progress, REPEAT_AT_MOST};
use crate::run::{Outcome, SavedCursor};

/// How long a cursor may be, in bytes of JSON.
const MAX_CURSOR: usize = 64 * 1024;

/// Up to where a run's work is done.
///
/// A process that takes one goes on after a crash: its body is called again from the start, with the cursor as
/// it was last stored, and leaves out what is done. Loops do that with
/// [`resume_from`](crate::ProgressIterator::resume_from) and
/// [`checkpoint`](crate::ProgressIterator::checkpoint); by hand it is [`get`](Self::get) and
/// [`save`](Self::save):
///
/// ```
/// use process_runtime::prelude::*;
/// use process_runtime::testing::TestRun;
/// use serde_json::json;
///
/// #[process(title = "Closing the books")]
/// async fn close_the_books(cursor: Cursor<u32>) {
///     let first = cursor.get().map_or(1, |month| month + 1);
///     for month in first..=12 {
///         log(format!("closing month {month}"));
///         cursor.save(month);
///     }
/// }
///
/// # async fn test() -> Result<(), process_runtime::testing::TestError> {
/// let run = TestRun::of::<CloseTheBooks>().cursor(10).execute().await?;
/// assert_eq!(run.log_texts(), ["closing month 11", "closing month 12"]);
/// assert_eq!(run.cursor, Some(json!(12)));
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
/// ```
///
/// Everything before the first item is done again each time, so it belongs behind a look at `get`, if that is
/// not harmless. A process has one cursor; a run that succeeded has none any more.
///
/// # How often an item is processed
///
/// At least once. A save is written to the store together with others, and up to
/// [`REPEAT_AT_MOST`](Self::REPEAT_AT_MOST) of them may be on their way: after a crash, so many items at the
/// most are processed a second time, the one at hand included. [`repeat_at_most`](Self::repeat_at_most) sets
/// another number. A save is a place to stop at, too: a run that is paused, or whose program is shut down,
/// leaves its body at a save and goes on exactly there, and nothing is done twice.
///
/// # What it can be
///
/// Anything that serde writes as JSON and reads back as the same: a number, a key, a struct of a few of these.
/// It may be 64 KiB long, and is better short. A run is called only with a cursor of the type it saved: after
/// an update of the program in which the type has another name, or reads the value differently, the run fails
/// and says so.
///
/// # Calling the process by hand
///
/// A cursor made with [`new`](Self::new) or [`at`](Self::at) belongs to no run, and keeps its value for itself.
///
/// ```
/// use process_runtime::prelude::*;
///
/// #[process(title = "Counting")]
/// async fn count(cursor: Cursor<u64>) -> Result<usize, std::convert::Infallible> {
///     Ok((0..10).resume_from(&cursor).count())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let cursor = Cursor::at(7);
/// assert_eq!(count(cursor.clone()).await, Ok(3));
/// assert_eq!(cursor.get(), Some(10));
/// # });
/// ```
pub struct Cursor<T> {
    progress: Progress,
    kind: PhantomData<fn(T) -> T>,
}

impl<T> Cursor<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// So many items are processed a second time after a crash, at the most, unless
    /// [`repeat_at_most`](Self::repeat_at_most) says otherwise.
    pub const REPEAT_AT_MOST: u32 = REPEAT_AT_MOST;

    /// The cursor of the run behind `progress`.
    pub(crate) fn of(progress: Progress) -> Self {
        Self { progress, kind: PhantomData }
    }

    /// A cursor of a first start, to call a process by hand.
    pub fn new() -> Self {
        Self::of(Progress::detached())
    }

    /// A cursor of a run that goes on after `value`, to call a process by hand.
    pub fn at(value: T) -> Self {
        let cursor = Self::new();
        cursor.save(value);
        cursor
    }

    /// Where the run goes on: what was saved last, in this attempt or an earlier one. `None` at the first
    /// start.
    pub fn get(&self) -> Option<T> {
        // It was read when it was saved, and when the run was called with it.
        self.progress.cursor().and_then(|value| T::deserialize(value).ok())
    }

    /// Says that everything up to `value` is done.
    ///
    /// Costs about as much as writing the value as JSON. But when as many saves are on their way to the store
    /// as may be [repeated](Self::repeat_at_most), the call **blocks its thread** until the store has answered.
    /// A process's body has a thread of its own, where that is harmless; in a task of
    /// [`spawn`](crate::spawn) it holds up other runs' tasks, and streams with
    /// [`checkpoint`](crate::ProgressStream::checkpoint) wait without blocking.
    ///
    /// A run that is to stop leaves here, as at any helper; destructors run. A run that is to pause leaves
    /// here and nowhere else, after the value was taken over.
    ///
    /// A value that is longer than 64 KiB, or that cannot be read back, ends the run as failed: it could not go
    /// on from there.
    pub fn save(&self, value: T) {
        self.take(&value);
        self.progress.wait_for_store();
    }

    /// Saves without waiting: [`poll_store`](Self::poll_store) does.
    pub(crate) fn take(&self, value: &T) {
        match write(value) {
            Ok(value) => self.progress.save_cursor(saved::<T>(value)),
            Err(why) => self.progress.end(Outcome::Failed(why)),
        }
    }

    /// Waits while too many saves are on their way to the store, and leaves the body if it is to stop here.
    pub(crate) fn poll_store(&self, context: &Context<'_>) -> Poll<()> {
        self.progress.poll_store(context)
    }

    /// Sets how many items may be processed a second time after a crash, instead of
    /// [`REPEAT_AT_MOST`](Self::REPEAT_AT_MOST). With 1, every save waits until it is stored; 0 counts as 1.
    ///
    /// ```
    /// # use process_runtime::prelude::*;
    /// #[process(title = "Sending invoices")]
    /// async fn send_invoices(cursor: Cursor<u64>) {
    ///     // Better slow than twice.
    ///     cursor.repeat_at_most(1);
    ///     for invoice in (1..=500_u64).checkpoint(&cursor, |invoice| *invoice) {
    ///         // …
    ///     }
    /// }
    /// ```
    pub fn repeat_at_most(&self, items: u32) {
        self.progress.repeat_at_most(items);
    }
}

fn saved<T>(value: Value) -> SavedCursor {
    SavedCursor { type_name: type_name::<T>().into(), value }
}

/// What is stored of a cursor, if it can be read again: better said now than after a crash.
fn write<T: Serialize + DeserializeOwned>(cursor: &T) -> Result<Value, String> {
    let name = type_name::<T>();
    let value = serde_json::to_value(cursor)
        .map_err(|error| format!("the cursor `{name}` cannot be written as JSON: {error}"))?;
    let length = length(&value);
    if length > MAX_CURSOR {
        return Err(format!(
            "the cursor is {length} bytes long, and may be {MAX_CURSOR}: \
             save where the run is, and not what it has gathered"
        ));
    }
    read::<T>(&value).map_err(|why| format!("the cursor `{name}` could not be read again: {why}"))?;
    Ok(value)
}

/// The value as this type, if it is exactly this type's.
fn read<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, String> {
    let cursor = T::deserialize(value).map_err(|error| error.to_string())?;
    match serde_json::to_value(&cursor) {
        Ok(again) if again == *value => Ok(cursor),
        _ => Err("read and written once more, it is another value".into()),
    }
}

/// The length of a value as JSON.
fn length(value: &Value) -> usize {
    struct Length(usize);
    impl io::Write for Length {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut length = Length(0);
    // Neither a value nor counting can fail.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
}

impl<T> Injected for Cursor<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn describe(
        marker: PhantomData<Self>,
        name: &'static str,
        set: fn(NoOptions) -> NoOptions,
    ) -> ParameterInfo {
        Parameter::describe(marker, name, set)
    }

    fn collect(
        marker: PhantomData<Self>,
        name: &'static str,
        set: fn(NoOptions) -> NoOptions,
        from: &Invocation,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        Parameter::collect(marker, name, set, from, errors)
    }
}

impl<T> Parameter for Cursor<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    type Options = NoOptions;

    fn describe(_: PhantomData<Self>, _: &'static str, _: fn(NoOptions) -> NoOptions) -> ParameterInfo {
        ParameterInfo::Cursor { type_name: type_name::<T>() }
    }

    fn extract(
        name: &'static str,
        _: fn(NoOptions) -> NoOptions,
        from: &Invocation,
    ) -> Result<Self, FieldErrors> {
        let new = type_name::<T>();
        if let Some(SavedCursor { type_name: old, value }) = &from.cursor {
            // A test gives a value, and no name.
            if !old.is_empty() && old != new {
                let why = "the run cannot go on where it was";
                let message = format!("the cursor was saved as `{old}`, and is now `{new}`: {why}");
                return Err(FieldErrors::at(name, message));
            }
            if let Err(why) = read::<T>(value) {
                let message = format!("the cursor was saved as another `{new}` than there is now: {why}");
                return Err(FieldErrors::at(name, message));
            }
            from.progress.resume_at(saved::<T>(value.clone()));
        }
        Ok(Self::of(from.progress.clone()))
    }
}

impl<T> Default for Cursor<T>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Cursor<T> {
    fn clone(&self) -> Self {
        Self { progress: self.progress.clone(), kind: PhantomData }
    }
}

impl<T> fmt::Debug for Cursor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cursor").field(&self.progress.cursor()).finish()
    }
}

#[cfg(test)]
mod tests;
