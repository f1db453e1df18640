//! Calls a process's body on its own thread, until it returns, fails, panics or is stopped.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tracing::info_span;

use super::Background;
use crate::context;
use crate::parameter::Invocation;
use crate::process::{BoxFuture, Ending, Process};
use crate::progress::{Progress, Stop, Unwound};
use crate::run::{Failure, Outcome, Panic};
use crate::text::panic_text;

/// How the execution of a body ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// With an outcome to store.
    Outcome(Outcome),
    /// It returned this error; there may be another attempt.
    Error(Failure),
    /// Without an outcome: the lease was lost.
    LeaseLost,
    /// Without an outcome: it was stopped at a save to free its slot.
    Yielded,
}

/// Starts the body on a new thread. The receiver gets its end.
pub(crate) fn start(
    process: &'static Process,
    invocation: Invocation,
    attempt: u32,
    runtime: Arc<Background>,
) -> oneshot::Receiver<End> {
    note_panics();
    let (sender, receiver) = oneshot::channel();
    // The failure path below shares the sender, because a thread that was not started sends nothing.
    let sender = Arc::new(Mutex::new(Some(sender)));
    let send_end = {
        let sender = Arc::clone(&sender);
        move |end| {
            if let Some(sender) = sender.lock().take() {
                let _ = sender.send(end);
            }
        }
    };
    let sender_of_body = send_end.clone();
    // The thread has the process's name, for debuggers and `top -H`.
    let thread = std::thread::Builder::new().name(process.path.into());
    let body = move || {
        let (route, id) = (process.route(), invocation.progress.run_id());
        let span = info_span!(target: "process_runtime", "run", process = route, run = %id, attempt);
        // Nothing else is polled on this thread, so everything on it belongs to this run.
        let progress = invocation.progress.clone();
        let end = span.in_scope(|| progress.on_own_thread(|| run(process, invocation, &runtime)));
        drop(progress);
        // The runtime is released before the end is sent, so that the receiver can stop it.
        drop(runtime);
        sender_of_body(end);
    };
    if let Err(error) = thread.spawn(body) {
        send_end(End::Outcome(Outcome::Failed(
            format!("could not start a thread for the run: {error}").into(),
        )));
    }
    receiver
}

/// Has every panic on a thread that belongs to a run noted with its place, for the operator's log, before the panic hook
/// of the program is called as usual: only a hook gets to know the place.
fn note_panics() {
    static NOTED: Once = Once::new();
    NOTED.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info.location().map(ToString::to_string);
            context::note_panic(|| Panic { message: panic_text(info.payload()).to_owned(), place });
            hook(info);
        }));
    });
}

/// How the call of a body ended.
enum Left {
    /// It returned.
    Returned(Outcome),
    /// It could not be called, or it panicked, for this reason.
    Broken(Failure),
    /// It was stopped.
    Stopped,
}

fn run(process: &'static Process, invocation: Invocation, runtime: &Background) -> End {
    let progress = invocation.progress.clone();
    let ended = catch_unwind(AssertUnwindSafe(|| match progress.enter(|| called(process, invocation)) {
        Ok(body) => {
            let until = context::scope(progress.clone(), until_stopped(body, &progress));
            let ended = runtime.block_on(until)?;
            Some(ended.map(|Ending { outcome, warning }| {
                warning.into_iter().for_each(|warning| progress.warn(warning));
                Left::Returned(outcome)
            }))
        }
        Err(why) => Some(Ok(Left::Broken(why.into()))),
    }));
    let mut left = match ended.unwrap_or_else(|payload| Some(Err(payload))) {
        Some(Ok(left)) => left,
        Some(Err(payload)) if !payload.is::<Unwound>() => {
            let message = panic_text(&*payload).to_owned();
            hint_at_poison(process, &progress, &message);
            let place =
                progress.take_panic().filter(|panic| panic.message == message).and_then(|panic| panic.place);
            let mut failure = Failure::from("the process panicked");
            failure.panic = Some(Panic { message, place });
            Left::Broken(failure)
        }
        None | Some(Err(_)) => Left::Stopped,
    };
    if let Left::Returned(Outcome::Failed(failure)) = &mut left {
        hint_at_poison(process, &progress, &failure.chain());
        // A task of the run has panicked, and the body has passed that on, or has caught a panic before.
        failure.panic = progress.take_panic();
    }
    end_of(process, &progress, left)
}

