//! The free helper functions, which report to the run that the current task belongs to.

use std::collections::HashSet;
use std::fmt::Display;
use std::future::Future;
use std::panic::Location;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use tracing::{Instrument, Span};

use crate::number::{Count, Percent};
use crate::process::Ending;
use crate::progress::{Numbers, Progress};
use crate::run::Panic;

mod current;

pub(crate) use current::scope;
use current::with_current;

/// Spawns a task that stays part of the current run: helpers work in it, and it inherits the run's `tracing` span.
///
/// # Panics
///
/// Panics outside a tokio runtime, like [`tokio::spawn`].
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Progress::current() {
        Some(progress) => tokio::spawn(scope(progress, future).in_current_span()),
        None => tokio::spawn(future),
    }
}

/// Runs blocking code on a separate thread that stays part of the current run, in the run's `tracing` span.
///
/// # Panics
///
/// Panics outside a tokio runtime, like [`tokio::task::spawn_blocking`].
pub fn spawn_blocking<R: Send + 'static>(
    body: impl FnOnce() -> R + Send + 'static,
) -> tokio::task::JoinHandle<R> {
    let (progress, span) = (Progress::current(), Span::current());
    tokio::task::spawn_blocking(move || match progress {
        Some(progress) => span.in_scope(|| progress.on_own_thread(|| progress.enter(body))),
        None => body(),
    })
}

/// Sets the progress of the current run in percent, 0 to 100, from any number type.
///
/// Values outside this range are clamped. NaN means that the percentage is unknown.
///
/// Like every helper, this function unwinds if the run was stopped. Unwinding poisons a [`std::sync::Mutex`] whose
/// guard your code holds at that moment: see [what a stopped run leaves
/// behind](crate#what-a-stopped-run-leaves-behind).
#[inline]
#[track_caller]
pub fn set_progress(percent: impl Percent) {
    report_bar("set_progress", Numbers::percent(percent.to_percent()));
}

/// Sets the current step and the total number of steps of the current run. The percentage follows from them.
///
/// A total of 0 means that the total is unknown. A step beyond the total is clamped to the total.
#[inline]
#[track_caller]
pub fn set_progress_of(current: impl Count, total: impl Count) {
    report_bar("set_progress_of", Numbers::steps(current.to_count(), total.to_count()));
}

/// Sets the text under the progress bar of the current run.
#[track_caller]
pub fn set_progress_text(text: impl Into<String>) {
    let text = text.into();
    report("set_progress_text", |progress| progress.set_progress_text(text));
}

/// Sets the title of the current run, in place of the title in the process's declaration.
#[track_caller]
pub fn set_title(title: impl Into<String>) {
    let title = title.into();
    report("set_title", |progress| progress.set_title(title));
}

/// An alias of [`set_title`].
#[track_caller]
pub fn process_start(title: impl Into<String>) {
    let title = title.into();
    report("process_start", |progress| progress.set_title(title));
}

/// Begins a named stage of the current run and resets the progress bar.
#[track_caller]
pub fn stage(name: impl Into<String>) {
    let name = name.into();
    report("stage", |progress| progress.stage(name));
}

/// Begins the named stage `index` of `of`, counted from 1, and resets the progress bar.
#[track_caller]
pub fn stage_of(index: impl Count, of: impl Count, name: impl Into<String>) {
    let name = name.into();
    report("stage_of", |progress| progress.stage_of(index, of, name));
}

/// Adds a line to the current run's log.
///
/// If the body logs faster than the store writes, this call blocks the body's thread until there is room, and leaves
/// the body if the run is stopped meanwhile. Tasks that share their threads with other runs do not block: the runtime
/// omits their lines and counts them. See [`Progress::log`].
#[track_caller]
pub fn log(text: impl Into<String>) {
    let text = text.into();
    report("log", |progress| progress.log(text));
}

/// Adds a warning to the current run's log: something that a person should look at.
#[track_caller]
pub fn warn(text: impl Into<String>) {
    let text = text.into();
    report("warn", |progress| progress.warn(text));
}

