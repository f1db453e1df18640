//! Store metrics: the duration of each operation, its errors, and runs that start and end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use crate::meters;
use crate::process::BoxFuture;
use crate::registry::Registry;
use crate::run::{LogLine, Outcome, Run, RunId};
use crate::store::{
    Batch, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunCounts, RunFilter, RunSlice, StartOptions, StartOutcome, StatusCount, Store,
    StoreError,
};

/// What runs of processes are counted under that this program does not have.
pub(crate) const OTHER: &str = "other";

/// A store that is measured.
pub(crate) struct Measured {
    store: Arc<dyn Store>,
    registry: Registry,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Measured {
    pub(crate) fn of(store: Arc<dyn Store>, registry: Registry) -> Arc<Self> {
        meters::describe();
        let routes: Vec<_> = registry.iter().map(|process| process.route()).collect();
        meters::begin(routes.iter().map(String::as_str).chain([OTHER]));
        Arc::new(Self { store, registry })
    }

    /// The label for runs of this process: the number of labels is limited to the known processes.
    fn label<'a>(&self, process: &'a str) -> &'a str {
        if self.registry.get(process).is_some() { process } else { OTHER }
    }

    fn ended(&self, run: &Run) {
        let executed = (run.attempt > 0).then(|| Duration::from_millis(run.elapsed_ms));
        meters::run_ended(self.label(&run.process), run.status, executed);
    }
}

/// Waits for the answer and records the time.
fn timed<'a, T: Send + 'a>(operation: &'static str, answer: Answer<'a, T>) -> Answer<'a, T> {
    Box::pin(async move {
        let began = Instant::now();
        let answer = answer.await;
        let error = answer.as_ref().err().map(|error| match error {
            StoreError::Fenced => "fenced",
            StoreError::Full(_) | StoreError::ProcessFull(_) | StoreError::ActorFull(_) => "full",
            StoreError::Refused(_) => "refused",
            StoreError::Busy => "busy",
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Damaged(_) => "damaged",
        });
        meters::store_operation(operation, began.elapsed(), error);
        answer
    })
}

impl Store for Measured {
    fn start(&self, run: Run, terms: StartOptions) -> Answer<'_, StartOutcome> {
        let answer = timed("start", self.store.start(run, terms));
        Box::pin(async move {
            let started = answer.await?;
            if !started.existing {
                meters::run_started(self.label(&started.run.process));
            }
            Ok(started)
        })
    }

    fn claim(&self, wanted: ClaimRequest) -> Answer<'_, Option<Claim>> {
        timed("claim", self.store.claim(wanted))
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> Answer<'_, Heartbeat> {
        timed("heartbeat", self.store.heartbeat(lease, duration))
    }

    fn append(&self, lease: Lease, batch: Batch) -> Answer<'_, ()> {
        timed("append", self.store.append(lease, batch))
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> Answer<'_, Run> {
        let answer = timed("finish", self.store.finish(lease, batch, outcome));
        Box::pin(async move { answer.await.inspect(|run| self.ended(run)) })
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> Answer<'_, Run> {
        let answer = timed("release", self.store.release(lease, batch, to));
        Box::pin(async move {
            let run = answer.await?;
            // It was cancelled meanwhile.
            if run.status.is_terminal() {
                self.ended(&run);
            }
            Ok(run)
        })
    }

    fn control(&self, id: RunId, control: Control) -> Answer<'_, Option<Run>> {
        Box::pin(async move {
            // A request for a run that has already ended returns the run unchanged and is not an end. Two simultaneous
            // requests may both count.
            let before = self.store.run(id).await?;
            let run = timed("control", self.store.control(id, control)).await?;
            let went_on = before.is_some_and(|run| !run.status.is_terminal());
            if let Some(run) = run.as_ref().filter(|run| went_on && run.status.is_terminal()) {
                self.ended(run);
            }
            Ok(run)
        })
    }

    fn run(&self, id: RunId) -> Answer<'_, Option<Run>> {
        timed("run", self.store.run(id))
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> Answer<'_, LogSlice> {
        timed("log", self.store.log_slice(id, filter))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> Answer<'_, Vec<LogLine>> {
        timed("log_tail", self.store.log_tail(id, limit))
    }

    fn run_slice(&self, filter: RunFilter) -> Answer<'_, RunSlice> {
        timed("runs", self.store.run_slice(filter))
    }

    fn count_runs(&self, filter: RunFilter) -> Answer<'_, RunCounts> {
        timed("count_runs", self.store.count_runs(filter))
    }

    fn prune(&self, retention: Retention) -> Answer<'_, Pruned> {
        timed("prune", self.store.prune(retention))
    }

    fn counts(&self) -> Answer<'_, Vec<StatusCount>> {
        timed("counts", self.store.counts())
    }

    fn probe(&self) -> Answer<'_, ()> {
        timed("probe", self.store.probe())
    }

    // Not measured: it waits once for a check that may take minutes and does not show how healthy the store is.
    fn ready(&self) -> Answer<'_, ()> {
        self.store.ready()
    }

    fn is_exclusive(&self) -> bool {
        self.store.is_exclusive()
    }

    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.store.notifications()
    }
}
