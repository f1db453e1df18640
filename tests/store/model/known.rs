//! One run in the model.

use std::collections::BTreeMap;

use jiff::Timestamp;
use process_runtime::store::{ClaimId, Control, Lease};
use process_runtime::{
    Run, RunStatus,
    run::{LogLine, Outcome},
};
use serde_json::Value;

use RunStatus::{Cancelled, Failed, Interrupted, Succeeded};

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) run: Run,
    pub(super) key: Option<String>,
    pub(super) epoch: u64,
    /// The last claim.
    pub(super) claim: Option<ClaimId>,
    /// The pending control request.
    pub(super) asked: Option<Control>,
    /// When a failed attempt was released, by the clock at that time.
    pub(super) given_up: Option<Timestamp>,
    pub(super) log: BTreeMap<u64, LogLine>,
    /// The lease that is remembered, and whether it still holds.
    pub(super) lease: Option<(u64, bool)>,
}

impl Known {
    pub(super) fn was_last_held_by(&self, lease: Lease) -> bool {
        (self.run.id, self.epoch, self.claim) == (lease.run, lease.epoch, Some(lease.claim))
    }

    pub(super) fn clear_lease_state(&mut self) {
        (self.asked, self.lease) = (None, None);
        (self.run.pausing, self.run.stalled) = (false, false);
        self.run.progress.estimate = None;
        self.run.bookkeeping.claimed = None;
    }

    pub(super) fn end(&mut self, outcome: Outcome, now: Timestamp) {
        self.clear_lease_state();
        let run = &mut self.run;
        let earliest = run.started_at.unwrap_or(run.created_at).max(run.created_at);
        run.finished_at = Some(now.max(earliest));
        run.due_at = None;
        self.given_up = None;
        match outcome {
            Outcome::Succeeded(result) => {
                run.status = Succeeded;
                run.result = if result == Value::Null { None } else { Some(result) };
                let (current, total) = (run.progress.current, run.progress.total);
                if current.zip(total).is_none_or(|(current, total)| current >= total) {
                    run.progress.percent = Some(100.0);
                }
                run.bookkeeping.cursor = None;
            }
            Outcome::Failed(failure) => {
                (run.status, run.error, run.causes) = (Failed, Some(failure.message), failure.causes);
            }
            Outcome::Interrupted(error) => (run.status, run.error) = (Interrupted, Some(error)),
            Outcome::Cancelled => run.status = Cancelled,
            other => panic!("the model knows nothing of {other:?}"),
        }
    }
}
