//! Which runs are held, by whom and for how long.
//!
//! In memory only: while this process has the file, no other holder can be alive, and when it is opened
//! again, none of those before is. So a heartbeat costs no write, and no lease hangs on the time of day.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::{ClaimId, Lease, NodeId};
use crate::run::RunId;

/// The leases that were given since the file was opened.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<RunId, HeldLease>>);

#[derive(Debug, Clone, Copy)]
struct HeldLease {
    lease: Lease,
    node: NodeId,
    /// The run was taken from a holder that had died.
    abandoned: bool,
    /// `None` for longer than anybody can count.
    until: Option<Instant>,
}

impl Leases {
    /// Gives a lease on a run that the one with the epoch `last` was the last to hold. False if that one still holds,
    /// or if the run was its node's: whoever can ask is alive, however long nothing was heard of it. In one step, so
    /// that a heartbeat cannot come in between.
    pub(super) fn take(&self, lease: Lease, last: u64, node: NodeId, duration: Duration) -> bool {
        let mut all = self.0.lock();
        let (now, held) = (Instant::now(), all.get(&lease.run).filter(|held| held.lease.epoch == last));
        let is_over = |held: &HeldLease| held.until.is_some_and(|until| until <= now);
        if held.is_some_and(|held| held.node == node || !is_over(held)) {
            return false;
        }
        all.insert(lease.run, HeldLease { lease, node, abandoned: true, until: now.checked_add(duration) });
        true
    }

    /// Gives a lease on a run that nobody holds, whatever is remembered of an earlier holder.
    pub(super) fn give(&self, lease: Lease, node: NodeId, duration: Duration) {
        let until = Instant::now().checked_add(duration);
        self.0.lock().insert(lease.run, HeldLease { lease, node, abandoned: false, until });
    }

    /// The lease that this claim was given, and whether its run was abandoned before. It may be over.
    pub(super) fn of_claim(&self, claim: ClaimId) -> Option<(Lease, bool)> {
        let all = self.0.lock();
        let held = all.values().find(|held| held.lease.claim == claim);
        held.map(|held| (held.lease, held.abandoned))
    }

    /// The lease holds for this long from now on. False when somebody has taken the run since.
    pub(super) fn extend(&self, lease: Lease, duration: Duration) -> bool {
        match self.0.lock().get_mut(&lease.run) {
            Some(held) if held.lease == lease => {
                held.until = Instant::now().checked_add(duration);
                true
            }
            _ => false,
        }
    }

    /// The lease is over, if nobody has taken the run since.
    pub(super) fn let_go(&self, lease: Lease) {
        let mut all = self.0.lock();
        if all.get(&lease.run).is_some_and(|held| held.lease == lease) {
            all.remove(&lease.run);
        }
    }

    /// Whoever held the run, it has ended.
    pub(super) fn forget(&self, run: RunId) {
        self.0.lock().remove(&run);
    }
}
