//! Where a run is up to: the cursor a process takes, how it is written as JSON, and which stored values are gone on
//! from.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::task::{Context, Poll};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::field::FieldErrors;
use crate::measure::{MAX_DEPTH, Measured, measure};
use crate::parameter::{Injected, Invocation, NoOptions, Parameter, ParameterInfo};
use crate::progress::{Progress, REPEAT_AT_MOST};
use crate::run::{Outcome, SavedCursor, SavedList};
use crate::text::clip;

/// How long a cursor may be, in bytes of JSON.
const MAX_CURSOR: usize = 64 * 1024;
/// How much of a stored cursor is repeated in a message, in bytes.
const MAX_SHOWN: usize = 200;

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
/// It may be 64 KiB long, and is better short.
///
/// # When the program changes
///
/// A run goes on with any value that reads into the cursor's type as it is now and, written again, still says all
/// that was stored. So the type may be renamed and moved, its integers may become wider, and it may get members that
/// have a default (`#[serde(default)]`). A value that does not fit ends the run as failed, with words that say what
/// was stored and why it does not fit. The stored cursor stays: once the program reads it again, *Retry* goes on
/// from there. The same holds where the process takes no cursor any more.
///
/// # What is counted
///
/// The bar, the stages, what [`tally`](crate::tally) counted and the items that failed are stored with the cursor, as
/// they were when it was saved. A run that goes on begins with them: what was counted after the save is done again,
/// and counted again, so that the counts in the end are those of a run that was never cut off. Lines of the log stay
/// as they were said, and lines that are said again are there twice; `warnings` counts lines of the log.
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
        self.save_in(&value, None);
    }

    /// Saves a place in this list.
    pub(crate) fn save_in(&self, value: &T, list: Option<SavedList>) {
        self.take(value, list);
        self.progress.wait_for_store();
    }

    /// Saves without waiting: [`poll_store`](Self::poll_store) does.
    pub(crate) fn take(&self, value: &T, list: Option<SavedList>) {
        match write(value) {
            Ok(value) => self.progress.save_cursor(SavedCursor { list, ..SavedCursor::new(value) }),
            Err(why) => self.progress.end(Outcome::Failed(why)),
        }
    }

    /// The list that the cursor is a place in, as far as the loop that saved it knew.
    pub(crate) fn list(&self) -> Option<SavedList> {
        self.progress.cursor_list()
    }

    /// Fails the run, which cannot go on from its cursor, and leaves the body. The stored cursor stays.
    pub(crate) fn refuse(&self, why: String) -> ! {
        self.progress.end(Outcome::Failed(why));
        self.progress.leave_ended()
    }

    /// The handle of the run this is the cursor of.
    pub(crate) fn handle(&self) -> &Progress {
        &self.progress
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

/// What is stored of a cursor, if it can be read again: better said now than after a crash.
fn write<T: Serialize + DeserializeOwned>(cursor: &T) -> Result<Value, String> {
    // Measured first: to write it could take more than the stack.
    match measure(cursor) {
        Measured::TooDeep => {
            return Err(format!("the cursor has more than {MAX_DEPTH} lists and objects inside each other"));
        }
        Measured::Bytes(length) if length > MAX_CURSOR => {
            return Err(format!(
                "the cursor is {length} bytes long, and may be {MAX_CURSOR}: \
                 save where the run is, and not what it has gathered"
            ));
        }
        Measured::Bytes(_) => {}
    }
    let value = serde_json::to_value(cursor)
        .map_err(|error| format!("the cursor cannot be written as JSON: {error}"))?;
    read::<T>(&value).map_err(|why| format!("the cursor could not be read again: {why}"))?;
    Ok(value)
}

/// The value as this type, if the type has a place for all that the value says.
fn read<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, String> {
    let cursor = T::deserialize(value).map_err(|error| error.to_string())?;
    match serde_json::to_value(&cursor) {
        Ok(again) if says_all_of(&again, value) => Ok(cursor),
        Ok(again) => Err(format!("read and written once more, it is {}", clip(again.to_string(), MAX_SHOWN))),
        Err(error) => Err(format!("it is read, and cannot be written any more: {error}")),
    }
}

/// True when nothing of `before` is missing or different. Members that were not there before have got a default.
fn says_all_of(now: &Value, before: &Value) -> bool {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            before.iter().all(|(name, before)| match now.get(name) {
                Some(now) => says_all_of(now, before),
                None => before.is_null(),
            })
        }
        (Value::Array(now), Value::Array(before)) => {
            now.len() == before.len() && now.iter().zip(before).all(|(now, before)| says_all_of(now, before))
        }
        (Value::Number(now), Value::Number(before)) => {
            now == before || whole(now).is_some_and(|now| whole(before) == Some(now))
        }
        (now, before) => now == before,
    }
}

/// A whole number, however it is written: 7 was stored of an integer, 7.0 is written of a float.
fn whole(number: &Number) -> Option<i128> {
    let integer = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    // Every float without a fraction that is not larger than a u64 is exact as an i128.
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= u64::MAX as f64);
    integer.or_else(|| float().map(|float| float as i128))
}

/// Why a run cannot go on from what was stored.
fn unfit(value: &Value, why: &str) -> String {
    let value = clip(value.to_string(), MAX_SHOWN);
    format!("the run is at {value}, and the cursor as it is now cannot go on from there: {why}")
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
        let fits = |value: &Value| read::<T>(value).map(drop).map_err(|why| unfit(value, &why));
        ParameterInfo::Cursor { type_name: type_name::<T>(), fits }
    }

    fn extract(
        name: &'static str,
        _: fn(NoOptions) -> NoOptions,
        from: &Invocation,
    ) -> Result<Self, FieldErrors> {
        if let Some(saved) = &from.cursor {
            read::<T>(&saved.value).map_err(|why| FieldErrors::at(name, unfit(&saved.value, &why)))?;
            from.progress.resume_at(saved.clone());
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
