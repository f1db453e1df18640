//! Why a store could not do what it was asked.

use std::fmt;

/// Why something makes no sense for a run as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlRefused {
    /// The run has ended.
    Ended,
    /// It is being cancelled.
    Cancelling,
    /// It is executed, and its process keeps no cursor: it could not go on where it was.
    NoCursor,
    /// It is executed, and nobody has asked it to pause.
    NotPaused,
    /// It waits in the queue already.
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

/// Why a store could not do what it was asked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StoreError {
    /// The lease is no longer valid; nothing was written.
    Fenced,
    /// So many runs wait already; nothing was written.
    Full(usize),
    /// So many runs of the process wait already; nothing was written.
    ProcessFull(usize),
    /// So many runs wait already that the same actor has started; nothing was written.
    ActorFull(usize),
    /// What was asked of a run makes no sense for it as it is; nothing was written.
    Refused(ControlRefused),
    /// So much is asked of the store that this was not begun: try again in a moment.
    Busy,
    /// The store cannot write or read now; the text is for the operator's log. May pass by itself.
    Unavailable(String),
    /// A record, or the whole store, is damaged and was not believed; the text says which, and what to do.
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
