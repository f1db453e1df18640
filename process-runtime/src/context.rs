//! The free helpers, which report to the run that the current task belongs to.

use std::collections::HashSet;
use std::fmt::Display;
use std::future::Future;
use std::panic::Location;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Serialize;
use tracing::{Instrument, Span};

use crate::number::{Count, Percent};
use crate::process::Ending;
use crate::progress::{Numbers, Progress};

mod current;

pub(crate) use current::scope;
use current::with_current;

/// Spawns a task that stays a part of the current run: the helpers work in it, and it is in the same `tracing` span.
///
/// # Panics
///
/// Like [`tokio::spawn`], outside a tokio runtime.
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

/// Runs blocking code on a thread of its own that stays a part of the current run, and in the same `tracing` span.
///
/// # Panics
///
/// Like [`tokio::task::spawn_blocking`], outside a tokio runtime.
pub fn spawn_blocking<R: Send + 'static>(
    body: impl FnOnce() -> R + Send + 'static,
) -> tokio::task::JoinHandle<R> {
    let (progress, span) = (Progress::current(), Span::current());
    tokio::task::spawn_blocking(move || match progress {
        Some(progress) => span.in_scope(|| progress.on_own_thread(|| progress.enter(body))),
        None => body(),
    })
}

/// Sets the percentage of the current run: 0 to 100, in any number type.
///
/// Values outside are clamped; a NaN means that nobody knows.
///
/// Like every helper it unwinds in a run that was stopped, which poisons a [`std::sync::Mutex`] whose guard is held
/// here: see [what a stopped run leaves behind](crate#what-a-stopped-run-leaves-behind).
#[inline]
#[track_caller]
pub fn set_progress(percent: impl Percent) {
    report_bar("set_progress", Numbers::percent(percent.to_percent()));
}

/// Sets the step the current run is at and the number of steps; the percentage follows.
///
/// A total of 0 means that nobody knows the total; a step beyond the total counts as the total.
#[inline]
#[track_caller]
pub fn set_progress_of(current: impl Count, total: impl Count) {
    report_bar("set_progress_of", Numbers::steps(current.to_count(), total.to_count()));
}

/// Sets the line under the bar of the current run.
#[track_caller]
pub fn set_progress_text(text: impl Into<String>) {
    let text = text.into();
    report("set_progress_text", |progress| progress.set_progress_text(text));
}

/// Sets the title of the current run, in place of the one its process was declared with.
#[track_caller]
pub fn set_title(title: impl Into<String>) {
    let title = title.into();
    report("set_title", |progress| progress.set_title(title));
}

/// Another name of [`set_title`].
#[track_caller]
pub fn process_start(title: impl Into<String>) {
    let title = title.into();
    report("process_start", |progress| progress.set_title(title));
}

/// Begins a named stage of the current run: the bar starts anew.
#[track_caller]
pub fn stage(name: impl Into<String>) {
    let name = name.into();
    report("stage", |progress| progress.stage(name));
}

/// Begins the named stage `index` of `of`, counted from 1: the bar starts anew.
#[track_caller]
pub fn stage_of(index: impl Count, of: impl Count, name: impl Into<String>) {
    let name = name.into();
    report("stage_of", |progress| progress.stage_of(index, of, name));
}

/// Adds a line to the current run's log.
///
/// A body that says more than is stored meanwhile waits here, and leaves here when it is to stop; in tasks that share
/// their threads, lines are left out instead, and counted: see [`Progress::log`].
#[track_caller]
pub fn log(text: impl Into<String>) {
    let text = text.into();
    report("log", |progress| progress.log(text));
}

/// Adds a warning to the current run's log: something a person should look at.
#[track_caller]
pub fn warn(text: impl Into<String>) {
    let text = text.into();
    report("warn", |progress| progress.warn(text));
}

/// Counts one more of this outcome of the current run: `tally("imported")`. A person sees every outcome with its
/// count, in order of first use.
///
/// A name is cut at 80 characters; beyond 20 names, further ones are counted under `other`. Costs some tens of
/// nanoseconds, so it can be called for every item.
#[track_caller]
pub fn tally(outcome: impl AsRef<str>) {
    let outcome = outcome.as_ref();
    report("tally", |progress| progress.tally(outcome));
}

/// Counts `n` more of this outcome of the current run: `tally_of("imported", rows.len())`.
#[track_caller]
pub fn tally_of(outcome: impl AsRef<str>, n: impl Count) {
    let outcome = outcome.as_ref();
    report("tally_of", |progress| progress.tally_of(outcome, n));
}

/// Says that one item of the current run's work failed, for this reason, and that the run goes on.
///
/// It adds an error to the log, `{item}: {reason}`, and counts under `failed`. The first 100 are kept with the run,
/// for a list of what is left to be looked at.
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

/// Hands the finished file at `path` to the current run, which offers it for download as `name`.
///
/// # Errors
///
/// When the file cannot be moved into the run's folder, when `name` is empty, or outside a run.
#[track_caller]
pub fn artifact(name: &str, path: impl AsRef<Path>) -> std::io::Result<()> {
    let path = path.as_ref();
    let outside = || Err(std::io::Error::other("artifact was called outside a run"));
    report("artifact", |progress| progress.artifact(name, path)).unwrap_or_else(outside)
}

/// True once the program has been asked to end, which waits a while for the runs it executes.
///
/// A loop that keeps no cursor would be cut off somewhere. Here it can come to an end of its own, between two
/// pieces of its work, and return. Outside a run it is always false.
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
    // Code that is shared with what is no run may ask too: that is no lost report.
    let inside = with_current(|_| ()).is_some();
    inside && report("shutting_down", Progress::is_shutting_down).unwrap_or(false)
}

/// Ends the current run here, as succeeded, with `data` as its result. Nothing after it runs.
///
/// What cannot be written as JSON is left out of the result, with a warning in the log: the work is done all the same.
///
/// Destructors do run, as they do when a function returns early. With `panic = "abort"` there is no
/// unwinding: the run ends all the same, but the calling thread is parked for good.
///
/// # Panics
///
/// Outside a run there is nothing to end, and the call panics.
#[track_caller]
pub fn end_process(data: impl Serialize) -> ! {
    let Some(progress) = Progress::current() else {
        // Not reachable from input: a call that stands outside every process.
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

/// The current run, for what reports to it from then on, wherever it is. Outside a run that is one call that
/// goes nowhere.
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

/// Kept apart, so that the way past it is short enough to become a part of the loop that reports.
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

/// How many helper calls, since the program started, were made outside a run and so went nowhere.
pub fn orphaned_calls() -> u64 {
    OUTSIDE.load(Ordering::Relaxed)
}

/// One error for each place in the source, however often it is passed.
#[cold]
fn outside(helper: &'static str, caller: &'static Location<'static>) {
    OUTSIDE.fetch_add(1, Ordering::Relaxed);
    if SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(caller) {
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
        let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
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
