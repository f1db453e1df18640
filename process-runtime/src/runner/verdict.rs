//! What becomes of a run before its body is executed and after it has ended: retry with backoff, resume, fail, and
//! the words people read.

use std::time::Duration;

use super::body::End;
use crate::process::{Policy, Process};
use crate::run::{Outcome, Run, RunStatus};
use crate::store::{Claim, Release};
use crate::text::clip;

/// What a viewer reads when the server that executed a run has not renewed its lease: it has stopped, or hangs.
pub(crate) const INTERRUPTED: &str = "The server stopped responding while this was running.";
/// The same of a server that was asked to stop, and had to stop the run.
const STOPPED: &str = "The server stopped while this was running.";
/// So many times in a row a run may lose its program before it is not tried again.
const MAX_CRASHES: u32 = 3;
/// How much is said of the name of a process that nobody knows, in bytes.
const MAX_NAME: usize = 200;
/// The longest wait before a run is tried again, unless its process asks for a longer one.
const MAX_BACKOFF: Duration = Duration::from_secs(60 * 60);

/// What becomes of a run.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// It ends like this.
    Finish(Outcome),
    /// It goes on later.
    Release(Release),
}

/// What becomes of a claimed run without executing its body; `None` when that is to be executed.
pub(super) fn before(claim: &Claim, process: &Process) -> Option<Verdict> {
    let run = &claim.run;
    if claim.abandoned {
        if run.status == RunStatus::Cancelling {
            return Some(Verdict::Finish(Outcome::Cancelled));
        }
        // Where the process takes a cursor only since an update, nobody knows how far the run was.
        if !process.is_resumable() || !run.books.could_go_on() {
            return Some(Verdict::Finish(Outcome::Interrupted(INTERRUPTED.into())));
        }
        if run.pausing {
            return Some(Verdict::Release(Release::Paused));
        }
        if run.books.crashes >= MAX_CRASHES {
            let times =
                format!("The server stopped responding {MAX_CRASHES} times in a row while this was running");
            let why =
                "it is not retried automatically. If something else stopped the server, retry it yourself.";
            return Some(Verdict::Finish(Outcome::Failed(format!("{times}, so {why}"))));
        }
    }
    // Whether its input and its cursor fit the process as it is now, is seen when the body is called with them.
    None
}

/// What becomes of a run whose holder has died, and whose process is not part of the program any more.
pub(super) fn orphaned(run: &Run) -> Verdict {
    Verdict::Finish(match run.status {
        RunStatus::Cancelling => Outcome::Cancelled,
        _ => Outcome::Interrupted(format!(
            "{INTERRUPTED} Its process `{}` no longer exists.",
            clip(&run.process, MAX_NAME)
        )),
    })
}

/// What becomes of a run whose body has come to this end; `None` when that is nobody's business here.
pub(super) fn after(end: End, run: &Run, pausing: bool, process: &Process) -> Option<Verdict> {
    let failures = run.books.failures;
    Some(match end {
        End::LeaseLost => return None,
        End::Outcome(outcome) => Verdict::Finish(outcome),
        End::Error(_) if failures < process.policy.retries => {
            let wait = backoff(&process.policy, failures, run.id.tag());
            Verdict::Release(Release::Retry(wait))
        }
        End::Error(error) => Verdict::Finish(Outcome::Failed(error)),
        // What cannot go on where it was is never called again, whatever it was asked.
        End::Yielded if pausing && process.is_resumable() => Verdict::Release(Release::Paused),
        End::Yielded if process.is_resumable() => Verdict::Release(Release::Queued),
        End::Yielded => Verdict::Finish(Outcome::Interrupted(STOPPED.into())),
    })
}

/// The wait before the next attempt: twice as long after each failure, and up to a tenth longer, so that
/// what failed together does not come back together: `random` is another number for each run.
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
            (run.status, run.books.resumable) = (RunStatus::Running, resumable);
            run.books.cursor = cursor.map(|at| SavedCursor::new(json!(at)));
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
