//! What a store is asked and what it answers. The structs may grow: other crates make them with constructors and with
//! setters of the same names as the members.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::setters::setters;
use super::{ClaimId, HomeId, NodeId};
use crate::run::{FailedItem, Level, LogLine, ProgressState, Run, RunFile, RunId, SavedCursor};

/// The conditions of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartOptions {
    /// Starts of the same process with the same key return the same run.
    pub idempotency_key: Option<String>,
    /// If a run of the process is active, return it instead of starting another one.
    pub exclusive: bool,
    /// The maximum number of queued runs, of all processes together.
    pub max_queued: usize,
    /// The maximum number of queued runs of the run's process.
    pub max_queued_per_process: usize,
    /// The maximum number of queued runs of the run's actor, if it has one.
    pub max_queued_per_actor: usize,
}

setters!(StartOptions {
    idempotency_key: impl Into<Option<String>>,
    exclusive: bool,
    max_queued: usize,
    max_queued_per_process: usize,
    max_queued_per_actor: usize,
});

impl Default for StartOptions {
    fn default() -> Self {
        Self {
            idempotency_key: None,
            exclusive: false,
            max_queued: usize::MAX,
            max_queued_per_process: usize::MAX,
            max_queued_per_actor: usize::MAX,
        }
    }
}

/// The result of a start.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct StartOutcome {
    /// The run that the start created or found.
    pub run: Run,
    /// True if an earlier start created the run.
    pub existing: bool,
}

impl StartOutcome {
    /// Creates the outcome of a start that created this run, or found it.
    pub fn new(run: Run, existing: bool) -> Self {
        Self { run, existing }
    }
}

/// Which runs a node can claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// The processes whose runs it can claim.
    pub processes: Vec<ClaimTarget>,
    /// Also claim abandoned runs of other processes. The new holder can only end them. For a store that no other
    /// program can open, since no other node will ever claim them.
    pub orphans: bool,
    /// Also claim abandoned runs that lost their holder twice in a row without progress. Such a run may be what
    /// crashes its program, so a node executes them one at a time.
    pub suspects: bool,
    /// How long the lease lasts without a heartbeat.
    pub lease: Duration,
    /// The node that claims.
    pub node: NodeId,
    /// Identifies this claim, so that the call can be repeated if its answer was lost.
    pub claim: ClaimId,
    /// The data folder of the node, if several nodes share the store: runs that are
    /// [pinned](crate::Run::pinned_to) to another one are left to its node.
    pub home: Option<HomeId>,
    /// The name of the node, for people.
    pub node_name: Option<String>,
}

impl ClaimRequest {
    /// Creates the request of a node for a lease of this duration, with a new [`ClaimId`]. It can claim nothing until it
    /// is given processes.
    pub fn new(node: NodeId, lease: Duration) -> Self {
        let claim = ClaimId::new();
        let processes = Vec::new();
        Self { processes, orphans: false, suspects: false, lease, node, claim, home: None, node_name: None }
    }

    /// Returns true if the node has the files and secrets that this run needs.
    pub fn reaches(&self, run: &Run) -> bool {
        run.pinned_to().is_none_or(|home| self.home == Some(home))
    }
}

setters!(ClaimRequest {
    processes: Vec<ClaimTarget>,
    orphans: bool,
    suspects: bool,
    lease: Duration,
    node: NodeId,
    claim: ClaimId,
    home: impl Into<Option<HomeId>>,
    node_name: impl Into<Option<String>>,
});

/// A process whose runs a node can claim.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimTarget {
    /// The route of the process.
    pub process: String,
    /// The maximum number of its runs that all nodes together hold at the same time; for runs with a concurrency key,
    /// the maximum for each key.
    pub concurrency: usize,
    /// True if an abandoned run of the process resumes from its cursor.
    pub resumable: bool,
}

impl ClaimTarget {
    /// Creates a target for a process, given by its route, without a limit and not resumable.
    pub fn new(process: impl Into<String>) -> Self {
        Self { process: process.into(), concurrency: usize::MAX, resumable: false }
    }
}

setters!(ClaimTarget { concurrency: usize, resumable: bool });

/// The right to execute one run. The store never issues an epoch twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Lease {
    /// The run.
    pub run: RunId,
    /// Increases with every claim of the run. The store refuses writes with an older epoch.
    pub epoch: u64,
    /// The claim that received the lease. A store that was restored, or failed over to a standby, may issue an epoch
    /// again; so a write must match both.
    pub claim: ClaimId,
}

impl Lease {
    /// Creates a lease, as a store issues it.
    pub fn new(run: RunId, epoch: u64, claim: ClaimId) -> Self {
        Self { run, epoch, claim }
    }
}

/// A run that a node has claimed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Claim {
    /// The right to execute it.
    pub lease: Lease,
    /// The run, already marked as running.
    pub run: Run,
    /// The number of its last log line, 0 where there is none.
    pub last_seq: u64,
    /// True if another holder began to execute the run and died.
    pub abandoned: bool,
}

