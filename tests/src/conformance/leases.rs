//! Leases: they expire, are granted again, and fence their former holder.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use process_runtime::store::{
    Batch, ClaimId, ClaimRequest, Control, Heartbeat, HomeId, Lease, NodeId, Release, Store, StoreError,
};
use process_runtime::{
    RunId, RunStatus,
    run::{Outcome, SavedCursor},
};
use serde_json::json;

use super::{
    LONG, Nodes, SHORT, batch_of, claimable, claimed, held, lines, run_of, stale, started, stored,
    taken_over, until, wanted,
};

fn shortly(process: &str, resumable: bool) -> ClaimRequest {
    wanted([claimable(process).resumable(resumable)]).lease(SHORT)
}

fn cursor(value: u64) -> Batch {
    let cursor = SavedCursor::new(json!(value));
    Batch::default().cursor(cursor)
}

pub async fn expired_lease_moves_with_higher_epoch(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let first = here.claim(shortly("count", false)).await.unwrap().unwrap();
    here.append(first.lease, batch_of(lines("line", [1, 2]))).await.unwrap();
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None, "it is held");
    let second = taken_over(&*there, shortly("count", false)).await;
    assert_eq!((second.run.id, second.last_seq), (first.run.id, 2));
    assert!(second.lease.epoch > first.lease.epoch);
    let third = taken_over(&*here, wanted([claimable("count")])).await;
    assert!(third.lease.epoch > second.lease.epoch);
}

pub async fn heartbeat_keeps_the_lease(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    // Long enough that a slow machine hears its heart beat in time.
    let lease = Duration::from_millis(900);
    let claim = here.claim(wanted([claimable("count")]).lease(lease)).await.unwrap().unwrap();
    let began = Instant::now();
    while began.elapsed() < lease * 2 {
        assert_eq!(here.heartbeat(claim.lease, lease).await, Ok(Heartbeat::Held));
        assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    // A renewal may extend the lease, but need not.
    assert_eq!(here.heartbeat(claim.lease, SHORT).await, Ok(Heartbeat::Held));
    taken_over(&*there, wanted([claimable("count")])).await;
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Lost));
}

pub async fn node_does_not_take_own_runs(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let node = NodeId::new();
    let of_node = || shortly("count", false).node(node);
    let claim = here.claim(of_node()).await.unwrap().unwrap();
    tokio::time::sleep(SHORT * 2).await;
    // The lease has expired, but the node is alive: a heartbeat or its answer was late.
    assert_eq!(here.claim(of_node()).await.unwrap(), None);
    here.append(claim.lease, batch_of(lines("line", [1]))).await.unwrap();
    taken_over(&*there, wanted([claimable("count")])).await;
    assert_eq!(here.append(claim.lease, Batch::default()).await, Err(StoreError::Fenced));
}

pub async fn orphans_are_claimed_on_request(Nodes { here, there }: Nodes) {
    started(&*here, run_of("removed")).await;
    let queued = started(&*here, run_of("gone too")).await;
    let first = here.claim(shortly("removed", true)).await.unwrap().unwrap();
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(there.claim(wanted([claimable("other")])).await.unwrap(), None);
    let orphans = wanted([claimable("other")]).orphans(true);
    let claim = taken_over(&*there, orphans.clone()).await;
    // The new holder can only end it: nothing else has changed.
    assert_eq!((claim.run.id, claim.run.attempt), (first.run.id, 1));
    assert_eq!(there.claim(orphans.claim(ClaimId::new())).await.unwrap(), None, "{queued:?} waits");
}

pub async fn suspects_are_claimed_on_request(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    here.claim(shortly("count", true)).await.unwrap().unwrap();
    let without = || shortly("count", true).suspects(false);
    // Lost once, it is an accident.
    let second = taken_over(&*there, without()).await;
    assert_eq!(second.run.bookkeeping.crashes, 1);
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(here.claim(without()).await.unwrap(), None);
    // Others are not held up by it.
    let other = started(&*here, run_of("other")).await;
    let wanting = [claimable("count"), claimable("other")];
    let claim = here.claim(wanted(wanting).suspects(false)).await.unwrap().unwrap();
    assert_eq!(claim.run.id, other.id);
    assert_eq!(taken_over(&*there, shortly("count", true)).await.run.bookkeeping.crashes, 2);
}

pub async fn abandoned_run_precedes_queued(Nodes { here, .. }: Nodes) {
    let first = started(&*here, run_of("count")).await;
    here.claim(shortly("count", false)).await.unwrap().unwrap();
    tokio::time::sleep(SHORT * 2).await;
    let mut urgent = run_of("count");
    urgent.priority = 100;
    let urgent = started(&*here, urgent).await;
    assert_eq!(taken_over(&*here, wanted([claimable("count")])).await.run.id, first.id);
    assert_eq!(claimed(&*here, "count").await.run.id, urgent.id);
}

