//! Claims: their order, and one winner for each run.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use process_runtime::store::{Batch, Release, Store};
use process_runtime::{Run, RunId, RunStatus};

use super::{Nodes, batch_of, claimable, claimed, held, lines, run_of, started, stored, until, wanted};

async fn order(store: &dyn Store, processes: &[&str], count: usize) -> Vec<RunId> {
    let mut order = Vec::new();
    for _ in 0..count {
        let claim = store.claim(wanted(processes.iter().map(|process| claimable(process)))).await.unwrap();
        order.push(claim.expect("a run waits").run.id);
    }
    order
}

fn of_priority(process: &str, priority: i16) -> Run {
    let mut run = run_of(process);
    run.priority = priority;
    run
}

pub async fn oldest_run_is_claimed_first(Nodes { here, there }: Nodes) {
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(started(&*here, run_of("count")).await.id);
    }
    assert_eq!(order(&*there, &["count"], 5).await, expected);
    assert_eq!(here.claim(wanted([claimable("count")])).await.unwrap(), None);
}

pub async fn higher_priority_is_claimed_first(Nodes { here, .. }: Nodes) {
    let mut runs = Vec::new();
    for priority in [0, 5, i16::MIN, 0, i16::MAX, 5, -1] {
        runs.push(started(&*here, of_priority("count", priority)).await);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.priority));
    let expected: Vec<_> = runs.iter().map(|run| run.id).collect();
    assert_eq!(order(&*here, &["count"], 7).await, expected);
}

pub async fn priority_precedes_age_across_processes(Nodes { here, .. }: Nodes) {
    let a = started(&*here, of_priority("a", 0)).await.id;
    let b = started(&*here, of_priority("b", 0)).await.id;
    let high = started(&*here, of_priority("b", 1)).await.id;
    let last = started(&*here, of_priority("a", 0)).await.id;
    // Regardless of the order of the processes in the request.
    assert_eq!(order(&*here, &["a", "b"], 1).await, [high]);
    assert_eq!(order(&*here, &["b", "a"], 3).await, [a, b, last]);
}

pub async fn only_requested_processes_are_claimed(Nodes { here, .. }: Nodes) {
    started(&*here, run_of("other")).await;
    let wanting = |process| wanted([claimable(process)]);
    assert_eq!(here.claim(wanted([])).await.unwrap(), None);
    for process in ["count", "othe", "other/more", "OTHER", ""] {
        assert_eq!(here.claim(wanting(process)).await.unwrap(), None, "{process:?}");
    }
    assert!(here.claim(wanting("other")).await.unwrap().is_some());
}

pub async fn claim_marks_running_and_counts_attempt(Nodes { here, there }: Nodes) {
    let run = started(&*here, run_of("count")).await;
    let claim = claimed(&*there, "count").await;
    assert_eq!((claim.lease.run, claim.run.id), (run.id, run.id));
    assert_eq!((claim.run.status, claim.run.attempt), (RunStatus::Running, 1));
    assert!(claim.run.started_at.is_some_and(|at| at >= run.created_at), "{claim:?}");
    assert!(!claim.abandoned && claim.last_seq == 0, "{claim:?}");
    assert_eq!(claim.run.bookkeeping.crashes, 0);
    // It was stored before the answer: its body has not run yet.
    assert_eq!(stored(&*here, run.id).await, claim.run);
    // A later claim has another attempt and the same first start.
    there.release(claim.lease, Batch::default(), Release::Queued).await.unwrap();
    let second = claimed(&*here, "count").await;
    assert_eq!((second.run.attempt, second.run.started_at), (2, claim.run.started_at));
    assert!(second.lease.epoch > claim.lease.epoch && !second.abandoned, "{second:?}");
}

pub async fn claim_returns_last_log_number(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    here.append(claim.lease, batch_of(lines("line", [1, 2, 7]))).await.unwrap();
    here.release(claim.lease, batch_of(lines("line", [9])), Release::Queued).await.unwrap();
    assert_eq!(claimed(&*there, "count").await.last_seq, 9);
}

pub async fn run_not_yet_due_is_skipped(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let due = jiff::Timestamp::now() + Duration::from_millis(600);
    here.release(claim.lease, Batch::default(), Release::Retry(Duration::from_millis(600))).await.unwrap();
    let younger = started(&*here, run_of("count")).await.id;
    assert_eq!(claimed(&*there, "count").await.run.id, younger);
    let again =
        until("it is due", || async { there.claim(wanted([claimable("count")])).await.unwrap() }).await;
    assert!(jiff::Timestamp::now() >= due);
    assert_eq!((again.run.id, again.run.due_at, again.run.attempt), (claim.run.id, None, 2));
}

pub async fn repeated_claim_returns_same_run(Nodes { here, there }: Nodes) {
    let first = started(&*here, run_of("count")).await;
    started(&*here, run_of("count")).await;
    let wanting = wanted([claimable("count")]);
    let claim = here.claim(wanting.clone()).await.unwrap().unwrap();
    assert_eq!(claim.run.id, first.id);
    here.append(claim.lease, batch_of(lines("line", [1]))).await.unwrap();
    // Its answer may have been lost: repeated, it returns the run in its current state.
    let again = there.claim(wanting.clone()).await.unwrap().unwrap();
    assert_eq!((again.lease, &again.run, again.last_seq), (claim.lease, &claim.run, 1));
    // A request for an earlier claim only grants nothing else.
    let only = wanting.clone().processes(Vec::new());
    assert_eq!(there.claim(only.clone()).await.unwrap().map(|claim| claim.lease), Some(claim.lease));
    here.release(claim.lease, Batch::default(), Release::Queued).await.unwrap();
    assert_eq!(there.claim(only).await.unwrap(), None);
    let next = there.claim(wanting).await.unwrap().unwrap();
    assert!(next.lease.epoch > claim.lease.epoch || next.run.id != first.id, "{next:?}");
}

async fn claim_at_once(stores: &[Arc<dyn Store>], claimers: usize, process: &'static str) -> Vec<RunId> {
    let barrier = Arc::new(tokio::sync::Barrier::new(claimers));
    let claims = (0..claimers).map(|n| {
        let (store, barrier) = (Arc::clone(&stores[n % stores.len()]), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            let mut got = Vec::new();
            while let Some(claim) = store.claim(wanted([claimable(process)])).await.unwrap() {
                got.push(claim.run.id);
            }
            got
        })
    });
    join_all(claims).await.into_iter().flat_map(Result::unwrap).collect()
}

pub async fn concurrent_claims_have_one_winner(Nodes { here, there }: Nodes) {
    let run = started(&*here, run_of("count")).await;
    assert_eq!(claim_at_once(&[here, there], 16, "count").await, [run.id]);
}

pub async fn concurrent_claims_never_double_runs(Nodes { here, there }: Nodes) {
    let mut expected = HashSet::new();
    for _ in 0..60 {
        expected.insert(started(&*here, run_of("count")).await.id);
    }
    let got = claim_at_once(&[here, there], 8, "count").await;
    assert_eq!(got.len(), 60);
    assert_eq!(got.into_iter().collect::<HashSet<_>>(), expected);
}
