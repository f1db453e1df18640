//! The errors of a store.

use crate::cause::Cause;

/// Why a control request is not possible for a run in its current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlRefused {
    /// The run has ended.
    #[error("the run has ended")]
    Ended,
    /// It is being cancelled.
    #[error("the run is being cancelled")]
    Cancelling,
    /// It is running, and its process takes no cursor, so it cannot be paused.
    #[error("the run is running and cannot be paused: its process has no cursor")]
    NoCursor,
    /// It is running, and no pause was requested.
    #[error("the run is not paused")]
    NotPaused,
    /// It is already queued.
    #[error("the run is already queued")]
    Queued,
}

/// The error of a store operation.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The lease is no longer valid. Nothing was written.
    #[error("the lease is no longer valid: nothing was written")]
    Fenced,
    /// This many runs are already queued. Nothing was written.
    #[error("the queue is full ({0} runs): nothing was started")]
    Full(usize),
    /// This many runs of the process are already queued. Nothing was written.
    #[error("the queue of this process is full ({0} runs): nothing was started")]
    ProcessFull(usize),
    /// This many runs of the same actor are already queued. Nothing was written.
    #[error("this actor's queue is full ({0} runs): nothing was started")]
    ActorFull(usize),
    /// The control request is not possible for the run in its current state. Nothing was written.
    #[error(transparent)]
    Refused(#[from] ControlRefused),
    /// The store is overloaded and did not begin the operation. Try again in a moment.
    #[error("the store is overloaded: try again shortly")]
    Busy,
    /// The store cannot read or write at the moment. The text of the cause is for the operator's log. The condition
    /// may be temporary.
    #[error("the store is unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// A record, or the whole store, is damaged, and the store did not use its content. The text of the cause states
    /// which, and what to do.
    #[error("the store is damaged: {0}")]
    Damaged(#[source] Cause),
}
