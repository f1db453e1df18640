//! The statuses of a run and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The status of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RunStatus {
    /// Accepted and stored; waits to be claimed.
    Queued,
    /// The body is executing.
    Running,
    /// Paused on request; can be resumed.
    Paused,
    /// A cancel was requested; the body has not ended yet.
    Cancelling,
    /// Ended by itself, with a result.
    Succeeded,
    /// Ended by an error, a panic or a timeout.
    Failed,
    /// Ended by a cancel.
    Cancelled,
    /// The program that executed it ended first.
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

    /// The statuses of runs that have not ended, in the order of a run's life.
    pub(crate) fn active() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|status| !status.is_terminal())
    }

    /// The statuses of runs that have ended.
    pub(crate) fn terminal() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|status| status.is_terminal())
    }

    /// Returns true for a status that never changes again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted)
    }

    /// Returns the name used in JSON, in URLs and in the store.
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

/// The error for a text that is not the name of a status.
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
