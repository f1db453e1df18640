//! Claims runs from the store while there are free places, and executes them.

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

/// How long the claim loop waits for a notification before it looks by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How long a run that may be what ends programs is executed without others of its kind, unless it makes progress.
const TRIAL: Duration = Duration::from_secs(60);

static NO_PLACE: Throttle = Throttle::every(Duration::from_secs(60));
static NO_CLAIM: Throttle = Throttle::every(Duration::from_secs(10));

/// Takes one run after the other, as long as there are free places.
pub(super) async fn claim_runs(shared: Arc<Inner>) {
    let mut notifications = shared.store.notifications();
    let mut phase = shared.phase.subscribe();
    // Asked for again until it is answered: a run that was given may not be held by nobody.
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
                    if given.abandoned && given.run.books.crashes > 1 {
                        trial = Some(Trial { lease: given.lease, until: asked_at + TRIAL });
                    }
                    begin(&shared, given, asked_at);
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    if let Some(left_out) = NO_CLAIM.admit() {
                        tracing::error!("no run could be claimed: {}{left_out}", OneLine(&error));
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
                "no run is begun: all places are taken by bodies that did not stop when their runs were \
                     ended{left_out}"
            );
        }
        let look_again = sleep(LOOK_AGAIN);
        tokio::pin!(look_again);
        loop {
            tokio::select! {
                () = &mut look_again => break,
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

/// A run that has lost its program twice in a row. Until it has made progress, no other such run is begun: should it end
/// the program once more, it does so alone.
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

/// Gives back what an unanswered claim was given: this node begins nothing any more.
async fn give_back(shared: &Inner, claim: ClaimId) {
    let nothing_else = ClaimRequest { claim, processes: Vec::new(), orphans: false, ..shared.wanted.clone() };
    if let Ok(Some(Claim { lease, run, .. })) = shared.store.claim(nothing_else).await {
        let batch = Batch { elapsed_ms: run.elapsed_ms, ..Batch::default() };
        if let Err(error) = shared.store.release(lease, batch, Release::Queued).await {
            tracing::error!(run = %run.id, "the run could not be given back: {}", OneLine(&error));
        }
    }
}

/// Executes a claimed run in the background.
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
        // For a claim loop that is not waiting at this moment.
        shared.freed.notify_one();
    });
}

/// Makes the heart of a run beat as soon as something is asked of it.
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
                shared.running.lock().values().for_each(|run| run.nudge.notify_one())
            }
            Err(RecvError::Closed) => return,
        }
    }
}
