//! Renews the lease of one run by heartbeats, from its claim to its end: passes on what was asked of the run, and
//! stops the run before the lease can be given to another node.

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

/// What is known of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// It holds, and this was asked of the run.
    Held(Option<Control>),
    /// Somebody else holds the run, or may by now; or it has ended.
    Lost,
}

/// Keeps a lease until it is dropped, in a task of its own: nothing that the run waits for can cost the lease.
pub(super) struct LeaseKeeper {
    known: watch::Receiver<Kept>,
    task: JoinHandle<()>,
}

impl LeaseKeeper {
    /// Keeps a lease that was asked for at this moment, and holds for this long from then on.
    pub(super) fn start(
        store: Arc<dyn Store>,
        lease: Lease,
        duration: Duration,
        asked_at: Instant,
        nudge: Arc<Notify>,
    ) -> Self {
        let (known, receiver) = watch::channel(Kept::Held(None));
        let heart = Heart { store, lease, duration, held_since: asked_at, nudge, known };
        Self { known: receiver, task: tokio::spawn(heart.beat()) }
    }

    /// Waits until something else is known of it.
    pub(super) async fn changed(&mut self) -> Kept {
        match self.known.changed().await {
            Ok(()) => *self.known.borrow_and_update(),
            // The task ends only behind these words.
            Err(_) => Kept::Lost,
        }
    }

    /// True when the run may be somebody else's by now.
    pub(super) fn is_lost(&self) -> bool {
        *self.known.borrow() == Kept::Lost
    }
}

impl Drop for LeaseKeeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Heart {
    store: Arc<dyn Store>,
    lease: Lease,
    duration: Duration,
    /// When the store was asked for what it last gave: the lease counts from then, however long the answer took.
    held_since: Instant,
    /// Makes it beat now.
    nudge: Arc<Notify>,
    known: watch::Sender<Kept>,
}

impl Heart {
    async fn beat(mut self) {
        // A run that was asked to stop before its claim has to hear of it at once.
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
                Ok(Err(error)) => self.complain(&error),
                Err(_) => self.complain("the store has not answered in time"),
            };
        }
        self.publish(Kept::Lost);
    }

    /// When somebody else may have taken the run; never where nobody else can.
    fn over_at(&self) -> Option<Instant> {
        if self.store.is_exclusive() { None } else { self.held_since.checked_add(self.duration) }
    }

    fn complain(&self, why: impl std::fmt::Display) -> Option<Instant> {
        if let Some(left_out) = NO_HEARTBEAT.admit() {
            tracing::error!(run = %self.lease.run, "no heartbeat: {}{left_out}", OneLine(why));
        }
        Some(Instant::now() + RETRY_DELAY.min(self.duration / 3))
    }

    fn publish(&self, kept: Kept) {
        self.known.send_if_modified(|known| std::mem::replace(known, kept) != kept);
    }
}
