//! A store with only the required methods of the trait, which can be made to fail and to hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use process_runtime::store::{
    Batch, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunFilter, RunSlice, StartOptions, StartOutcome, Store, StoreError,
};
use process_runtime::{
    Run, RunId,
    run::{LogLine, Outcome},
    store::BoxFuture,
};
use tokio::sync::broadcast;

/// A store that uses the trait's default for everything optional.
pub struct Plain {
    store: Arc<dyn Store>,
    fails: AtomicBool,
    hangs: AtomicBool,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Plain {
    pub fn of(store: impl Store) -> Arc<Self> {
        Arc::new(Self {
            store: Arc::new(store),
            fails: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
        })
    }

    /// From now on it neither reads nor writes; or does again.
    pub fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// From now on it answers nothing; or does again.
    pub fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    fn unless_it_fails<'a, T: 'a>(&self, answer: Answer<'a, T>) -> Answer<'a, T> {
        if self.hangs.load(Ordering::SeqCst) {
            return Box::pin(std::future::pending());
        }
        if self.fails.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::Unavailable("the disk\r\nfell \u{1b}[31mout".into())) });
        }
        answer
    }
}

impl Store for Plain {
    fn start(&self, run: Run, terms: StartOptions) -> Answer<'_, StartOutcome> {
        self.unless_it_fails(self.store.start(run, terms))
    }
    fn claim(&self, wanted: ClaimRequest) -> Answer<'_, Option<Claim>> {
        self.unless_it_fails(self.store.claim(wanted))
    }
    fn heartbeat(&self, lease: Lease, duration: Duration) -> Answer<'_, Heartbeat> {
        self.unless_it_fails(self.store.heartbeat(lease, duration))
    }
    fn append(&self, lease: Lease, batch: Batch) -> Answer<'_, ()> {
        self.unless_it_fails(self.store.append(lease, batch))
    }
    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> Answer<'_, Run> {
        self.unless_it_fails(self.store.finish(lease, batch, outcome))
    }
    fn release(&self, lease: Lease, batch: Batch, to: Release) -> Answer<'_, Run> {
        self.unless_it_fails(self.store.release(lease, batch, to))
    }
    fn control(&self, id: RunId, control: Control) -> Answer<'_, Option<Run>> {
        self.unless_it_fails(self.store.control(id, control))
    }
    fn run(&self, id: RunId) -> Answer<'_, Option<Run>> {
        self.unless_it_fails(self.store.run(id))
    }
    fn log_slice(&self, id: RunId, filter: LogFilter) -> Answer<'_, LogSlice> {
        self.unless_it_fails(self.store.log_slice(id, filter))
    }
    fn log_tail(&self, id: RunId, limit: usize) -> Answer<'_, Vec<LogLine>> {
        self.unless_it_fails(self.store.log_tail(id, limit))
    }
    fn run_slice(&self, filter: RunFilter) -> Answer<'_, RunSlice> {
        self.unless_it_fails(self.store.run_slice(filter))
    }
    fn prune(&self, retention: Retention) -> Answer<'_, Pruned> {
        self.unless_it_fails(self.store.prune(retention))
    }
    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.store.notifications()
    }
}
