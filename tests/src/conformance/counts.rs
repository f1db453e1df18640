//! Counts of active runs, and the check that a store can be written.

use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::{Batch, Control, Release, Store};
use process_runtime::{RunStatus, run::Outcome};
use serde_json::json;

use super::{Nodes, held, run_of, started};

/// The counts, in an order that does not depend on the engine.
async fn counted(store: &dyn Store) -> Vec<(String, RunStatus, u64)> {
    let mut counts: Vec<_> =
        store.counts().await.unwrap().into_iter().map(|one| (one.process, one.status, one.runs)).collect();
    counts.sort_by_key(|(process, status, _)| (process.clone(), status.as_str()));
    counts
}

/// In microseconds, the precision of every engine.
async fn waiting_since(store: &dyn Store, process: &str) -> Option<i64> {
    let counts = store.counts().await.unwrap();
    assert!(counts.iter().all(|one| one.waiting_since.is_none() || one.status == RunStatus::Queued));
    let count = counts.into_iter().find(|one| one.process == process && one.status == RunStatus::Queued)?;
    count.waiting_since.map(Timestamp::as_microsecond)
}

pub async fn active_runs_counted_by_process_status(Nodes { here, there }: Nodes) {
    use RunStatus::{Cancelling, Paused, Queued, Running};
    assert_eq!(there.counts().await.unwrap(), []);
    let running = held(&*here, "a").await;
    let cancelling = held(&*here, "a").await;
    let ended = held(&*here, "a").await;
    here.control(cancelling.lease.run, Control::Cancel).await.unwrap();
    here.finish(ended.lease, Batch::default(), Outcome::Succeeded(json!(1))).await.unwrap();
    for _ in 0..3 {
        started(&*here, run_of("a")).await;
        started(&*here, run_of("b/c")).await;
    }
    let paused = started(&*here, run_of("b/c")).await;
    here.control(paused.id, Control::Pause).await.unwrap();
    let cancelled = started(&*here, run_of("d")).await;
    here.control(cancelled.id, Control::Cancel).await.unwrap();
    let expected =
        [("a", Cancelling, 1), ("a", Queued, 3), ("a", Running, 1), ("b/c", Paused, 1), ("b/c", Queued, 3)];
    assert_eq!(counted(&*there).await, expected.map(|(process, status, n)| (process.to_owned(), status, n)));
    here.finish(running.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    assert!(!counted(&*there).await.iter().any(|(_, status, _)| *status == Running));
}

pub async fn oldest_queued_time_is_reported(Nodes { here, there }: Nodes) {
    assert_eq!(waiting_since(&*there, "count").await, None);
    let oldest = started(&*here, run_of("count")).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let second = started(&*here, run_of("count")).await;
    assert_eq!(waiting_since(&*there, "count").await, Some(oldest.created_at.as_microsecond()));
    assert_eq!(waiting_since(&*there, "other").await, None);
    // The one that is to be tried again in an hour waits for the hour, and not for its turn.
    let claim = super::claimed(&*here, "count").await;
    let later = Duration::from_secs(3_600);
    here.release(claim.lease, Batch::default(), Release::Retry(later)).await.unwrap();
    assert_eq!(waiting_since(&*there, "count").await, Some(second.created_at.as_microsecond()));
    here.control(second.id, Control::Cancel).await.unwrap();
    let counts = there.counts().await.unwrap();
    assert!(matches!(&counts[..], [one] if one.runs == 1 && one.waiting_since.is_none()), "{counts:?}");
}

pub async fn probe_reports_a_writable_store(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let before = there.counts().await.unwrap();
    here.probe().await.unwrap();
    there.probe().await.unwrap();
    assert_eq!(there.counts().await.unwrap(), before);
}
