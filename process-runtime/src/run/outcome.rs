//! Owns how a run's body ended.
//! Refuses to know who tells whom.

use serde::Serialize;
use serde_json::Value;

use super::RunStatus;

/// How a run's body ended.
#[derive(Debug, Clone, PartialEq)]
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
    /// Success with this data as its result; a failure that says why, if the data cannot be JSON.
    pub fn succeeded(data: &impl Serialize) -> Self {
        match serde_json::to_value(data) {
            Ok(value) => Self::Succeeded(value),
            Err(error) => Self::Failed(format!("the result could not be written as JSON: {error}")),
        }
    }

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
