//! The errors of a store.

use std::fmt;

/// Why a control request is not possible for a run in its current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlRefused {
    /// The run has ended.
    Ended,
    /// It is being cancelled.
    Cancelling,
    /// It is running, and its process takes no cursor, so it cannot be paused.
    NoCursor,
    /// It is running, and no pause was requested.
    NotPaused,
    /// It is already queued.
    Queued,
}

impl fmt::Display for ControlRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ended => "the run has ended",
            Self::Cancelling => "the run is being cancelled",
            Self::NoCursor => {
                "the run is executed, and could not go on where it was: its process keeps no cursor"
            }
            Self::NotPaused => "the run is executed, and was not asked to pause",
            Self::Queued => "the run waits in the queue already",
        })
    }
}

/// The error of a store operation.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// The lease is no longer valid. Nothing was written.
    Fenced,
    /// This many runs are already queued. Nothing was written.
    Full(usize),
    /// This many runs of the process are already queued. Nothing was written.
    ProcessFull(usize),
    /// This many runs of the same actor are already queued. Nothing was written.
    ActorFull(usize),
    /// The control request is not possible for the run in its current state. Nothing was written.
    Refused(ControlRefused),
    /// The store is overloaded and did not begin the operation. Try again in a moment.
    Busy,
    /// The store cannot read or write at the moment. The text is for the operator's log. The condition may be
    /// temporary.
    Unavailable(String),
    /// A record, or the whole store, is damaged, and the store did not use its content. The text states which, and
    /// what to do.
    Damaged(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced => f.write_str("another holder has the run: nothing was written"),
            Self::Full(waiting) => write!(f, "{waiting} runs wait already: nothing was started"),
            Self::ProcessFull(waiting) => {
                write!(f, "{waiting} runs of the process wait already: nothing was started")
            }
            Self::ActorFull(waiting) => {
                write!(f, "{waiting} runs of the same person wait already: nothing was started")
            }
            Self::Refused(why) => why.fmt(f),
            Self::Busy => f.write_str("too much is asked of the store at this moment: try again shortly"),
            Self::Unavailable(why) => write!(f, "the store is not available: {why}"),
            Self::Damaged(what) => write!(f, "what is damaged was not believed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}
