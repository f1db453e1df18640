//! Owns what every store must do: the trait, its words and its errors. The truth about runs lives behind it.
//! Refuses to know any engine, and offers nothing that only a file on this machine could serve.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, ProgressState, Run, RunFile, RunId, RunStatus};

#[cfg(feature = "sqlite")]
pub mod sqlite;

/// The durable side of runs: their records, their logs, who holds them and what was asked of them.
///
/// Several nodes may share one store. A run is executed by the one node that holds its [`Lease`]; every
/// write of a holder names the lease, and the write of a holder that lost it is refused with
/// [`StoreError::Fenced`]. [`hints`](Self::hints) only say that looking again may be worth it: whoever
/// follows a run reads, waits for a hint *or a second*, and reads again.
pub trait Store: Send + Sync + 'static {
    /// Stores a run as queued. The answer means that it is durable.
    ///
    /// The same idempotency key, for the same process, gives the run that was started first.
    fn start(&self, run: Run, idempotency_key: Option<String>) -> BoxFuture<'_, Result<Started, StoreError>>;

    /// Takes the oldest run of one of `processes` that nobody holds, for `lease` from now on.
    ///
    /// A queued run comes back as running, with its attempt counted. A run whose holder has died comes
    /// back with a higher epoch and [`Claim::abandoned`] set; its attempt is the dead holder's.
    fn claim(
        &self,
        processes: Vec<String>,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Option<Claim>, StoreError>>;

    /// Holds a run for `lease` more, and tells what was asked of it meanwhile.
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>>;

    /// Writes a batch of a run's news, all or nothing.
    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes the last batch and the outcome together, and gives up the lease. Done once per run.
    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Asks something of a run, from any node: a flag for its holder, and a hint.
    ///
    /// A run that nobody holds is changed at once. Gives the run as it is then, or `None` for an unknown id.
    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// One run.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// Up to `limit` log lines of a run with a number above `after`, in order.
    fn log(&self, id: RunId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>>;

    /// The last `limit` log lines of a run, in order.
    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>>;

    /// The runs that match, newest first.
    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>>;

    /// One lossy stream of hints for this node.
    fn hints(&self) -> broadcast::Receiver<Hint>;
}

/// The answer to a start.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// The run that stands for this start.
    pub run: Run,
    /// True when an earlier start with the same key had made it.
    pub existing: bool,
}

/// The right to execute one run. An epoch is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The run it is for.
    pub run: RunId,
    /// Rises with every claim of the run; writes with an older one are refused.
    pub epoch: u64,
}

/// A run that was claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The right to execute it.
    pub lease: Lease,
    /// The run, already marked as running.
    pub run: Run,
    /// The number of its last log line, 0 where there is none.
    pub last_seq: u64,
    /// True when another holder had begun to execute it and went away.
    pub abandoned: bool,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heartbeat {
    /// The lease goes on.
    Held,
    /// The lease goes on, and this was asked of the run.
    Requested(Control),
    /// Somebody else holds the run, or it has ended: stop, and write nothing more.
    Lost,
}

/// What can be asked of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// End it.
    Cancel,
}

/// News of a run, written together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Lines to add, in order, each with a number above all before it.
    pub lines: Vec<LogLine>,
    /// How far the run is now, if that changed.
    pub progress: Option<ProgressState>,
    /// All files it offers now, if that changed.
    pub files: Option<Vec<RunFile>>,
    /// For how long it has run, in milliseconds.
    pub elapsed_ms: u64,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Only those of this process (its route).
    pub process: Option<String>,
    /// Only those in one of these states; an empty list means all.
    pub statuses: Vec<RunStatus>,
    /// Leave out this many of the newest.
    pub skip: usize,
    /// Give at most this many.
    pub limit: usize,
}

/// Something changed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// A run was queued.
    Queued,
    /// Something was asked of this run: its holder should hear its heart beat.
    Requested(RunId),
    /// News of this run were written.
    Changed(RunId),
}

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum StoreError {
    /// The lease is no longer valid; nothing was written.
    Fenced,
    /// The store cannot write or read now; the text is for the operator's log. May pass by itself.
    Unavailable(String),
    /// A record is damaged and was not believed; the text says which.
    Damaged(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced => f.write_str("another holder has the run: nothing was written"),
            Self::Unavailable(why) => write!(f, "the store is not available: {why}"),
            Self::Damaged(what) => write!(f, "a damaged record was not believed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Marks a run as ended, in the one way every engine does it.
pub fn conclude(run: &mut Run, outcome: Outcome, at: Timestamp) {
    run.status = outcome.status();
    run.finished_at = Some(at);
    match outcome {
        Outcome::Succeeded(result) => run.result = Some(result),
        Outcome::Failed(error) | Outcome::Interrupted(error) => run.error = Some(error),
        Outcome::Cancelled => {}
    }
}
