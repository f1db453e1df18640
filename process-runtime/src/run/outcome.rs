//! How a run's body ended, as it is stored.

use serde_json::Value;

use super::RunStatus;

/// How a run's body ended.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// With this result.
    Succeeded(Value),
    /// With this error, in words for people.
    Failed(String),
    /// On request.
    Cancelled,
    /// With the program that executed it; the text says what became of it.
    Interrupted(String),
}

impl Outcome {
    /// The terminal status this outcome leads to.
    pub fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded(_) => RunStatus::Succeeded,
            Self::Failed(_) => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Interrupted(_) => RunStatus::Interrupted,
        }
    }
}