/// Adds one to the count of this outcome of the current run: `tally("imported")`. The page shows every outcome with
/// its count, in order of first use.
///
/// Names are cut at 80 characters. After 20 different names, further names count under `other`. A call costs a few
/// tens of nanoseconds, so you can make it for every item.
#[track_caller]
pub fn tally(outcome: impl AsRef<str>) {
    let outcome = outcome.as_ref();
    report("tally", |progress| progress.tally(outcome));
}

/// Adds `n` to the count of this outcome of the current run: `tally_of("imported", rows.len())`.
#[track_caller]
pub fn tally_of(outcome: impl AsRef<str>, n: impl Count) {
    let outcome = outcome.as_ref();
    report("tally_of", |progress| progress.tally_of(outcome, n));
}

/// Reports that one item of the current run failed, and why. The run continues.
///
/// This adds the error `{item}: {reason}` to the log and one to the count `failed`. The run keeps its first 100
/// failed items as a list for later review.
///
/// ```
/// use process_runtime::prelude::*;
///
/// #[process(title = "Write to all customers")]
/// async fn write_to_all() {
///     for address in ["ada@example.org", "nobody"] {
///         match address.split_once('@') {
///             Some(_) => tally("sent"),
///             None => item_failed(address, "this is no e-mail address"),
///         }
///     }
/// }
/// ```
#[track_caller]
pub fn item_failed(item: impl Display, reason: impl Display) {
    let (item, reason) = (item.to_string(), reason.to_string());
    report("item_failed", |progress| progress.item_failed(item, reason));
}

/// Moves the finished file at `path` into the current run's folder. The run's page offers it for download as `name`.
///
/// # Errors
///
/// Returns an error if the file cannot be moved into the run's folder, if the run already has the maximum number of
/// files ([`Limits::max_artifacts`](crate::Limits::max_artifacts)), if `name` is empty, or outside a run.
#[track_caller]
pub fn artifact(name: &str, path: impl AsRef<Path>) -> std::io::Result<()> {
    let path = path.as_ref();
    let outside = || Err(std::io::Error::other("artifact was called outside a run"));
    report("artifact", |progress| progress.artifact(name, path)).unwrap_or_else(outside)
}

/// Returns true once the program has begun to shut down. The program then waits for a limited time for its active
/// runs.
///
/// Use it in a loop without a cursor, which the shutdown would otherwise interrupt at any point: check it between two
/// items and return. Outside a run it always returns false.
///
/// ```
/// use process_runtime::prelude::*;
///
/// /// Takes one letter after the other out of the queue.
/// #[process(title = "Sending letters")]
/// async fn send_letters() -> Result<u64, std::convert::Infallible> {
///     let mut sent = 0;
///     while sent < 1_000 && !shutting_down() {
///         // … send the next one …
///         sent += 1;
///     }
///     Ok(sent)
/// }
/// ```
#[inline]
#[track_caller]
pub fn shutting_down() -> bool {
    // Code that is shared with callers outside a run may ask too: such a call is not an orphaned report.
    let inside = with_current(|_| ()).is_some();
    inside && report("shutting_down", Progress::is_shutting_down).unwrap_or(false)
}

/// Ends the current run immediately as succeeded, with `data` as its result. This function does not return.
///
/// If `data` cannot be written as JSON, the run still succeeds: the result is left out, and the log gets a warning.
///
/// Destructors run, as they do when a function returns early. With `panic = "abort"` there is no unwinding: the run
/// ends as well, but the calling thread stays parked until the program ends.
///
/// # Panics
///
/// Panics outside a run.
#[track_caller]
pub fn end_process(data: impl Serialize) -> ! {
    let Some(progress) = Progress::current() else {
        // Not reachable from input: it needs a call outside every run.
        #[expect(clippy::panic, reason = "there is no run to end and no value to return")]
        {
            panic!("end_process was called outside a run, where there is nothing to end");
        }
    };
    let Ending { outcome, warning } = Ending::succeeded(data);
    if let Some(warning) = warning {
        progress.warn(warning);
    }
    progress.end(outcome);
    progress.leave_ended()
}

