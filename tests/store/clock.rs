//! The store while the machine's clock is set forward and back by hours.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::sqlite::{Clock, SqliteStore};
use process_runtime::store::{Batch, Control, Heartbeat, Release, Store};
use process_runtime::{RunStatus, run::Outcome};
use process_tests::conformance::{LONG, claimable, claimed, held, run_of, started, wanted};
use tempfile::TempDir;

use super::{folder, open};

const HOUR: i64 = 3_600;

/// A store with a clock that is set by hand.
struct Set {
    seconds: Arc<AtomicI64>,
    store: SqliteStore,
    folder: TempDir,
}

impl Set {
    fn new() -> Self {
        let (seconds, folder) = (Arc::new(AtomicI64::new(Timestamp::now().as_second())), folder());
        let store = Self::opened(&seconds, &folder);
        Self { seconds, store, folder }
    }

    fn opened(seconds: &Arc<AtomicI64>, folder: &TempDir) -> SqliteStore {
        let seconds = Arc::clone(seconds);
        let clock = Clock::new(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap());
        open(folder.path()).with_clock(clock)
    }

    fn restarted(self) -> Self {
        let Self { seconds, store, folder } = self;
        drop(store);
        Self { store: Self::opened(&seconds, &folder), seconds, folder }
    }

    fn jump(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(Ordering::SeqCst)).unwrap()
    }

    /// A run that failed and is to be tried again in this many seconds.
    async fn retried(&self, wait: u64) {
        let claim = held(&self.store, "count").await;
        let wait = Release::Retry(Duration::from_secs(wait));
        self.store.release(claim.lease, Batch::default(), wait).await.unwrap();
    }

    async fn is_due(&self) -> bool {
        self.store.claim(wanted([claimable("count")])).await.unwrap().is_some()
    }
}

#[tokio::test]
async fn clock_jump_keeps_leases() {
    let set = Set::new();
    let claim = held(&set.store, "count").await;
    for jump in [5 * HOUR, -20 * HOUR, 300 * HOUR, -300 * HOUR] {
        set.jump(jump);
        assert_eq!(set.store.claim(wanted([claimable("count")])).await.unwrap(), None, "{jump}");
        assert_eq!(set.store.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Held), "{jump}");
        set.store.append(claim.lease, Batch::default()).await.unwrap();
    }
    // A clock that stands still does not keep a lease alive either.
    set.store.heartbeat(claim.lease, Duration::from_millis(30)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(set.store.claim(wanted([claimable("count")])).await.unwrap().unwrap().abandoned);
}

#[tokio::test]
async fn run_times_never_go_backwards() {
    let set = Set::new();
    set.jump(-5 * HOUR);
    let waiting = started(&set.store, run_of("waiting")).await;
    let waiting = set.store.control(waiting.id, Control::Cancel).await.unwrap().unwrap();
    assert_eq!(waiting.finished_at, Some(waiting.created_at));
    let claim = held(&set.store, "count").await;
    assert_eq!(claim.run.started_at, Some(claim.run.created_at));
    let run = set.store.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    assert_eq!(run.finished_at, run.started_at);
    set.jump(9 * HOUR);
    let claim = held(&set.store, "count").await;
    assert_eq!(claim.run.started_at, Some(set.now()));
    set.jump(-2 * HOUR);
    let run = set.store.finish(claim.lease, Batch::default(), Outcome::Failed("no".into())).await.unwrap();
    assert_eq!(run.finished_at, run.started_at);
    // A correct clock is used.
    let claim = held(&set.store, "count").await;
    set.jump(10 * HOUR);
    let run = set.store.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    assert_eq!(run.finished_at, Some(set.now()));
}

#[tokio::test]
async fn retry_waits_by_monotonic_clock() {
    let set = Set::new();
    set.retried(600).await;
    for jump in [0, 300, 299, -30, 30] {
        set.jump(jump);
        assert!(!set.is_due().await, "{jump}");
    }
    set.jump(1);
    assert!(set.is_due().await);
}

#[tokio::test]
async fn clock_set_back_delays_no_retry() {
    let set = Set::new();
    set.retried(600).await;
    set.jump(300);
    assert!(!set.is_due().await);
    set.jump(-5 * HOUR);
    // By a program that was started since, too.
    let set = set.restarted();
    assert!(set.is_due().await);
    // The next one waits again, by the clock as it is now.
    set.retried(600).await;
    set.jump(590);
    assert!(!set.is_due().await);
    set.jump(10);
    assert!(set.is_due().await);
}

#[tokio::test]
async fn clock_set_forward_only_advances_retry() {
    let set = Set::new();
    set.retried(600).await;
    set.jump(5 * HOUR);
    let claim = claimed(&set.store, "count").await;
    assert_eq!((claim.run.status, claim.run.attempt), (RunStatus::Running, 2));
}