pub async fn abandoned_run_needs_its_process(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    here.claim(shortly("count", false)).await.unwrap().unwrap();
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(there.claim(wanted([claimable("other")])).await.unwrap(), None);
    taken_over(&*there, wanted([claimable("other"), claimable("count")])).await;
}

pub async fn pinned_run_needs_its_folder(Nodes { here, there }: Nodes) {
    let (home, other) = (HomeId::new(), HomeId::new());
    let mut run = run_of("count");
    (run.bookkeeping.home, run.bookkeeping.pinned) = (Some(home), true);
    started(&*here, run).await;
    let free = started(&*here, run_of("count")).await;
    let at = |home| wanted([claimable("count")]).home(home);
    let claim = there.claim(at(other)).await.unwrap().unwrap();
    assert_eq!(claim.run.id, free.id, "the older one is left to its node");
    assert_eq!(there.claim(at(other)).await.unwrap(), None);
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
    let claim = here.claim(at(home).lease(SHORT).node_name("left".to_owned())).await.unwrap().unwrap();
    assert_eq!(claim.run.node.as_deref(), Some("left"));
    // Nor does another node take it over.
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(there.claim(at(other)).await.unwrap(), None);
    taken_over(&*there, at(home)).await;
}

pub async fn run_is_pinned_by_its_files(Nodes { here, there }: Nodes) {
    let (home, other) = (HomeId::new(), HomeId::new());
    let at = |home| wanted([claimable("count")]).home(home);
    started(&*here, run_of("count")).await;
    let first = here.claim(at(home).lease(SHORT)).await.unwrap().unwrap();
    assert_eq!(first.run.pinned_to(), None);
    let second = taken_over(&*there, at(other).lease(SHORT)).await;
    let file = serde_json::from_value(json!({ "name": "a.csv", "size": 1, "stored": "a" })).unwrap();
    there.append(second.lease, Batch::default().files(vec![file])).await.unwrap();
    assert_eq!(stored(&*here, second.run.id).await.pinned_to(), Some(other));
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(here.claim(at(home)).await.unwrap(), None);
    taken_over(&*here, at(other)).await;
}

pub async fn nonresumable_abandoned_run_is_unchanged(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let first = here.claim(shortly("count", false)).await.unwrap().unwrap();
    let second = taken_over(&*there, wanted([claimable("count")])).await;
    assert_eq!(second.run, first.run);
    assert_eq!(stored(&*here, first.run.id).await, second.run);
}

pub async fn resumable_abandoned_run_counts_crash(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let first = here.claim(shortly("count", true)).await.unwrap().unwrap();
    assert_eq!((first.run.attempt, first.run.bookkeeping.crashes), (1, 0));
    here.append(first.lease, cursor(1)).await.unwrap();
    for crashes in 1..=3 {
        let next = taken_over(&*there, shortly("count", true)).await;
        assert_eq!((next.run.attempt, next.run.bookkeeping.crashes), (1 + crashes, crashes));
        assert_eq!((next.run.status, next.run.started_at), (RunStatus::Running, first.run.started_at));
        assert_eq!(next.run.bookkeeping.cursor, cursor(1).cursor);
        assert_eq!(stored(&*here, next.run.id).await, next.run);
    }
}

pub async fn cancelled_or_pausing_abandoned_counts_nothing(Nodes { here, there }: Nodes) {
    for (control, status, pausing) in
        [(Control::Cancel, RunStatus::Cancelling, false), (Control::Pause, RunStatus::Running, true)]
    {
        started(&*here, run_of("count")).await;
        let first = here.claim(shortly("count", true)).await.unwrap().unwrap();
        here.control(first.run.id, control).await.unwrap();
        let next = taken_over(&*there, wanted([claimable("count").resumable(true)])).await;
        assert_eq!((next.run.id, next.run.status, next.run.pausing), (first.run.id, status, pausing));
        assert_eq!((next.run.attempt, next.run.bookkeeping.crashes), (1, 0));
        // The control request is still pending.
        assert_eq!(there.heartbeat(next.lease, LONG).await, Ok(Heartbeat::Requested(control)));
    }
}