impl Claim {
    /// Creates the claim of a run that had no holder.
    pub fn new(lease: Lease, run: Run, last_seq: u64) -> Self {
        Self { lease, run, last_seq, abandoned: false }
    }
}

setters!(Claim { abandoned: bool });

/// The answer to a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heartbeat {
    /// The lease is extended.
    Held,
    /// The lease is extended, and there is this control request for the run.
    Requested(Control),
    /// Another node holds the run, or it has ended: stop executing, and write nothing more.
    Lost,
}

/// A control request for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// Cancel it: immediately if it is queued or paused, otherwise as soon as its body has stopped.
    Cancel,
    /// End it immediately, without waiting for its holder: for a body that does not stop.
    ForceCancel,
    /// Pause it: stop a running body at its next save, or keep a queued run from starting.
    Pause,
    /// Resume a paused run.
    Resume,
}

impl Control {
    /// All control requests.
    pub const ALL: &'static [Self] = &[Self::Cancel, Self::ForceCancel, Self::Pause, Self::Resume];

    /// Returns its name in logs and in stores: `cancel`, `force`, `pause` or `resume`. [`FromStr`] reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            // As in `?force=yes`.
            Self::ForceCancel => "force",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

impl FromStr for Control {
    type Err = UnknownControl;

    fn from_str(text: &str) -> Result<Self, UnknownControl> {
        Self::ALL.iter().copied().find(|control| control.as_str() == text).ok_or(UnknownControl)
    }
}

/// The error for a text that is not the name of a control request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a control request is one of cancel, force, pause, resume")]
pub struct UnknownControl;

/// What happens to a run whose holder gives it up before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Release {
    /// It is queued again; any node can claim it.
    Queued,
    /// An attempt failed: it is queued for a retry after this backoff. If the clock is set back meanwhile, the wait
    /// does not grow by that time.
    Retry(Duration),
    /// It is paused until it is resumed.
    Paused,
}

/// Changes to a run that are written together.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Batch {
    /// Lines to add, in order. Each line has a higher number than the lines before it.
    pub lines: Vec<LogLine>,
    /// Lines to remove.
    pub omit: Option<TrimLog>,
    /// The progress, if it changed.
    pub progress: Option<ProgressState>,
    /// All files that the run offers, if they changed.
    pub files: Option<Vec<RunFile>>,
    /// The kept failed items, if they changed.
    pub failed_items: Option<Vec<FailedItem>>,
    /// The cursor, if it changed.
    pub cursor: Option<SavedCursor>,
    /// Whether the run is stalled, if that changed.
    pub stalled: Option<bool>,
    /// How long the run has run, in milliseconds.
    pub elapsed_ms: u64,
}

setters!(Batch {
    lines: Vec<LogLine>,
    omit: impl Into<Option<TrimLog>>,
    progress: impl Into<Option<ProgressState>>,
    files: impl Into<Option<Vec<RunFile>>>,
    failed_items: impl Into<Option<Vec<FailedItem>>>,
    cursor: impl Into<Option<SavedCursor>>,
    stalled: impl Into<Option<bool>>,
    elapsed_ms: u64,
});

impl Batch {
    /// The approximate size of the write, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.lines.iter().map(LogLine::size).sum()
    }
}

/// Log lines to remove because the log has grown too long.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrimLog {
    /// Their numbers.
    pub lines: RangeInclusive<u64>,
    /// Keep lines of this level and above.
    pub keep: Option<Level>,
}

impl TrimLog {
    /// Removes all lines with these numbers.
    pub fn new(lines: RangeInclusive<u64>) -> Self {
        Self { lines, keep: None }
    }
}

setters!(TrimLog { keep: impl Into<Option<Level>> });

/// The retention of ended runs. A run is removed if either rule applies to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Remove runs that ended longer ago than this.
    pub older_than: Option<Duration>,
    /// Keep this many ended runs of each process, the newest.
    pub newest: Option<usize>,
}

setters!(Retention { older_than: impl Into<Option<Duration>>, newest: impl Into<Option<usize>> });

/// The result of a prune.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The removed runs, whose files can now be deleted.
    pub runs: Vec<RunId>,
    /// True if more runs can be removed.
    pub more: bool,
}

impl Pruned {
    /// Creates the result of a prune that removed these runs.
    pub fn new(runs: Vec<RunId>, more: bool) -> Self {
        Self { runs, more }
    }
}

/// A hint that something in the store has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// A run was queued, or a queued run may now be claimed because another run released its slot.
    Queued,
    /// There is a control request for this run: its holder should send a heartbeat now.
    Requested(RunId),
    /// This run was changed.
    Changed(RunId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_names_are_read_back() {
        for control in Control::ALL {
            assert_eq!(control.as_str().parse(), Ok(*control));
        }
        assert_eq!("force".parse(), Ok(Control::ForceCancel));
        assert_eq!("Cancel".parse::<Control>(), Err(UnknownControl));
    }
}