/// Notes a panic on this thread with the run that it belongs to, if it belongs to one.
pub(crate) fn note_panic(panic: impl FnOnce() -> Panic) {
    with_current(|progress| progress.note_panic(panic()));
}

/// The current run, for a value that keeps reporting to it. Outside a run this counts as one orphaned call.
pub(crate) fn current_for(word: &'static str, caller: &'static Location<'static>) -> Option<Progress> {
    let current = Progress::current();
    if current.is_none() {
        outside(word, caller);
    }
    current
}

#[inline]
#[track_caller]
fn report_bar(helper: &'static str, numbers: Numbers) {
    if with_current(|progress| progress.set_quickly(numbers)) != Some(true) {
        report_bar_slowly(helper, numbers);
    }
}

/// A separate function, so that the fast path is short enough to be inlined into the loop that reports.
#[cold]
#[inline(never)]
#[track_caller]
fn report_bar_slowly(helper: &'static str, numbers: Numbers) {
    report(helper, |progress| progress.set_numbers(numbers));
}

#[inline]
#[track_caller]
fn report<R>(helper: &'static str, action: impl FnOnce(&Progress) -> R) -> Option<R> {
    let done = with_current(|progress| {
        let done = action(progress);
        progress.leave_if_stopped();
        done
    });
    if done.is_none() {
        outside(helper, Location::caller());
    }
    done
}

static OUTSIDE: AtomicU64 = AtomicU64::new(0);
static SEEN: LazyLock<Mutex<HashSet<&Location<'_>>>> = LazyLock::new(Mutex::default);

/// Returns how many calls of helpers, such as [`log`], have had no effect since the program started, because they were
/// made outside a run: in a task of `tokio::spawn` or on a thread of the program's own. Use [`spawn`] and
/// [`spawn_blocking`], or pass a [`Progress`](crate::Progress).
///
/// The operator's log names each place once. A test can assert that the number does not grow:
///
/// ```
/// let before = process_runtime::orphaned_calls();
/// process_runtime::log("No run sees this line.");
/// assert!(process_runtime::orphaned_calls() > before);
/// ```
pub fn orphaned_calls() -> u64 {
    OUTSIDE.load(Ordering::Relaxed)
}

/// Logs one error for each call site, however often it is reached.
#[cold]
fn outside(helper: &'static str, caller: &'static Location<'static>) {
    OUTSIDE.fetch_add(1, Ordering::Relaxed);
    if SEEN.lock().insert(caller) {
        tracing::error!(
            "{helper} at {caller} was called outside a run and did nothing: \
             in a spawned task use process_runtime::spawn, in a thread Progress::enter"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::{Stop, Unwound};

    #[test]
    fn orphaned_helper_call_is_counted() {
        let before = orphaned_calls();
        set_progress_of(1, 2);
        assert!(orphaned_calls() > before);
        assert!(artifact("a.txt", "a.txt").is_err());
    }

    #[test]
    fn shutting_down_reaches_only_the_body() {
        let progress = Progress::detached();
        assert!(!progress.enter(shutting_down));
        progress.shut_down();
        assert!(progress.enter(shutting_down));
        assert!(!progress.is_stopped(), "it ends itself");
        let (here, asked) = (Location::caller(), shutting_down());
        assert!(!asked);
        let seen = SEEN.lock();
        let lost = seen.iter().find(|seen| (seen.file(), seen.line()) == (here.file(), here.line()));
        assert_eq!(lost, None, "asking is no lost report");
    }

    #[test]
    fn stopped_run_unwinds_except_in_destructors() {
        struct Guard;
        impl Drop for Guard {
            fn drop(&mut self) {
                log("cleaned up");
            }
        }
        let progress = Progress::detached();
        progress.stop(Stop::Cancelled);
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            progress.enter(|| {
                let _guard = Guard;
                set_progress(1);
                unreachable!("the helper returned");
            })
        }));
        assert!(unwound.is_err_and(|payload| payload.is::<Unwound>()));
        assert_eq!(progress.read().lines.first().map(|line| line.text.as_str()), Some("cleaned up"));
    }
}
