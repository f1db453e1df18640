//! What the operator's log says of runs that did not succeed: one line for each.

use super::verdict::Verdict;
use crate::run::{Failure, Outcome, Run, RunStatus};
use crate::text::OneLine;

/// Reports the stored end of a run.
pub(super) fn ended(run: &Run, verdict: &Verdict) {
    let Run { id, process, attempt, .. } = run;
    match (run.status, verdict) {
        (RunStatus::Failed, Verdict::Finish(Outcome::Failed(failure))) => {
            let panicked_at = location(failure);
            tracing::error!(
                run = %id,
                process = %OneLine(process),
                attempt,
                panicked_at,
                "the run failed: {}",
                OneLine(for_operator(failure))
            );
        }
        (RunStatus::Interrupted, Verdict::Finish(Outcome::Interrupted(why))) => tracing::warn!(
            run = %id,
            process = %OneLine(process),
            attempt,
            "the run was interrupted: {}",
            OneLine(why)
        ),
        _ => {}
    }
}

/// Reports an attempt that is followed by another one.
pub(super) fn attempt_failed(run: &Run, failure: &Failure) {
    let (attempt, panicked_at) = (run.attempt, location(failure));
    tracing::warn!(
        run = %run.id,
        process = %OneLine(&run.process),
        attempt,
        panicked_at,
        "an attempt failed, and the run is retried: {}",
        OneLine(for_operator(failure))
    );
}

/// Where it panicked: a path, line and column of the source code, so nothing that a client can write.
fn location(failure: &Failure) -> Option<&str> {
    failure.panic.as_ref()?.place.as_deref()
}

/// The failure with the message of its panic, which viewers are not told.
fn for_operator(failure: &Failure) -> String {
    let chain = failure.chain();
    match &failure.panic {
        Some(panic) if !chain.contains(&panic.message) => format!("{chain}: {}", panic.message),
        _ => chain,
    }
}
