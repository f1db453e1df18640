//! The contract that every store implements: the `Store` trait and its types. The store holds the authoritative state
//! of runs.

use std::time::Duration;

use tokio::sync::broadcast;

pub use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

mod counts;
mod deadline;
mod error;
mod list;
mod log;
#[cfg(feature = "postgres")]
pub mod postgres;
mod record;
mod requests;
mod setters;
mod shared;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod stored;

pub use crate::cause::Cause;
pub use crate::identity::{ClaimId, HomeId, NodeId};
pub use counts::StatusCount;
pub(crate) use deadline::Deadlines;
pub use error::{ControlRefused, StoreError};
pub use list::{RunCounts, RunFilter, RunOrder, RunPosition, RunSlice};
pub use log::{LogFilter, LogSlice};
pub use record::Record;
pub use requests::{
    Batch, Claim, ClaimRequest, ClaimTarget, Control, Heartbeat, Lease, Notification, Pruned, Release,
    Retention, StartOptions, StartOutcome, TrimLog, UnknownControl,
};

/// Durable storage for runs: their records, their logs, their leases and the control requests for them.
///
/// Several nodes can share one store. The one node that holds a run's [`Lease`] executes the run. Every write of a
/// holder names the lease; if the lease is lost, the store refuses the write with [`StoreError::Fenced`].
/// [`notifications`](Self::notifications) are only hints that it may be worth reading again: to follow a run, read
/// it, wait for a notification *or one second*, and read it again.
///
/// A run that has ended never changes again, and it ends exactly once.
///
/// An answer may be lost: the connection breaks after a commit, or the caller's deadline passes. Repeating a call
/// therefore gives the same answer: for a claim, the same [`ClaimId`] identifies the call; for an end and a release,
/// the lease does.
///
/// The store's own clock decides when a lease expires and when a retry is due. Callers only pass durations.
///
/// # Stability
///
/// This trait is unstable, and so are the types of this module that only it uses: any release may change them, even one
/// that by its number is compatible. They become stable when a second engine, for PostgreSQL, passes the same
/// [conformance suite](https://github.com/process-runtime/process-runtime/blob/main/tests/src/conformance.rs) as the
/// embedded store, because only then is it known what engines need. Run that suite against an engine of your own, and
/// depend on one exact version of this crate.
///
/// The structs that a store takes and returns are `#[non_exhaustive]`: make them with their constructors and setters,
/// and end patterns with `..`.
pub trait Store: Send + Sync + 'static {
    /// Stores a run as queued, with the next [number](Run::number) of its process. When the call returns, the run is
    /// durable. A number is never given again, even if its run is removed.
    ///
    /// A start with an idempotency key that the same process has already used returns the run of the first start. An
    /// exclusive start returns the active run of the process, if there is one. Every other start checks the maximum
    /// number of queued runs, first in total, then of the process, then of the actor: [`StoreError::Full`],
    /// [`StoreError::ProcessFull`], [`StoreError::ActorFull`].
    fn start(&self, run: Run, terms: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>>;

    /// Claims the next run, for the duration [`ClaimRequest::lease`] from now.
    ///
    /// Abandoned runs, whose holder has died, come first. Such a claim has a higher epoch and sets
    /// [`Claim::abandoned`]. If the process is resumable, it also counts an attempt and a crash, unless a cancel or a
    /// pause was requested; all other abandoned runs are claimed unchanged. Then come queued runs that are due, which
    /// are marked as running and whose attempt is counted: the highest priority first, and of equal priority the
    /// oldest. The store skips a run if its process, or its concurrency key, has reached its concurrency.
    ///
    /// The store never gives a node a run that this node already holds: a node that can call is alive. The same
    /// [`ClaimRequest::claim`] gives the same claim as long as that claim holds.
    fn claim(&self, wanted: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>>;

    /// Extends a lease to `duration` from now, and returns the pending control request for its run.
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>>;

    /// Writes a batch of changes to a run, all or nothing. A line that is already stored stays as it is. A changed
    /// cursor resets the number of consecutive crashes.
    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes the last batch and the outcome together, and gives up the lease. A run ends only once: if the holder
    /// that ended it repeats the call with the same outcome, it gets the ended run.
    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Writes a batch, and gives up the lease of a run that is to resume later. A pending control request takes
    /// effect: a run with a requested cancel becomes cancelled, and one with a requested pause becomes paused. If the
    /// holder that gave up the run repeats the call, it gets the current run, until another holder has claimed it.
    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Requests a change of a run, from any node: sets a flag for the holder, and sends a notification.
    ///
    /// A run that no node holds changes immediately. Returns the changed run, or `None` for an unknown id. The store
    /// checks the request against the current state of the run: a request that is not possible fails with
    /// [`StoreError::Refused`] and changes nothing. A request for a state that the run already has succeeds.
    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// Returns one run, or `None` for an unknown id.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// Returns some of the matching log lines of a run, in order, and the position at which to continue.
    ///
    /// A call is short: an engine stops after a bounded number of lines or bytes, whether they matched or not, and at
    /// the latest with the line that reaches [`LogFilter::limit`] or [`LogFilter::max_bytes`]. To read the whole log,
    /// call it again with [`LogSlice::next`].
    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>>;

    /// Returns the matching log lines of a run, in order, up to the limits of the filter. It reads slice by slice, so
    /// that other calls can proceed in between.
    fn log(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(log::all(self, id, filter))
    }

    /// Returns the last `limit` log lines of a run, in order: fewer if their text exceeds 1 MiB in total, but at
    /// least one.
    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>>;

    /// Returns some of the matching runs, in the [order](RunFilter::order) of the filter, and the position at which to
    /// continue.
    ///
    /// All of them are from one moment: a run that changes its status meanwhile is neither left out nor returned twice.
    /// A call is short: an engine may stop after a bounded number of runs or bytes, whether they matched or not. To read
    /// all, call it again with [`RunSlice::next`].
    fn run_slice(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunSlice, StoreError>>;

    /// Returns the matching runs, in the order of the filter, up to its limit. It reads slice by slice, so that other
    /// calls can proceed in between.
    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        Box::pin(list::all(self, filter))
    }

    /// Returns how many runs of each status match the filter, whatever its statuses, order, position and limit are.
    /// Counting ends at a bound, which [`RunCounts::is_complete`] tells.
    ///
    /// The default implementation reads the runs; an engine that can count should override it.
    fn count_runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunCounts, StoreError>> {
        Box::pin(list::count(self, filter))
    }

    /// Removes ended runs and everything that belongs to them, oldest first. Each call removes a limited number of
    /// records, so that other calls do not have to wait. It never removes a run that has not ended.
    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>>;

    /// Returns the number of active runs by process and status, and how long the oldest queued run has waited.
    /// Combinations without a run are left out.
    ///
    /// The default implementation reads the runs; an engine that can count should override it.
    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        Box::pin(counts::of_runs(self))
    }

    /// Writes a test record and returns whether that succeeded. Readiness checks use it. The default implementation
    /// only reads.
    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.runs(RunFilter { limit: 1, ..RunFilter::default() }).await.map(drop) })
    }

    /// Waits until the store can find everything that it contains. Until then, a run that is not found may still
    /// exist, and the runtime deletes nothing because its run was not found.
    ///
    /// The default implementation returns immediately.
    fn ready(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// Returns true if no other program can have the store open. Then no other node can get a lease while this
    /// program cannot reach the store, and a holder need not stop on its own.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// Returns a lossy stream of notifications for this node.
    fn notifications(&self) -> broadcast::Receiver<Notification>;
}
