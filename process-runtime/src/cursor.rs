//! The position of a run: the cursor that a process takes, its JSON form, and the check of stored values before a run
//! resumes.

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

/// The maximum length of a cursor, in bytes of JSON.
const MAX_CURSOR: usize = 64 * 1024;
/// How much of a stored cursor a message repeats, in bytes.
const MAX_SHOWN: usize = 200;

/// The position up to which a run's work is done.
///
/// A process that takes a cursor resumes after a crash: the runtime calls its body again from the beginning, with the
/// cursor as last stored, and the body skips what is done. Loops do that with
/// [`resume_from`](crate::ProgressIterator::resume_from) and [`checkpoint`](crate::ProgressIterator::checkpoint). To
/// do it yourself, use [`get`](Self::get) and [`save`](Self::save):
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
/// The code before the first item executes again each time the run resumes. If that would do harm, check `get` first.
/// A process has at most one cursor. The store deletes the cursor of a run that succeeded.
///
/// # How often an item is processed
///
/// At least once. The store writes saves in groups, and up to [`REPEAT_AT_MOST`](Self::REPEAT_AT_MOST) saves may be
/// on their way to it. After a crash, the run processes at most that many items a second time, including the current
/// one. Set another number with [`repeat_at_most`](Self::repeat_at_most). A pause or a shutdown repeats nothing: the
/// run leaves its body at a save and resumes from exactly there.
///
/// # Possible types
///
/// A cursor can be any value that serde writes as JSON and reads back unchanged: a number, a key, a struct of a few
/// of these. Its JSON may be up to 64 KiB long; keep it short.
///
/// # When the program changes
///
/// A run resumes from any stored value that deserializes into the cursor's current type and that, serialized again,
/// still contains everything that was stored. So you may rename and move the type, widen its integers, and add
/// members that have a default (`#[serde(default)]`). If the value does not fit, the run fails with a message that
/// contains the stored value and the reason. The stored cursor is kept: once the program can read it again, *Retry*
/// resumes from there. The same happens if the process no longer takes a cursor.
///
/// # Counts
///
/// The store keeps the bar, the stages, the counts of [`tally`](crate::tally) and the failed items together with the
/// cursor, as they were at the save. A run that resumes begins with these values. It repeats the work after the save
/// and counts it again, so its final counts are those of a run without an interruption. Log lines are not rolled
/// back: lines that the body logs again appear twice, and `warnings` counts lines of the log.
///
/// # Calling the process yourself
///
/// A cursor that you create with [`new`](Self::new) or [`at`](Self::at) belongs to no run and keeps its value in
/// memory.
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
    /// The default maximum number of items that a run processes a second time after a crash. Change it with
    /// [`repeat_at_most`](Self::repeat_at_most).
    pub const REPEAT_AT_MOST: u32 = REPEAT_AT_MOST;

    /// The cursor of the run behind `progress`.
    pub(crate) fn of(progress: Progress) -> Self {
        Self { progress, kind: PhantomData }
    }

    /// Creates the cursor of a first start, for calling a process yourself.
    pub fn new() -> Self {
        Self::of(Progress::detached())
    }

    /// Creates the cursor of a run that resumes after `value`, for calling a process yourself.
    pub fn at(value: T) -> Self {
        let cursor = Self::new();
        cursor.save(value);
        cursor
    }

    /// Returns the position from which the run resumes: the last saved value, of this attempt or an earlier one.
    /// Returns `None` on the first start.
    pub fn get(&self) -> Option<T> {
        // The value was checked when it was saved, and when the run was started with it.
        self.progress.cursor().and_then(|value| T::deserialize(value).ok())
    }

    /// Saves that everything up to `value` is done.
    ///
    /// A call costs about as much as writing the value as JSON. If as many saves as may be
    /// [repeated](Self::repeat_at_most) are already on their way to the store, the call **blocks its thread** until
    /// the store has answered. On the thread of the process's body that does no harm to other runs. In a task of
    /// [`spawn`](crate::spawn) it delays the tasks of other runs; there, use a stream with
    /// [`checkpoint`](crate::ProgressStream::checkpoint), which waits without blocking.
    ///
    /// A run that is to stop leaves the body here, as at any helper, and destructors run. A run that is to pause
    /// leaves the body only here, after the value is saved.
    ///
    /// If the value is longer than 64 KiB, or cannot be read back, the run fails, since it could not resume from that
    /// value.
    pub fn save(&self, value: T) {
        self.save_in(&value, None);
    }

    /// Saves a position in this list.
    pub(crate) fn save_in(&self, value: &T, list: Option<SavedList>) {
        self.take(value, list);
        self.progress.wait_for_store();
    }

    /// Saves without waiting: [`poll_store`](Self::poll_store) does.
    pub(crate) fn take(&self, value: &T, list: Option<SavedList>) {
        match write(value) {
            Ok(value) => self.progress.save_cursor(SavedCursor { list, ..SavedCursor::new(value) }),
            Err(why) => self.progress.end(Outcome::Failed(why.into())),
        }
    }

    /// The list that the cursor refers to, as far as the loop that saved it knew it.
    pub(crate) fn list(&self) -> Option<SavedList> {
        self.progress.cursor_list()
    }

    /// Fails the run, which cannot resume from its cursor, and leaves the body. The stored cursor is kept.
    pub(crate) fn refuse(&self, why: String) -> ! {
        self.progress.end(Outcome::Failed(why.into()));
        self.progress.leave_ended()
    }

    /// The handle of the run that this cursor belongs to.
    pub(crate) fn handle(&self) -> &Progress {
        &self.progress
    }

    /// Waits while too many saves are on their way to the store, and leaves the body if it is to stop here.
    pub(crate) fn poll_store(&self, context: &Context<'_>) -> Poll<()> {
        self.progress.poll_store(context)
    }

    /// Sets how many items the run may process a second time after a crash. The default is
    /// [`REPEAT_AT_MOST`](Self::REPEAT_AT_MOST). With 1, every save waits until it is stored; 0 counts as 1.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    ///
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

