//! Claims runs from the store while slots are free, and executes them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};

use super::{Inner, Phase, Running, execution};
use crate::store::{Batch, Claim, ClaimId, ClaimRequest, Lease, Notification, Release};
use crate::text::OneLine;
use crate::throttle::Throttle;

/// How long the claim loop waits for a notification before it polls the store.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// How long a run that may crash the program executes without others of its kind, unless it makes progress.
const TRIAL: Duration = Duration::from_secs(60);

static NO_PLACE: Throttle = Throttle::every(Duration::from_secs(60));
static NO_CLAIM: Throttle = Throttle::every(Duration::from_secs(10));

/// Claims one run after the other while slots are free.
pub(super) async fn claim_runs(shared: Arc<Inner>) {
    let mut notifications = shared.store.notifications();
    let mut phase = shared.phase.subscribe();
    // A claim is repeated with the same id until it is answered, so that no granted run is left without a holder.
    let mut claim = ClaimId::new();
    let mut is_unanswered = false;
    let mut trial = None::<Trial>;
    while *phase.borrow_and_update() == Phase::Working {
        trial = trial.filter(|trial| !trial.is_over(&shared));
        if shared.taken() < shared.settings.max_running {
            let asked_at = Instant::now();
            let wanted = ClaimRequest { claim, suspects: trial.is_none(), ..shared.wanted.clone() };
            let answer = shared.store.claim(wanted).await;
            is_unanswered = answer.is_err();
            match answer {
                Ok(Some(given)) => {
                    claim = ClaimId::new();
                    if given.abandoned && given.run.bookkeeping.crashes > 1 {
                        trial = Some(Trial { lease: given.lease, until: asked_at + TRIAL });
                    }
                    begin(&shared, given, asked_at);
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    if let Some(left_out) = NO_CLAIM.admit() {
                        tracing::error!("could not claim a run: {}{left_out}", OneLine(&error));
                    }
                }
            }
        }
        let most = shared.settings.max_running;
        if shared.running.lock().len() < most
            && shared.taken() >= most
            && let Some(left_out) = NO_PLACE.admit()
        {
            tracing::warn!(
                "no run is started: all slots are used by bodies that did not stop when their runs \
                     ended{left_out}"
            );
        }
        let poll_timer = sleep(POLL_INTERVAL);
        tokio::pin!(poll_timer);
        loop {
            tokio::select! {
                () = &mut poll_timer => break,
                () = shared.freed.notified() => break,
                _ = phase.changed() => break,
                notification = notifications.recv() => match notification {
                    Ok(Notification::Queued) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
    if is_unanswered {
        give_back(&shared, claim).await;
    }
}

/// A run that has lost its program twice in a row. Until it makes progress, no other such run starts: if it crashes the
/// program again, it is the only suspect.
struct Trial {
    lease: Lease,
    until: Instant,
}

impl Trial {
    fn is_over(&self, shared: &Inner) -> bool {
        let running = shared.running.lock();
        let Some(running) = running.get(&self.lease) else { return true };
        let has_progress = running.progress.as_ref().is_some_and(|progress| progress.has_stored_cursor());
        has_progress || self.until <= Instant::now()
    }
}

/// Releases the run of an unanswered claim, because this node starts no more runs.
async fn give_back(shared: &Inner, claim: ClaimId) {
    let nothing_else = ClaimRequest { claim, processes: Vec::new(), orphans: false, ..shared.wanted.clone() };
    if let Ok(Some(Claim { lease, run, .. })) = shared.store.claim(nothing_else).await {
        let batch = Batch { elapsed_ms: run.elapsed_ms, ..Batch::default() };
        if let Err(error) = shared.store.release(lease, batch, Release::Queued).await {
            tracing::error!(run = %run.id, "could not release the run: {}", OneLine(&error));
        }
    }
}

/// Executes a claimed run in a background task.
fn begin(shared: &Arc<Inner>, claim: Claim, asked_at: Instant) {
    let lease = claim.lease;
    let nudge = Arc::new(Notify::new());
    let running = Running { nudge: Arc::clone(&nudge), progress: None };
    shared.running.lock().insert(lease, running);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let (run, last_seq) = (claim.run.clone(), claim.last_seq);
        let executed = AssertUnwindSafe(execution::execute(&shared, claim, asked_at, nudge)).catch_unwind();
        let has_ended = match executed.await {
            Ok(has_ended) => has_ended,
            Err(_) => execution::abort(&shared, lease, run, last_seq).await,
        };
        if has_ended {
            shared.secrets.forget(lease.run);
        }
        shared.running.lock().remove(&lease);
        shared.freed.notify_waiters();
        // Stores the permit for a claim loop that is not waiting at the moment.
        shared.freed.notify_one();
    });
}

/// Triggers a heartbeat as soon as a control request for the run arrives.
pub(super) async fn pass_on_requests(shared: Arc<Inner>) {
    let mut notifications = shared.store.notifications();
    loop {
        match notifications.recv().await {
            Ok(Notification::Requested(id)) => {
                let of_run = |(lease, _): &(&Lease, &Running)| lease.run == id;
                shared
                    .running
                    .lock()
                    .iter()
                    .filter(of_run)
                    .for_each(|(_, running)| running.nudge.notify_one());
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => {
                shared.running.lock().values().for_each(|run| run.nudge.notify_one());
            }
            Err(RecvError::Closed) => return,
        }
    }
}
