//! What every store must do: the trait and its words. The truth about runs lives behind it.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::process::BoxFuture;
use crate::run::{
    FailedItem, Level, LogLine, Outcome, ProgressState, Run, RunFile, RunId, RunStatus, SavedCursor,
};

mod counts;
mod deadline;
mod error;
mod identity;
mod log;
mod record;
mod shared;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use counts::StatusCount;
pub(crate) use deadline::Deadlines;
pub use error::{ControlRefused, StoreError};
pub use identity::{ClaimId, NodeId};
pub use log::{LogFilter, LogSlice};
pub use record::Record;

/// The durable side of runs: their records, their logs, who holds them and what was asked of them.
///
/// Several nodes may share one store. A run is executed by the one node that holds its [`Lease`]; every
/// write of a holder names the lease, and the write of a holder that lost it is refused with
/// [`StoreError::Fenced`]. [`notifications`](Self::notifications) only say that looking again may be worth it: whoever
/// follows a run reads, waits for a hint *or a second*, and reads again.
///
/// An ended run never changes again; there is exactly one end.
///
/// An answer may be lost on its way: the connection breaks after a commit, or the caller's deadline passes. So whoever
/// asks again gets the same answer: a claim by its [`ClaimId`], an end and a release by the lease they were made with.
///
/// Time is the store's: what is asked of it are durations, and its own clock decides when a lease is over and when a
/// run is due.
pub trait Store: Send + Sync + 'static {
    /// Stores a run as queued. The answer means that it is durable.
    ///
    /// The same idempotency key, for the same process, gives the run that was started first. For an
    /// exclusive start an active run of the same process stands; for everything else it holds how many runs may
    /// wait, in all, of the process and of who starts it, in this order: [`StoreError::Full`],
    /// [`StoreError::ProcessFull`], [`StoreError::ActorFull`].
    fn start(&self, run: Run, terms: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>>;

    /// Takes the run whose turn it is, for `lease` from now on.
    ///
    /// First come runs whose holder has died, with a higher epoch and [`Claim::abandoned`] set: those of a
    /// resumable process with their attempt and their crashes counted, unless they were asked to stop or to
    /// pause; all others as they were. Then
    /// queued runs that are due, as running and with their attempt counted: the highest priority first, and
    /// of the same the oldest. A run whose process, or whose concurrency key, has no free place is passed
    /// over.
    ///
    /// A node is never given a run that it holds: it is alive, or it could not ask. The same [`ClaimRequest::claim`] gives
    /// the same claim for as long as that one holds.
    fn claim(&self, wanted: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>>;

    /// Holds a run for `duration` more, and tells what was asked of it meanwhile.
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>>;

    /// Writes a batch of a run's news, all or nothing. A line that is stored already is left as it is. A
    /// cursor that is saved ends a row of crashes.
    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Writes the last batch and the outcome together, and gives up the lease. Done once per run: the holder that
    /// made the end and asks for the same end again gets the run as it ended.
    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Writes a batch, and gives up the lease of a run that is to go on later. What was asked of it
    /// meanwhile counts: a run that was cancelled is then cancelled, one that was to pause is paused. The holder that
    /// gave it up and does so again gets the run as it is then, until another has claimed it.
    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>>;

    /// Asks something of a run, from any node: a flag for its holder, and a hint.
    ///
    /// A run that nobody holds is changed at once. Gives the run as it is then, or `None` for an unknown id. What
    /// may be asked is decided here, by the run as it is when it is changed: what makes no sense for it is
    /// [`StoreError::Refused`], and changes nothing. Asking for what is so already is no mistake.
    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// One run.
    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>>;

    /// Some of the log lines of a run that match, in order, and where to go on.
    ///
    /// One call holds up nobody for long: an engine stops after a bounded number of lines or bytes, whether they
    /// matched or not, and at the latest with the line that reaches [`LogFilter::limit`] or
    /// [`LogFilter::max_bytes`]. A log is read to its end by asking again after [`LogSlice::next`].
    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>>;

    /// The log lines of a run that match, in order, up to the limits of the filter: slice by slice, since others may
    /// want to read too.
    fn log(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(log::all(self, id, filter))
    }

    /// The last `limit` log lines of a run, in order: fewer where these have more than 1 MiB of text together, and
    /// at least one.
    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>>;

    /// The runs that match, newest first, by [`created_at`](Run::created_at).
    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>>;

    /// Removes ended runs with all that belongs to them, oldest first: at most so many records at a time
    /// that nobody has to wait for it. Never touches a run that has not ended.
    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>>;

    /// How many runs have not ended, by process and state, and since when the oldest that wait do so. What no run is
    /// in, is left out.
    ///
    /// An engine that can count need not read the runs, as this does.
    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        Box::pin(counts::of_runs(self))
    }

    /// Stores something that nobody sees, and says whether that went well: asked by those who decide whether this
    /// node is given work. An engine that does not say how tries to read.
    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.runs(RunFilter { limit: 1, ..RunFilter::default() }).await.map(drop) })
    }

    /// Waits until the store knows that whatever it has can be found. Before that, a run that is not found may
    /// be there all the same, and nothing is removed for not having been found.
    ///
    /// An engine that always knows says so at once.
    fn ready(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    /// True when no other program can have the store open. Then no lease can be given to somebody else while this
    /// program cannot reach the store, and a holder need not stop by itself.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// One lossy stream of notifications for this node.
    fn notifications(&self) -> broadcast::Receiver<Notification>;
}