/// The value to store, if it can be read back: an error now is better than one after a crash.
fn write<T: Serialize + DeserializeOwned>(cursor: &T) -> Result<Value, String> {
    // Measured first, since writing a deeply nested value could overflow the stack.
    match measure(cursor) {
        Measured::TooDeep => {
            return Err(format!("the cursor is nested more than {MAX_DEPTH} levels deep"));
        }
        Measured::Bytes(length) if length > MAX_CURSOR => {
            return Err(format!(
                "the cursor is {length} bytes long (the limit is {MAX_CURSOR}): \
                 save where the run is, and not what it has gathered"
            ));
        }
        Measured::Bytes(_) => {}
    }
    let value = serde_json::to_value(cursor)
        .map_err(|error| format!("the cursor cannot be written as JSON: {error}"))?;
    read::<T>(&value).map_err(|why| format!("the cursor cannot be read back: {why}"))?;
    Ok(value)
}

/// Reads the value as this type, if the type preserves everything in it.
fn read<T: Serialize + DeserializeOwned>(value: &Value) -> Result<T, String> {
    let cursor = T::deserialize(value).map_err(|error| error.to_string())?;
    match serde_json::to_value(&cursor) {
        Ok(again) if says_all_of(&again, value) => Ok(cursor),
        Ok(again) => {
            Err(format!("read and written again, it becomes {}", clip(again.to_string(), MAX_SHOWN)))
        }
        Err(error) => Err(format!("it can be read, but not written again: {error}")),
    }
}

/// True if nothing of `before` is missing or different. New members have a default.
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

/// A whole number in any notation: an integer is stored as 7, a float as 7.0.
fn whole(number: &Number) -> Option<i128> {
    let integer = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
    // Every float without a fraction that is not larger than a u64 is exact as an i128.
    let float = || number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= u64::MAX as f64);
    integer.or_else(|| float().map(|float| float as i128))
}

/// The message for a stored cursor from which the run cannot resume.
fn unfit(value: &Value, why: &str) -> String {
    let value = clip(value.to_string(), MAX_SHOWN);
    format!("the run is at {value}, but the process's cursor cannot resume from there: {why}")
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

#[diagnostic::do_not_recommend]
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
