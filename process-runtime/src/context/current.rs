//! Which run the current thread and the current task belong to.

use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::task::{Context, Poll};

use tracing::Instrument as _;

use crate::progress::Progress;

thread_local! {
    /// The run that this thread executes. For speed it has no destructor and no borrow counter: code that sets or takes
    /// the handle must restore the previous one.
    static CURRENT: Cell<Option<ManuallyDrop<Progress>>> = const { Cell::new(None) };
}

/// Puts the handle back that was current before.
struct Restored(Option<ManuallyDrop<Progress>>);

impl Drop for Restored {
    #[inline]
    fn drop(&mut self) {
        if let Some(progress) = CURRENT.replace(self.0.take()) {
            drop(ManuallyDrop::into_inner(progress));
        }
    }
}

/// Restores the handle that was taken.
struct Lent(Option<ManuallyDrop<Progress>>);

impl Drop for Lent {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Lends the current handle to `action`, which calls no code of others: in there, nothing is current.
#[inline]
pub(super) fn with_current<R>(action: impl FnOnce(&Progress) -> R) -> Option<R> {
    let lent = Lent(CURRENT.take());
    lent.0.as_deref().map(action)
}

/// A future that is polled, and dropped, as a part of a run.
struct Scoped<F> {
    run: Progress,
    /// `None` once it is done.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Self { run, future } = &mut *self;
        run.enter(|| {
            let Some(inner) = future else { return Poll::Pending };
            let polled = inner.as_mut().poll(context);
            if polled.is_ready() {
                *future = None;
            }
            polled
        })
    }
}

impl<F> Drop for Scoped<F> {
    fn drop(&mut self) {
        let Self { run, future } = self;
        // Destructors may report too.
        run.enter(|| *future = None);
    }
}

/// Polls `future` as a part of the run behind `progress`.
pub(crate) fn scope<F: Future>(progress: Progress, future: F) -> impl Future<Output = F::Output> {
    Scoped { run: progress, future: Some(Box::pin(future)) }
}

impl Progress {
    /// Runs `body` on this thread as a part of the run, so that the free helpers report to it.
    ///
    /// For threads of your own, rayon and callbacks: the current run is not inherited there.
    ///
    /// ```
    /// use process_runtime::{Progress, set_progress_of};
    ///
    /// # let progress = Progress::detached();
    /// let handle = progress.clone();
    /// std::thread::spawn(move || handle.enter(|| set_progress_of(1, 2))).join().unwrap();
    /// assert_eq!(progress.state().percent, Some(50.0));
    /// ```
    pub fn enter<R>(&self, body: impl FnOnce() -> R) -> R {
        let _outer = Restored(CURRENT.replace(Some(ManuallyDrop::new(self.clone()))));
        body()
    }

    /// Wraps a future as a part of the run, so that the free helpers in it report to the run, on whatever task it is polled.
    ///
    /// For a `tokio::task::JoinSet` and other places where tasks are spawned by something other than
    /// [`spawn`](crate::spawn): the current run is not inherited there.
    ///
    /// ```
    /// use process_runtime::{Progress, tally};
    /// use tokio::task::JoinSet;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let progress = Progress::detached();
    /// let mut tasks = JoinSet::new();
    /// for _ in 0..3 {
    ///     tasks.spawn(progress.scope(async { tally("sent") }));
    /// }
    /// tasks.join_all().await;
    /// assert_eq!(progress.state().counts.get("sent"), 3);
    /// # }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        scope(self.clone(), future).in_current_span()
    }

    /// The handle of the run that the current task belongs to, if it belongs to one.
    pub fn current() -> Option<Self> {
        with_current(Self::clone)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Progress, log, set_progress_of, spawn};

    fn lines(progress: &Progress) -> Vec<String> {
        progress.read().lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn outer_run_restored_after_inner_panic() {
        let (outer, inner) = (Progress::detached(), Progress::detached());
        outer.enter(|| {
            inner.enter(|| log("inside"));
            let panicked = std::panic::catch_unwind(|| {
                inner.enter(|| -> () {
                    log("still inside");
                    std::panic::resume_unwind(Box::new(()));
                });
            });
            assert!(panicked.is_err());
            log("outside");
        });
        assert!(Progress::current().is_none());
        assert_eq!(
            (lines(&outer), lines(&inner)),
            (vec!["outside".into()], vec!["inside".into(), "still inside".into()])
        );
    }

    #[test]
    fn progress_handle_is_not_leaked() {
        let progress = Progress::detached();
        progress.enter(|| {
            set_progress_of(1, 2);
            log("a line");
        });
        assert_eq!(progress.holders(), 1);
    }

    #[test]
    fn into_string_may_call_helpers() {
        struct Talkative;
        impl From<Talkative> for String {
            fn from(_: Talkative) -> Self {
                log("before");
                "after".into()
            }
        }
        let progress = Progress::detached();
        progress.enter(|| log(Talkative));
        assert_eq!(lines(&progress), ["before", "after"]);
    }

    #[tokio::test]
    async fn tasks_keep_their_run_until_dropped() {
        struct Guard(&'static str);
        impl Drop for Guard {
            fn drop(&mut self) {
                log(self.0);
            }
        }
        let (first, second) = (Progress::detached(), Progress::detached());
        let wait = |name| async move {
            let _guard = Guard(name);
            std::future::pending::<()>().await;
        };
        let tasks = [first.enter(|| spawn(wait("first"))), second.enter(|| spawn(wait("second")))];
        let done = second.enter(|| spawn(async { log("done") }));
        done.await.unwrap();
        for task in tasks {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        assert_eq!(
            (lines(&first), lines(&second)),
            (vec!["first".into()], vec!["done".into(), "second".into()])
        );
    }
}
