//! Decides what happens to a run before its body is called and after it has ended: retry with backoff, resume or fail,
//! and the texts that people read.

use std::time::Duration;

use super::body::End;
use crate::process::{Policy, Process};
use crate::run::{Outcome, Run, RunStatus};
use crate::store::{Claim, Release};
use crate::text::clip;

/// What viewers read if the server that executed a run no longer renews its lease: it has stopped or hangs.
pub(crate) const INTERRUPTED: &str = "The server stopped responding while this was running.";
/// The same if the server shut down and had to stop the run.
const STOPPED: &str = "The server stopped while this was running.";
/// How many times in a row a run may lose its program before it is no longer tried again.
const MAX_CRASHES: u32 = 3;
/// How many bytes of the name of an unknown process a text contains.
const MAX_NAME: usize = 200;
/// The longest backoff, unless the process asks for a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(60 * 60);

/// What happens to a run.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It ends with this outcome.
    Finish(Outcome),
    /// It resumes later.
    Release(Release),
}

/// Decides whether a claimed run ends without a call of its body; `None` if the body is to be called.
pub(super) fn before(claim: &Claim, process: &Process) -> Option<Verdict> {
    let run = &claim.run;
    if claim.abandoned {
        if run.status == RunStatus::Cancelling {
            return Some(Verdict::Finish(Outcome::Cancelled));
        }
        // If only an update gave the process a cursor, the position of the run is unknown.
        if !process.is_resumable() || !run.bookkeeping.may_resume() {
            return Some(Verdict::Finish(Outcome::Interrupted(INTERRUPTED.into())));
        }
        if run.pausing {
            return Some(Verdict::Release(Release::Paused));
        }
        if run.bookkeeping.crashes >= MAX_CRASHES {
            let times =
                format!("The server stopped responding {MAX_CRASHES} times in a row while this was running");
            let why =
                "it is not retried automatically. If something else stopped the server, retry it yourself.";
            return Some(Verdict::Finish(Outcome::Failed(format!("{times}, so {why}").into())));
        }
    }
    // Whether input and cursor fit the current process shows when the body is called.
    None
}

/// What happens to a run whose holder has died and whose process is no longer part of the program.
pub(super) fn orphaned(run: &Run) -> Verdict {
    Verdict::Finish(match run.status {
        RunStatus::Cancelling => Outcome::Cancelled,
        _ => Outcome::Interrupted(format!(
            "{INTERRUPTED} Its process `{}` no longer exists.",
            clip(&run.process, MAX_NAME)
        )),
    })
}

/// What happens to a run whose body ended like this; `None` if another node decides.
pub(super) fn after(end: End, run: &Run, pausing: bool, process: &Process) -> Option<Verdict> {
    let failures = run.bookkeeping.failures;
    Some(match end {
        End::LeaseLost => return None,
        End::Outcome(outcome) => Verdict::Finish(outcome),
        End::Error(_) if failures < process.policy.retries => {
            let wait = backoff(&process.policy, failures, run.id.tag());
            Verdict::Release(Release::Retry(wait))
        }
        End::Error(error) => Verdict::Finish(Outcome::Failed(error)),
        // A body that cannot resume is never called again, whatever was requested.
        End::Yielded if pausing && process.is_resumable() => Verdict::Release(Release::Paused),
        End::Yielded if process.is_resumable() => Verdict::Release(Release::Queued),
        End::Yielded => Verdict::Finish(Outcome::Interrupted(STOPPED.into())),
    })
}

/// The delay before the next attempt: it doubles with each failure, plus up to a tenth of random jitter, so that runs
/// that failed together do not return together. `random` differs for each run.
fn backoff(policy: &Policy, failures: u32, random: u32) -> Duration {
    let doubled = policy.backoff.saturating_mul(2_u32.saturating_pow(failures));
    let wait = doubled.min(MAX_BACKOFF.max(policy.backoff));
    wait.saturating_add(wait / 1_000 * (random % 100))
}

#[cfg(test)]
mod tests {
    use process_runtime_macros::process;
    use serde_json::{Map, json};

    use super::*;
    use crate::cursor::Cursor;
    use crate::process::Controller;
    use crate::run::SavedCursor;
    use crate::store::{ClaimId, Lease};

    #[process(title = "Going on", crate = crate)]
    async fn go_on(_cursor: Cursor<u64>) {}

    #[test]
    fn run_without_cursor_is_not_repeated() {
        let process = GoOn::PROCESS;
        let verdict = |resumable, cursor: Option<u64>| {
            let mut run = Run::queued("go-on", "Going on", Map::new());
            (run.status, run.bookkeeping.resumable) = (RunStatus::Running, resumable);
            run.bookkeeping.cursor = cursor.map(|at| SavedCursor::new(json!(at)));
            let lease = Lease { run: run.id, epoch: 2, claim: ClaimId::new() };
            before(&Claim { lease, run, last_seq: 0, abandoned: true }, process)
        };
        let interrupted = Some(Verdict::Finish(Outcome::Interrupted(INTERRUPTED.into())));
        assert_eq!(verdict(Some(false), None), interrupted);
        for goes_on in [(Some(false), Some(3)), (Some(true), None), (None, None)] {
            assert_eq!(verdict(goes_on.0, goes_on.1), None, "{goes_on:?}");
        }
    }

    #[test]
    fn retry_backoff_doubles_to_an_hour() {
        let policy = Policy { backoff: Duration::from_secs(10), ..Policy::DEFAULT };
        let waits: Vec<u64> = (0..4).map(|failures| backoff(&policy, failures, 0).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80]);
        assert_eq!(backoff(&policy, 100, 0), MAX_BACKOFF);
        assert_eq!(backoff(&policy, 0, 99), Duration::from_millis(10_990));
        let patient = Policy { backoff: Duration::from_secs(86_400), ..Policy::DEFAULT };
        assert_eq!(backoff(&patient, 5, 0), Duration::from_secs(86_400));
        let endless = Policy { backoff: Duration::MAX, ..Policy::DEFAULT };
        assert_eq!(backoff(&endless, u32::MAX, u32::MAX), Duration::MAX);
    }
}
