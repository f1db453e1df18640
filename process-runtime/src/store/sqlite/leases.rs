//! Owns for how long each run is held.
//! Refuses to know who holds it, and what a record says.
//!
//! In memory only: while this process has the file, no other holder can be alive, and when it is opened
//! again, none of those before is. So a heartbeat costs no write, and no lease hangs on the time of day.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::Lease;
use crate::run::RunId;

/// The leases that were given since the file was opened.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<HashMap<RunId, Held>>);

#[derive(Debug)]
struct Held {
    epoch: u64,
    /// `None` for longer than anybody can count.
    until: Option<Instant>,
}

impl Leases {
    /// The lease holds for this long from now on.
    pub(super) fn hold(&self, lease: Lease, duration: Duration) {
        let until = Instant::now().checked_add(duration);
        self.all().insert(lease.run, Held { epoch: lease.epoch, until });
    }

    /// True if the holder of the run was to be taken for alive at this moment.
    pub(super) fn holds(&self, run: RunId, epoch: u64, at: Instant) -> bool {
        let all = self.all();
        let held = all.get(&run).filter(|held| held.epoch == epoch);
        held.is_some_and(|held| held.until.is_none_or(|until| at < until))
    }

    /// The lease is over, if nobody has taken the run since.
    pub(super) fn let_go(&self, lease: Lease) {
        let mut all = self.all();
        if all.get(&lease.run).is_some_and(|held| held.epoch == lease.epoch) {
            all.remove(&lease.run);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<RunId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
