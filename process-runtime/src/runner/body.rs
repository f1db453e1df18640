//! Owns the call of a process's body: on a thread of its own, until it returns, fails, panics or is stopped.
//! Refuses to know what is done with the outcome.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tracing::info_span;

use super::Background;
use crate::context;
use crate::parameter::Invocation;
use crate::process::Process;
use crate::progress::{Progress, Stop, Unwound};
use crate::run::Outcome;
use crate::text::OneLine;

/// How a body came to its end.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// With an outcome to be stored.
    Outcome(Outcome),
    /// It returned this error: there may be another attempt.
    Error(String),
    /// Without one: somebody else holds the run.
    LeaseLost,
    /// Without one: it was stopped to make room, at a save where it has those.
    Yielded,
}

/// Starts the body on a new thread and gives the place where its end will be told.
pub(crate) fn start(
    process: &'static Process,
    invocation: Invocation,
    attempt: u32,
    runtime: Arc<Background>,
) -> oneshot::Receiver<End> {
    let (sender, receiver) = oneshot::channel();
    // The sender is shared with the failure path below: a thread that never started tells nobody.
    let sender = Arc::new(Mutex::new(Some(sender)));
    let tell = {
        let sender = Arc::clone(&sender);
        move |end| {
            if let Some(sender) = sender.lock().ok().and_then(|mut sender| sender.take()) {
                let _ = sender.send(end);
            }
        }
    };
    let told = tell.clone();
    // The process's name, so that it can be found in a debugger and in `top -H`.
    let thread = std::thread::Builder::new().name(process.path.into());
    let body = move || {
        let (route, id) = (process.route(), invocation.progress.run_id());
        let span = info_span!(target: "process_runtime", "run", process = route, run = %id, attempt);
        // Nothing else is polled on this thread, so what happens on it happens in this run.
        let progress = invocation.progress.clone();
        let end = span.in_scope(|| progress.on_own_thread(|| run(process, invocation, &runtime)));
        drop(progress);
        // Whoever is told finds the runtime free of this thread.
        drop(runtime);
        told(end);
    };
    if let Err(error) = thread.spawn(body) {
        tell(End::Outcome(Outcome::Failed(format!("no thread could be started for the run: {error}"))));
    }
    receiver
}

/// How the call of a body was left.
enum Left {
    /// It returned.
    Returned(Outcome),
    /// It could not be called, or it panicked: for this reason.
    Broken(String),
    /// It was stopped.
    Stopped,
}

fn run(process: &'static Process, invocation: Invocation, runtime: &Background) -> End {
    let progress = invocation.progress.clone();
    let ended = catch_unwind(AssertUnwindSafe(|| match (process.entry)(invocation) {
        Ok(body) => {
            let until = context::scope(progress.clone(), until_stopped(body, &progress));
            runtime.block_on(until).map(|ended| ended.map(Left::Returned))
        }
        Err(errors) => Some(Ok(Left::Broken(format!("the input does not fit: {errors}")))),
    }));
    let left = match ended.unwrap_or_else(|payload| Some(Err(payload))) {
        Some(Ok(left)) => left,
        Some(Err(payload)) if !payload.is::<Unwound>() => {
            let details = text_of(&*payload);
            tracing::error!(run = %progress.run_id(), process = process.path, "the process panicked: {}", OneLine(details));
            Left::Broken("the process panicked".into())
        }
        None | Some(Err(_)) => Left::Stopped,
    };
    end_of(process, &progress, left)
}

/// The end of a body whose thread is parked for good.
pub(super) fn parked(process: &Process, progress: &Progress) -> End {
    end_of(process, progress, Left::Stopped)
}

fn end_of(process: &Process, progress: &Progress, left: Left) -> End {
    End::Outcome(match (progress.stop_reason(), left) {
        (Some(Stop::LeaseLost), _) => return End::LeaseLost,
        // Whatever the body makes of it: a part of it has left at a save, and its work is not done.
        (Some(Stop::Yielded), _) if process.is_resumable() => return End::Yielded,
        // What end_process said stands, even if the body caught its unwinding and went on.
        (Some(Stop::Ended(outcome)), _) => outcome,
        (_, Left::Returned(outcome @ Outcome::Succeeded(_))) => outcome,
        // A body that was asked to stop may see its own tasks fail first. That is no failure.
        (Some(Stop::Cancelled), _) => Outcome::Cancelled,
        (Some(Stop::Yielded), _) => return End::Yielded,
        (None, Left::Returned(Outcome::Failed(error))) => return End::Error(error),
        (None, Left::Returned(outcome)) => outcome,
        (None, Left::Broken(reason)) => Outcome::Failed(reason),
        (None, Left::Stopped) => Outcome::Failed("the process was stopped by the end of another run".into()),
    })
}

type Payload = Box<dyn Any + Send>;

/// Polls the body until it ends; `None` when it was stopped at an await and dropped there.
async fn until_stopped(
    body: crate::process::BoxFuture<'static, Outcome>,
    progress: &Progress,
) -> Option<Result<Outcome, Payload>> {
    let body = AssertUnwindSafe(body).catch_unwind();
    let stopped = std::pin::pin!(progress.stopped());
    match select(stopped, body).await {
        Either::Right((ended, _)) => Some(ended),
        Either::Left(((), mut body)) => {
            // A body may come to its end with what woke it. Not one whose run is gone: it would act on the
            // end of its own tasks, and nobody could be told.
            let gone = progress.stop_reason() == Some(Stop::LeaseLost);
            if let Some(ended) = (!gone).then(|| (&mut body).now_or_never()).flatten() {
                return Some(ended);
            }
            progress.close();
            // Destructors of the body run here, and may panic like any other code of its author.
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(body))).err().map(Err);
            // What the body has left behind, in tasks and threads, leaves at its next report.
            progress.closed();
            dropped
        }
    }
}

/// What a panic said, for the server's log.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests;
