//! Owns which runs are taken up here, and when: free places, hints, requests.
//! Refuses to know how a run is executed.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};

use super::{Phase, Running, Shared, pump};
use crate::store::{Claim, Hint};
use crate::text::OneLine;

/// How long the claim loop waits for a hint before it looks by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Takes one run after the other, as long as there are free places.
pub(super) async fn claim_runs(shared: Arc<Shared>) {
    let mut hints = shared.store.hints();
    let mut phase = shared.phase.subscribe();
    let lease = shared.settings.lease;
    // Far below what counts as standing still.
    let pause = LOOK_AGAIN.min(lease / 6);
    let mut looked = Instant::now();
    while *phase.borrow_and_update() == Phase::Working {
        // First: from the look at the clock to the claim there are only a few instructions.
        let wanted = shared.wanted.clone();
        let stood_still = looked.elapsed() > lease / 3;
        looked = Instant::now();
        if stood_still {
            // The whole program has: what it holds may look abandoned, and is not. What the hearts hear is
            // left to the runs; and while they beat, it may stand still again.
            let held: Vec<_> = shared.running().values().map(|run| run.lease).collect();
            join_all(held.into_iter().map(|held| shared.store.heartbeat(held, lease))).await;
            continue;
        }
        if shared.running().len() < shared.settings.max_running {
            match shared.store.claim(wanted).await {
                Ok(Some(claim)) => {
                    begin(&shared, claim);
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!("no run could be claimed: {}", OneLine(&error)),
            }
        }
        let look_again = sleep(pause);
        tokio::pin!(look_again);
        loop {
            tokio::select! {
                () = &mut look_again => break,
                () = shared.freed.notified() => break,
                _ = phase.changed() => break,
                hint = hints.recv() => match hint {
                    Ok(Hint::Queued) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

/// Executes a claimed run in the background.
fn begin(shared: &Arc<Shared>, claim: Claim) {
    let id = claim.run.id;
    let nudge = Arc::new(Notify::new());
    let running = Running { lease: claim.lease, nudge: Arc::clone(&nudge), progress: None };
    shared.running().insert(id, running);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        if pump::execute(&shared, claim, nudge).await {
            shared.secrets.forget(id);
        }
        shared.running().remove(&id);
        shared.freed.notify_waiters();
        // For a claim loop that is not waiting at this moment.
        shared.freed.notify_one();
    });
}

/// Makes the heart of a run beat as soon as something is asked of it.
pub(super) async fn pass_on_requests(shared: Arc<Shared>) {
    let mut hints = shared.store.hints();
    loop {
        match hints.recv().await {
            Ok(Hint::Requested(id)) => {
                if let Some(running) = shared.running().get(&id) {
                    running.nudge.notify_one();
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => shared.running().values().for_each(|run| run.nudge.notify_one()),
            Err(RecvError::Closed) => return,
        }
    }
}
