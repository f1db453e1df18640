//! Removal of old runs.

use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::{Batch, Control, LogFilter, Pruned, Release, Retention, RunFilter, Store};
use process_runtime::{Run, RunId, run::Outcome};

use super::{Nodes, batch_of, claimed, held, lines, run_of, started, with_key};

async fn ended(store: &dyn Store, process: &str) -> Run {
    let claim = held(store, process).await;
    let batch = batch_of(lines("line", 1..=3));
    let run = store.finish(claim.lease, batch, Outcome::Failed("no".into())).await.unwrap();
    // Far more than the resolution of the clock.
    tokio::time::sleep(Duration::from_millis(300)).await;
    run
}

/// Prunes until nothing is left, in any number of steps.
async fn pruned(store: &dyn Store, retention: Retention) -> Vec<RunId> {
    let mut gone = Vec::new();
    for _ in 0..10_000 {
        let Pruned { runs, more, .. } = store.prune(retention.clone()).await.unwrap();
        gone.extend(runs);
        if !more {
            return gone;
        }
    }
    panic!("pruning does not come to an end");
}

/// Removes runs that ended before this time.
fn before(moment: Timestamp) -> Retention {
    let age = Timestamp::now().duration_since(moment);
    Retention::default().older_than(Some(age.try_into().unwrap()))
}

fn newest(count: usize) -> Retention {
    Retention::default().newest(count)
}

async fn left(store: &dyn Store) -> Vec<RunId> {
    let all = RunFilter::default().limit(usize::MAX);
    let mut ids: Vec<_> = store.runs(all).await.unwrap().iter().map(|run| run.id).collect();
    ids.sort();
    ids
}

pub async fn nothing_is_pruned_without_rule(Nodes { here, .. }: Nodes) {
    let run = ended(&*here, "count").await;
    assert_eq!(here.prune(Retention::default()).await, Ok(Pruned::default()));
    assert_eq!(left(&*here).await, [run.id]);
}

pub async fn old_runs_are_pruned_with_logs(Nodes { here, there }: Nodes) {
    let old = [ended(&*here, "a").await, ended(&*here, "b").await];
    let young = ended(&*here, "a").await;
    let shortly_before = |run: &Run| before(run.finished_at.unwrap() - Duration::from_millis(200));
    assert_eq!(pruned(&*there, shortly_before(&old[0])).await, []);
    let gone = pruned(&*there, shortly_before(&young)).await;
    assert_eq!(gone, [old[0].id, old[1].id]);
    for run in &old {
        assert_eq!(here.run(run.id).await.unwrap(), None);
        assert_eq!(here.log(run.id, LogFilter::after(0, 10)).await.unwrap(), []);
        assert_eq!(here.log_tail(run.id, 10).await.unwrap(), []);
        assert_eq!(here.control(run.id, Control::Cancel).await, Ok(None));
    }
    assert_eq!(here.run(young.id).await.unwrap(), Some(young.clone()));
    assert_eq!(here.log_tail(young.id, 10).await.unwrap(), lines("line", 1..=3));
    assert_eq!(pruned(&*there, shortly_before(&young)).await, []);
}

pub async fn newest_runs_per_process_are_kept(Nodes { here, .. }: Nodes) {
    let mut a = Vec::new();
    let mut b = Vec::new();
    for _ in 0..4 {
        a.push(ended(&*here, "a").await.id);
    }
    for _ in 0..2 {
        b.push(ended(&*here, "b").await.id);
    }
    assert_eq!(pruned(&*here, newest(4)).await, []);
    let mut gone = pruned(&*here, newest(1)).await;
    gone.sort();
    let mut expected = [&a[..3], &b[..1]].concat();
    expected.sort();
    assert_eq!(gone, expected);
    assert_eq!(left(&*here).await, [a[3], b[1]]);
    pruned(&*here, newest(0)).await;
    assert_eq!(left(&*here).await, []);
}

pub async fn both_retention_rules_apply(Nodes { here, .. }: Nodes) {
    let old = ended(&*here, "a").await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(ended(&*here, "b").await);
    }
    let moment = runs[0].finished_at.unwrap() - Duration::from_millis(200);
    let retention = before(moment).newest(1);
    let mut gone = pruned(&*here, retention).await;
    gone.sort();
    assert_eq!(gone, [old.id, runs[0].id, runs[1].id]);
    assert_eq!(left(&*here).await, [runs[2].id]);
}

pub async fn active_runs_are_never_pruned(Nodes { here, .. }: Nodes) {
    let mut kept = Vec::new();
    kept.push(held(&*here, "running").await.run.id);
    let cancelling = held(&*here, "cancelling").await.run.id;
    here.control(cancelling, Control::Cancel).await.unwrap();
    let paused = held(&*here, "paused").await;
    here.release(paused.lease, Batch::default(), Release::Paused).await.unwrap();
    let retried = held(&*here, "retried").await;
    here.release(retried.lease, Batch::default(), Release::Retry(Duration::ZERO)).await.unwrap();
    let queued = started(&*here, run_of("queued")).await.id;
    kept.extend([cancelling, paused.run.id, retried.run.id, queued]);
    let ended = ended(&*here, "ended").await;
    let everything = Retention::default().older_than(Duration::ZERO).newest(0);
    assert_eq!(pruned(&*here, everything).await, [ended.id]);
    kept.sort();
    assert_eq!(left(&*here).await, kept);
}

pub async fn pruned_run_frees_idempotency_key(Nodes { here, there }: Nodes) {
    let first = here.start(run_of("count"), with_key("key")).await.unwrap().run;
    let claim = claimed(&*here, "count").await;
    here.finish(claim.lease, batch_of(lines("old", 1..=2)), Outcome::Cancelled).await.unwrap();
    assert_eq!(pruned(&*here, newest(0)).await, [first.id]);
    let second = there.start(run_of("count"), with_key("key")).await.unwrap();
    assert!(!second.existing);
    assert_ne!(second.run.id, first.id);
    assert_eq!(here.log_tail(second.run.id, 10).await.unwrap(), []);
    let again = here.start(run_of("count"), with_key("key")).await.unwrap();
    assert_eq!((again.run.id, again.existing), (second.run.id, true));
}

pub async fn number_of_pruned_run_is_not_reused(Nodes { here, there }: Nodes) {
    let numbers = [ended(&*here, "count").await, ended(&*here, "count").await].map(|run| run.number);
    assert_eq!(numbers, [1, 2]);
    assert_eq!(pruned(&*here, newest(1)).await.len(), 1);
    assert_eq!(started(&*here, run_of("count")).await.number, 3);
    let claim = claimed(&*here, "count").await;
    here.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    assert_eq!(pruned(&*here, newest(0)).await.len(), 2);
    // The number of a later run is not below that of an earlier one, even if all are gone.
    assert_eq!(started(&*there, run_of("count")).await.number, 4);
    assert_eq!(started(&*there, run_of("other")).await.number, 1);
}

pub async fn long_log_is_pruned_in_steps(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    for part in 0..10 {
        here.append(claim.lease, batch_of(lines("line", part * 1_000 + 1..=(part + 1) * 1_000)))
            .await
            .unwrap();
    }
    let run = here.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    // However many steps it takes, the run is returned once, when it is removed.
    assert_eq!(pruned(&*here, newest(0)).await, [run.id]);
    assert_eq!(left(&*here).await, []);
    assert_eq!(here.prune(newest(0)).await, Ok(Pruned::default()));
}
