//! The number of writes that a million reports cause, measured by a store that counts its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use process_runtime::prelude::*;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{
    Batch, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunFilter, RunSlice, StartOptions, StartOutcome, Store, StoreError,
};
use process_runtime::{
    Run, RunId,
    run::{LogLine, Outcome},
    store::BoxFuture,
};
use tempfile::TempDir;
use tokio::sync::broadcast;

const TICKS: u64 = 1_000_000;

/// A million reports without an await.
#[process(title = "Ticking")]
async fn ticking() {
    for tick in 1..=TICKS {
        set_progress_of(tick, TICKS);
    }
}

/// The same over ten seconds, as a real run would.
#[process(title = "Ticking slowly")]
async fn ticking_slowly() {
    for tick in 1..=TICKS {
        set_progress_of(tick, TICKS);
        if tick % 1_000 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

struct Counting {
    store: SqliteStore,
    writes: AtomicU64,
}

impl Counting {
    fn count(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }
}

impl Store for Counting {
    fn start(&self, run: Run, terms: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>> {
        self.store.start(run, terms)
    }
    fn claim(&self, wanted: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        self.store.claim(wanted)
    }
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        self.store.heartbeat(lease, duration)
    }
    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        self.count();
        self.store.append(lease, batch)
    }
    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        self.count();
        self.store.finish(lease, batch, outcome)
    }
    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        self.count();
        self.store.release(lease, batch, to)
    }
    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        self.store.control(id, control)
    }
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        self.store.run(id)
    }
    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>> {
        self.store.log_slice(id, filter)
    }
    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        self.store.log_tail(id, limit)
    }
    fn run_slice(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunSlice, StoreError>> {
        self.store.run_slice(filter)
    }
    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        self.store.prune(retention)
    }
    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.store.notifications()
    }
}

pub(crate) async fn ticks() {
    println!("writes that {TICKS} reports cause:");
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open(folder.path(), Synchronous::Full).unwrap();
    let store = Arc::new(Counting { store, writes: AtomicU64::new(0) });
    let shared: Arc<dyn Store> = Arc::<Counting>::clone(&store);
    let processes = process_runtime::builder().data_dir(folder.path()).store(shared).build().unwrap();
    let began = Instant::now();
    Ticking::start(&processes, ()).await.unwrap().wait().await.unwrap();
    println!(
        "  as fast as it can: {} writes in {:.1?}",
        store.writes.swap(0, Ordering::Relaxed),
        began.elapsed()
    );
    let began = Instant::now();
    TickingSlowly::start(&processes, ()).await.unwrap().wait().await.unwrap();
    println!(
        "  over a while:      {} writes in {:.1?}",
        store.writes.load(Ordering::Relaxed),
        began.elapsed()
    );
}
