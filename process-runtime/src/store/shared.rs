//! `Store` for `Arc`s, so that several parts of one program can share a store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use super::{
    Batch, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunCounts, RunFilter, RunSlice, StartOptions, StartOutcome, StatusCount, Store,
    StoreError,
};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

impl<S: Store + ?Sized> Store for Arc<S> {
    fn start(&self, run: Run, options: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>> {
        (**self).start(run, options)
    }

    fn claim(&self, request: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        (**self).claim(request)
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        (**self).heartbeat(lease, duration)
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).append(lease, batch)
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        (**self).finish(lease, batch, outcome)
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        (**self).release(lease, batch, to)
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        (**self).control(id, control)
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        (**self).run(id)
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>> {
        (**self).log_slice(id, filter)
    }

    fn log(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        (**self).log(id, filter)
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        (**self).log_tail(id, limit)
    }

    fn run_slice(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunSlice, StoreError>> {
        (**self).run_slice(filter)
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        (**self).runs(filter)
    }

    fn count_runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunCounts, StoreError>> {
        (**self).count_runs(filter)
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        (**self).prune(retention)
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        (**self).counts()
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).probe()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        (**self).ready()
    }

    fn is_exclusive(&self) -> bool {
        (**self).is_exclusive()
    }

    fn notifications(&self) -> broadcast::Receiver<Notification> {
        (**self).notifications()
    }
}
