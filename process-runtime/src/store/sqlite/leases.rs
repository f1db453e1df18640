//! The leases: which runs are held, by which claim, and until when.
//!
//! They are in memory only. While this process has the file open, no other holder can be alive, and when the file is
//! opened again, no earlier holder is. So a heartbeat costs no write, and no lease depends on the time of day.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::{ClaimId, Lease, NodeId};
use crate::run::RunId;

/// The leases granted since the file was opened.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<RunId, HeldLease>>);

#[derive(Debug, Clone, Copy)]
struct HeldLease {
    lease: Lease,
    node: NodeId,
    /// The run was taken from a holder whose lease had expired.
    abandoned: bool,
    /// `None` if the duration is too long to add to the clock.
    until: Option<Instant>,
}

impl Leases {
    /// Grants a lease on a run whose last holder had the epoch `last`. Returns false if that lease is still valid, or
    /// if it belongs to the same node: a node that claims is alive, even if its heartbeats are late. It is one step, so
    /// that no heartbeat can come in between.
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

    /// Grants a lease on a run without a holder, whatever an earlier lease was.
    pub(super) fn give(&self, lease: Lease, node: NodeId, duration: Duration) {
        let until = Instant::now().checked_add(duration);
        self.0.lock().insert(lease.run, HeldLease { lease, node, abandoned: false, until });
    }

    /// Returns the lease of this claim, and whether its run was abandoned before. The lease may have expired.
    pub(super) fn of_claim(&self, claim: ClaimId) -> Option<(Lease, bool)> {
        let all = self.0.lock();
        let held = all.values().find(|held| held.lease.claim == claim);
        held.map(|held| (held.lease, held.abandoned))
    }

    /// Renews the lease for this long from now. Returns false if another holder has the run.
    pub(super) fn extend(&self, lease: Lease, duration: Duration) -> bool {
        match self.0.lock().get_mut(&lease.run) {
            Some(held) if held.lease == lease => {
                held.until = Instant::now().checked_add(duration);
                true
            }
            _ => false,
        }
    }

    /// Ends the lease, unless another holder has the run.
    pub(super) fn end(&self, lease: Lease) {
        let mut all = self.0.lock();
        if all.get(&lease.run).is_some_and(|held| held.lease == lease) {
            all.remove(&lease.run);
        }
    }

    /// Removes the lease of a run that has ended.
    pub(super) fn forget(&self, run: RunId) {
        self.0.lock().remove(&run);
    }
}