/// Calls the body with the stored input and cursor; returns why they do not fit otherwise.
fn called(
    process: &'static Process,
    mut invocation: Invocation,
) -> Result<BoxFuture<'static, Ending>, String> {
    let left_out = process.leave_out_unknown(&mut invocation.input);
    if !left_out.is_empty() {
        invocation.progress.warn(format!(
            "the process no longer has these fields, and is called without them: {}",
            left_out.join(", ")
        ));
    }
    // Starting over would repeat work that is done.
    let unused_cursor = invocation.cursor.as_ref().filter(|_| !process.is_resumable());
    if let Some(mismatch) = unused_cursor.and_then(|cursor| process.cursor_mismatch(cursor)) {
        return Err(mismatch);
    }
    let input = invocation.input.clone();
    (process.entry)(invocation).map_err(|errors| {
        format!("the stored values do not match the process: {}", process.explain(&errors, &input))
    })
}

/// A lock that a run has poisoned fails every later run until the program restarts. This tells the operator the cause
/// and the remedy.
fn hint_at_poison(process: &Process, progress: &Progress, said: &str) {
    if said.contains("PoisonError") || said.contains("poisoned") {
        tracing::warn!(
            run = %progress.run_id(),
            process = process.path,
            "a lock seems to be poisoned: an earlier run has panicked, or was stopped at a helper call, while it held \
             the lock's guard, and every run that takes the lock will fail. Drop the guard before helpers are called; \
             or take a lock without poison, such as parking_lot::Mutex or tokio::sync::Mutex; or unlock it by \
             lock().unwrap_or_else(PoisonError::into_inner)"
        );
    }
}

/// The end of a body whose thread is parked permanently.
pub(super) fn parked(process: &Process, progress: &Progress) -> End {
    end_of(process, progress, Left::Stopped)
}

fn end_of(process: &Process, progress: &Progress, left: Left) -> End {
    End::Outcome(match (progress.stop_reason(), left) {
        (Some(Stop::LeaseLost), _) => return End::LeaseLost,
        // Whatever the body returned: a part of it stopped at a save, so its work is not complete.
        (Some(Stop::Yielded), _) if process.is_resumable() => return End::Yielded,
        // The outcome of end_process applies, even if the body caught its unwinding and continued.
        (Some(Stop::Ended(outcome)), _) => outcome,
        (_, Left::Returned(outcome @ Outcome::Succeeded(_))) => outcome,
        // A body that was asked to stop may see its own tasks fail first. That is not a failure.
        (Some(Stop::Cancelled), _) => Outcome::Cancelled,
        (Some(Stop::Yielded), _) => return End::Yielded,
        (None, Left::Returned(Outcome::Failed(error))) => return End::Error(error),
        (None, Left::Returned(outcome)) => outcome,
        (None, Left::Broken(reason)) => Outcome::Failed(reason),
        (None, Left::Stopped) => Outcome::Failed("the process was stopped because another run ended".into()),
    })
}

type Payload = Box<dyn Any + Send>;

/// Polls the body until it ends; returns `None` if it was stopped and dropped at an await.
async fn until_stopped(
    body: BoxFuture<'static, Ending>,
    progress: &Progress,
) -> Option<Result<Ending, Payload>> {
    let body = AssertUnwindSafe(body).catch_unwind();
    let stopped = std::pin::pin!(progress.stopped());
    match select(stopped, body).await {
        Either::Right((ended, _)) => Some(ended),
        Either::Left(((), mut body)) => {
            // A body may end at this poll, unless its lease is lost: then it might only react to the end of its own
            // tasks, and its outcome could not be stored.
            let gone = progress.stop_reason() == Some(Stop::LeaseLost);
            if let Some(ended) = (!gone).then(|| (&mut body).now_or_never()).flatten() {
                return Some(ended);
            }
            progress.close();
            // Destructors of the body run here, and may panic.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(body))).err().map(Err);
            // Tasks and threads that the body left behind stop at their next report.
            progress.closed();
            dropped
        }
    }
}

#[cfg(test)]
mod tests;
