//! How a run ended, as it is stored.

use serde_json::Value;

use super::{Failure, RunStatus};

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It succeeded, with this result.
    Succeeded(Value),
    /// It failed, for this reason.
    Failed(Failure),
    /// It was cancelled.
    Cancelled,
    /// The program that executed it ended first; the text explains what happened.
    Interrupted(String),
}

impl Outcome {
    /// Returns the terminal status of this outcome.
    pub fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded(_) => RunStatus::Succeeded,
            Self::Failed(_) => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Interrupted(_) => RunStatus::Interrupted,
        }
    }
}
