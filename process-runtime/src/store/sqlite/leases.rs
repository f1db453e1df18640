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

impl Held {
    fn new(epoch: u64, duration: Duration) -> Self {
        Self { epoch, until: Instant::now().checked_add(duration) }
    }

    fn is_over(&self, at: Instant) -> bool {
        self.until.is_some_and(|until| until <= at)
    }
}

impl Leases {
    /// Gives a lease on a run that the one with this epoch was the last to hold. False if that still held at
    /// this moment: in one step, so that a heartbeat cannot come in between.
    pub(super) fn take(&self, lease: Lease, last: u64, duration: Duration, at: Instant) -> bool {
        let mut all = self.all();
        if all.get(&lease.run).is_some_and(|held| held.epoch == last && !held.is_over(at)) {
            return false;
        }
        all.insert(lease.run, Held::new(lease.epoch, duration));
        true
    }

    /// The lease holds for this long from now on. False when somebody has taken the run since.
    pub(super) fn extend(&self, lease: Lease, duration: Duration) -> bool {
        match self.all().get_mut(&lease.run) {
            Some(held) if held.epoch == lease.epoch => {
                *held = Held::new(lease.epoch, duration);
                true
            }
            _ => false,
        }
    }

    /// The lease is over, if nobody has taken the run since.
    pub(super) fn let_go(&self, lease: Lease) {
        let mut all = self.all();
        if all.get(&lease.run).is_some_and(|held| held.epoch == lease.epoch) {
            all.remove(&lease.run);
        }
    }

    /// Whoever held the run, it has ended.
    pub(super) fn forget(&self, run: RunId) {
        self.all().remove(&run);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<RunId, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
