//! What the operator's log says of runs that did not succeed: one line for each.

use super::verdict::Verdict;
use crate::run::{Failure, Outcome, Run, RunStatus};
use crate::text::OneLine;

/// Reports the stored end of a run.
pub(super) fn ended(run: &Run, verdict: &Verdict) {
    let Run { id, process, attempt, .. } = run;
    match (run.status, verdict) {
        (RunStatus::Failed, Verdict::Finish(Outcome::Failed(failure))) => tracing::error!(
            run = %id,
            process = %OneLine(process),
            attempt,
            panicked_at = failure.panic.as_ref().and_then(|panic| panic.place.as_deref()),
            "the run failed: {}",
            OneLine(for_operator(failure))
        ),
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
    tracing::warn!(
        run = %run.id,
        process = %OneLine(&run.process),
        attempt = run.attempt,
        panicked_at = failure.panic.as_ref().and_then(|panic| panic.place.as_deref()),
        "an attempt failed, and the run is retried: {}",
        OneLine(for_operator(failure))
    );
}

/// The failure with the message of its panic, which viewers are not told.
fn for_operator(failure: &Failure) -> String {
    let chain = failure.chain();
    match &failure.panic {
        Some(panic) if !chain.contains(&panic.message) => format!("{chain}: {}", panic.message),
        _ => chain,
    }
}
