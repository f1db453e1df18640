//! Renews the lease of one run by heartbeats, from its claim to its end: passes on control requests, and stops the run
//! before the lease can be granted to another node.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::timing::{RETRY_DELAY, at};
use crate::meters;
use crate::store::{Control, Heartbeat, Lease, Store};
use crate::text::OneLine;
use crate::throttle::Throttle;

static NO_HEARTBEAT: Throttle = Throttle::every(Duration::from_secs(10));

/// The state of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It is valid, and this control request is pending.
    Held(Option<Control>),
    /// Another node has the run, or may have it by now; or the run has ended.
    Lost,
}

/// Renews a lease until it is dropped, in its own task, so that nothing the run waits for can cost the lease.
pub(super) struct LeaseKeeper {
    known: watch::Receiver<Kept>,
    task: JoinHandle<()>,
}

impl LeaseKeeper {
    /// Renews a lease that was requested at this moment, and is valid for this long from then on.
    pub(super) fn start(
        store: Arc<dyn Store>,
        lease: Lease,
        duration: Duration,
        asked_at: Instant,
        nudge: Arc<Notify>,
    ) -> Self {
        let (known, receiver) = watch::channel(Kept::Held(None));
        let heartbeats = HeartbeatTask { store, lease, duration, held_since: asked_at, nudge, known };
        Self { known: receiver, task: tokio::spawn(heartbeats.run()) }
    }

    /// Waits for a change.
    pub(super) async fn changed(&mut self) -> Kept {
        match self.known.changed().await {
            Ok(()) => *self.known.borrow_and_update(),
            // The task ends only after it has sent `Lost`.
            Err(_) => Kept::Lost,
        }
    }

    /// True if another node may have the run.
    pub(super) fn is_lost(&self) -> bool {
        *self.known.borrow() == Kept::Lost
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct HeartbeatTask {
    store: Arc<dyn Store>,
    lease: Lease,
    duration: Duration,
    /// When the last answered request was sent: the lease counts from then, however long the answer took.
    held_since: Instant,
    /// Triggers a heartbeat now.
    nudge: Arc<Notify>,
    known: watch::Sender<Kept>,
}

impl HeartbeatTask {
    async fn run(mut self) {
        // A control request that came before the claim is passed on immediately.
        let mut next = Some(self.held_since);
        loop {
            tokio::select! {
                () = self.nudge.notified() => {}
                () = at(next) => {}
                () = at(self.over_at()) => break,
            }
            let asked_at = Instant::now();
            let due_at = next.map_or(asked_at, |next| next.min(asked_at));
            let heartbeat = timeout(self.duration / 3, self.store.heartbeat(self.lease, self.duration));
            let answer = tokio::select! {
                answer = heartbeat => answer,
                () = at(self.over_at()) => break,
            };
            next = match answer {
                Ok(Ok(Heartbeat::Lost)) => break,
                Ok(Ok(held)) => {
                    meters::heartbeat(due_at.elapsed());
                    self.held_since = asked_at;
                    self.publish(match held {
                        Heartbeat::Requested(control) => Kept::Held(Some(control)),
                        Heartbeat::Held | Heartbeat::Lost => Kept::Held(None),
                    });
                    asked_at.checked_add(self.duration / 3)
                }
                Ok(Err(error)) => self.report_failure(&error),
                Err(_) => self.report_failure("the store has not answered in time"),
            };
        }
        self.publish(Kept::Lost);
    }

    /// When another node can take the run; `None` if no other node can.
    fn over_at(&self) -> Option<Instant> {
        if self.store.is_exclusive() { None } else { self.held_since.checked_add(self.duration) }
    }

    fn report_failure(&self, why: impl std::fmt::Display) -> Option<Instant> {
        if let Some(left_out) = NO_HEARTBEAT.admit() {
            tracing::error!(run = %self.lease.run, "could not renew the lease: {}{left_out}", OneLine(why));
        }
        Some(Instant::now() + RETRY_DELAY.min(self.duration / 3))
    }

    fn publish(&self, kept: Kept) {
        self.known.send_if_modified(|known| std::mem::replace(known, kept) != kept);
    }
}
