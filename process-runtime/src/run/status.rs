//! The states of a run and their words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a run stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RunStatus {
    /// Accepted and stored; waits for a place to run.
    Queued,
    /// Its body is being executed.
    Running,
    /// Stopped on request, to be taken up again.
    Paused,
    /// Asked to stop; its body has not yet ended.
    Cancelling,
    /// Ended by itself, with a result.
    Succeeded,
    /// Ended by an error or a panic.
    Failed,
    /// Ended on request.
    Cancelled,
    /// The program that executed it went away before it ended.
    Interrupted,
}

impl RunStatus {
    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// Those of runs that have not ended, in the order of a run's life.
    pub(crate) fn active() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|status| !status.is_terminal())
    }

    /// Those of runs that have ended.
    pub(crate) fn terminal() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|status| status.is_terminal())
    }

    /// True for a status that never changes again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted)
    }

    /// The word used in JSON, in URLs and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RunStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A word that names no status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatus;

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status is one of ")?;
        for (index, status) in RunStatus::ALL.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{status}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownStatus {}
