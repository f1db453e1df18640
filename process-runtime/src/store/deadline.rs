//! A wrapper around a store that gives every call a deadline, so that callers of an engine that hangs get an error.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::timeout;

use super::{
    Batch, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunCounts, RunFilter, RunSlice, StartOptions, StartOutcome, StatusCount, Store,
    StoreError,
};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

/// How long a call may take. People give up on pages that take longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store whose calls end in time. The engine may still complete a call that timed out; repeating the call gives the
/// same answer, as [`Store`] requires.
pub(crate) struct Deadlines(Arc<dyn Store>);

type Answer<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Deadlines {
    pub(crate) fn of(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self(store))
    }
}

fn in_time<'a, T: Send + 'a>(answer: Answer<'a, T>) -> Answer<'a, T> {
    Box::pin(async move {
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable(format!("it has not answered within {PATIENCE:?}").into()))
        })
    })
}

impl Store for Deadlines {
    fn start(&self, run: Run, terms: StartOptions) -> Answer<'_, StartOutcome> {
        in_time(self.0.start(run, terms))
    }

    fn claim(&self, wanted: ClaimRequest) -> Answer<'_, Option<Claim>> {
        in_time(self.0.claim(wanted))
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> Answer<'_, Heartbeat> {
        in_time(self.0.heartbeat(lease, duration))
    }

    fn append(&self, lease: Lease, batch: Batch) -> Answer<'_, ()> {
        in_time(self.0.append(lease, batch))
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> Answer<'_, Run> {
        in_time(self.0.finish(lease, batch, outcome))
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> Answer<'_, Run> {
        in_time(self.0.release(lease, batch, to))
    }

    fn control(&self, id: RunId, control: Control) -> Answer<'_, Option<Run>> {
        in_time(self.0.control(id, control))
    }

    fn run(&self, id: RunId) -> Answer<'_, Option<Run>> {
        in_time(self.0.run(id))
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> Answer<'_, LogSlice> {
        in_time(self.0.log_slice(id, filter))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> Answer<'_, Vec<LogLine>> {
        in_time(self.0.log_tail(id, limit))
    }

    fn run_slice(&self, filter: RunFilter) -> Answer<'_, RunSlice> {
        in_time(self.0.run_slice(filter))
    }

    fn count_runs(&self, filter: RunFilter) -> Answer<'_, RunCounts> {
        in_time(self.0.count_runs(filter))
    }

    fn prune(&self, retention: Retention) -> Answer<'_, Pruned> {
        in_time(self.0.prune(retention))
    }

    fn counts(&self) -> Answer<'_, Vec<StatusCount>> {
        in_time(self.0.counts())
    }

    fn probe(&self) -> Answer<'_, ()> {
        in_time(self.0.probe())
    }

    // No deadline: it waits once for a check that may take minutes and does not show how healthy the store is.
    fn ready(&self) -> Answer<'_, ()> {
        self.0.ready()
    }

    fn is_exclusive(&self) -> bool {
        self.0.is_exclusive()
    }

    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.0.notifications()
    }
}