/// What holds for a start, beside the run itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartOptions {
    /// The same key, for the same process, gives the same run.
    pub idempotency_key: Option<String>,
    /// An active run of the process stands for this start.
    pub exclusive: bool,
    /// How many runs may wait, of all processes together.
    pub max_waiting: usize,
    /// How many may wait of the run's process.
    pub max_waiting_of_process: usize,
    /// How many may wait of those that the run's actor has started, if it has one.
    pub max_waiting_of_actor: usize,
}

impl Default for StartOptions {
    fn default() -> Self {
        Self {
            idempotency_key: None,
            exclusive: false,
            max_waiting: usize::MAX,
            max_waiting_of_process: usize::MAX,
            max_waiting_of_actor: usize::MAX,
        }
    }
}

/// The answer to a start.
#[derive(Debug, Clone, PartialEq)]
pub struct StartOutcome {
    /// The run that stands for this start.
    pub run: Run,
    /// True when an earlier start had made it.
    pub existing: bool,
}

/// What a holder would execute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// Runs of these processes.
    pub processes: Vec<ClaimTarget>,
    /// Runs of other processes too, if their holder has died: whoever claims them can only end them. For a store that
    /// no other program can have open, since there nobody else ever will.
    pub orphans: bool,
    /// Abandoned runs too that lost their holder twice in a row without progress. One of them may be what ends programs:
    /// a node takes them one at a time, so that it does not take the others with it.
    pub suspects: bool,
    /// For how long the run is held without a heartbeat.
    pub lease: Duration,
    /// Who would execute it.
    pub node: NodeId,
    /// Names this claim, so that it can be asked for again when its answer was lost.
    pub claim: ClaimId,
}

/// A process whose runs may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTarget {
    /// Its route.
    pub process: String,
    /// How many of its runs are held at the same time at the most, by all nodes together; of runs with a
    /// concurrency key, how many of each key.
    pub concurrency: usize,
    /// True when an abandoned run of it goes on from its cursor.
    pub resumable: bool,
}

/// The right to execute one run. An epoch is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    /// The run it is for.
    pub run: RunId,
    /// Rises with every claim of the run; writes with an older one are refused.
    pub epoch: u64,
    /// The claim it was given to. A store that was restored, or whose standby took over, may give an epoch again; a
    /// write counts only with both.
    pub claim: ClaimId,
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
#[non_exhaustive]
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
    /// End it: one that waits at once, one that is executed as soon as its body has stopped.
    Cancel,
    /// End it at once, whatever its holder does: for one whose body does not stop.
    Kill,
    /// Stop it where it can go on later, or keep it from being executed.
    Pause,
    /// Let a paused run go on.
    Resume,
}

impl Control {
    pub(crate) const ALL: [Self; 4] = [Self::Cancel, Self::Kill, Self::Pause, Self::Resume];

    /// Its one name, in logs and in stores: `cancel`, `force`, `pause` or `resume`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            // As in `?force=yes`.
            Self::Kill => "force",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// What becomes of a run whose holder gives it up before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// It waits to be taken up again, by any node.
    Queued,
    /// It failed, and is tried again, not before so much time has passed. Should the clock be set back meanwhile, it
    /// need not wait for so much longer.
    Retry(Duration),
    /// It waits until it is resumed.
    Paused,
}

/// News of a run, written together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// Lines to add, in order, each with a number above all before it.
    pub lines: Vec<LogLine>,
    /// Lines that need not be kept any more.
    pub omit: Option<TrimLog>,
    /// How far the run is now, if that changed.
    pub progress: Option<ProgressState>,
    /// All files it offers now, if that changed.
    pub files: Option<Vec<RunFile>>,
    /// The items that failed so far, as many as are kept, if that changed.
    pub failed_items: Option<Vec<FailedItem>>,
    /// Up to where its work is done, if that changed.
    pub cursor: Option<SavedCursor>,
    /// Whether it has been silent for long, if that changed.
    pub stalled: Option<bool>,
    /// For how long it has run, in milliseconds.
    pub elapsed_ms: u64,
}

impl Batch {
    /// About how much is written, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.lines.iter().map(LogLine::size).sum()
    }
}

/// Log lines that are removed, because the log has grown too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrimLog {
    /// Their numbers.
    pub lines: RangeInclusive<u64>,
    /// Lines of this level and above are kept all the same.
    pub keep: Option<Level>,
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFilter {
    /// Only those of this process (its route).
    pub process: Option<String>,
    /// None of these processes.
    pub except: Vec<String>,
    /// Only those in one of these states; an empty list means all.
    pub statuses: Vec<RunStatus>,
    /// Only those started by this person.
    pub actor: Option<String>,
    /// Only those whose start was accepted at this moment or later.
    pub from: Option<Timestamp>,
    /// Only those whose start was accepted before this moment.
    pub until: Option<Timestamp>,
    /// Leave out this many of the newest.
    pub skip: usize,
    /// Give at most this many.
    pub limit: usize,
}

/// Which ended runs are kept. What neither rule lets go is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Runs that ended longer ago than this are removed.
    pub older_than: Option<Duration>,
    /// Of each process so many ended runs are kept, the newest.
    pub newest: Option<usize>,
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The runs that are gone: nothing needs their files any more.
    pub runs: Vec<RunId>,
    /// True when there is more to remove.
    pub more: bool,
}

/// Something changed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// A run waits to be claimed, or a place may have become free for one.
    Queued,
    /// Something was asked of this run: its holder should hear its heart beat.
    Requested(RunId),
    /// News of this run were written, or it changed.
    Changed(RunId),
}