pub async fn moving_cursor_resets_crash_count(Nodes { here, .. }: Nodes) {
    started(&*here, run_of("count")).await;
    let first = here.claim(shortly("count", true)).await.unwrap().unwrap();
    here.append(first.lease, cursor(1)).await.unwrap();
    let second = taken_over(&*here, wanted([claimable("count").resumable(true)])).await;
    assert_eq!(second.run.bookkeeping.crashes, 1);
    here.append(second.lease, batch_of(lines("line", [1]))).await.unwrap();
    here.append(second.lease, cursor(1)).await.unwrap();
    assert_eq!(stored(&*here, first.run.id).await.bookkeeping.crashes, 1, "it has not moved");
    here.append(second.lease, cursor(2)).await.unwrap();
    assert_eq!(stored(&*here, first.run.id).await.bookkeeping.crashes, 0);
}

pub async fn abandoned_run_keeps_its_slot(Nodes { here, .. }: Nodes) {
    let abandoned = started(&*here, run_of("count")).await;
    here.claim(shortly("count", false)).await.unwrap().unwrap();
    started(&*here, run_of("count")).await;
    let one = || wanted([claimable("count").concurrency(1)]);
    let next = taken_over(&*here, one()).await;
    assert_eq!(next.run.id, abandoned.id);
    assert_eq!(here.claim(one()).await.unwrap(), None);
}

pub async fn abandoned_run_has_one_claimer(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    here.claim(shortly("count", false)).await.unwrap().unwrap();
    let got = Arc::new(std::sync::Mutex::new(Vec::new()));
    let claims = (0..16).map(|n| {
        let store = if n % 2 == 0 { here.clone() } else { there.clone() };
        let got = Arc::clone(&got);
        tokio::spawn(async move {
            let began = Instant::now();
            while got.lock().unwrap().is_empty() && began.elapsed() < Duration::from_secs(20) {
                let claim = store.claim(wanted([claimable("count")])).await.unwrap();
                got.lock().unwrap().extend(claim);
            }
        })
    });
    join_all(claims).await.into_iter().for_each(Result::unwrap);
    assert_eq!(got.lock().unwrap().len(), 1);
}

async fn can_write_nothing(store: &dyn Store, lease: Lease) {
    let before = store.run(lease.run).await.unwrap();
    let batch = || batch_of(lines("stale", [100])).stalled(true).elapsed_ms(7);
    assert_eq!(store.append(lease, batch()).await, Err(StoreError::Fenced));
    assert_eq!(store.append(lease, Batch::default()).await, Err(StoreError::Fenced));
    assert_eq!(store.finish(lease, batch(), Outcome::Cancelled).await, Err(StoreError::Fenced));
    for to in [Release::Queued, Release::Paused, Release::Retry(Duration::ZERO)] {
        assert_eq!(store.release(lease, batch(), to).await, Err(StoreError::Fenced));
    }
    assert_eq!(store.heartbeat(lease, Duration::from_millis(1)).await, Ok(Heartbeat::Lost));
    assert_eq!(store.run(lease.run).await.unwrap(), before);
    assert_eq!(store.log_tail(lease.run, 10).await.unwrap(), []);
}

pub async fn stale_holder_can_write_nothing(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let first = here.claim(shortly("count", false)).await.unwrap().unwrap();
    let second = taken_over(&*there, wanted([claimable("count")])).await;
    can_write_nothing(&*here, first.lease).await;
    // Its late heartbeat has not cut the new holder's lease short either.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(here.claim(wanted([claimable("count")])).await.unwrap(), None);
    assert_eq!(there.heartbeat(second.lease, LONG).await, Ok(Heartbeat::Held));
    there.release(second.lease, Batch::default(), Release::Queued).await.unwrap();
    let third = claimed(&*here, "count").await;
    can_write_nothing(&*here, second.lease).await;
    here.finish(third.lease, Batch::default(), Outcome::Failed("no".into())).await.unwrap();
    can_write_nothing(&*here, third.lease).await;
}

pub async fn unknown_holder_can_write_nothing(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let queued = started(&*here, run_of("count")).await;
    for epoch in [0, 1, u64::MAX] {
        can_write_nothing(&*here, Lease::new(queued.id, epoch, ClaimId::new())).await;
        can_write_nothing(&*here, Lease::new(RunId::new(), epoch, ClaimId::new())).await;
    }
    can_write_nothing(&*here, Lease::new(claim.lease.run, claim.lease.epoch + 1, claim.lease.claim)).await;
    can_write_nothing(&*here, stale(claim.lease)).await;
    // A standby may grant the same epoch again: the claim id distinguishes them.
    can_write_nothing(&*here, Lease::new(claim.lease.run, claim.lease.epoch, ClaimId::new())).await;
    let held = until("it is held", || async { here.heartbeat(claim.lease, LONG).await.ok() }).await;
    assert_eq!(held, Heartbeat::Held);
}
