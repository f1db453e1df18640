//! The lines of a run's log, and how serious they are.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How serious a log line is, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// Something that helps to find a mistake.
    Debug,
    /// Something worth knowing.
    Info,
    /// Something a person should look at; the run goes on.
    Warn,
    /// Something that went wrong.
    Error,
}

impl Level {
    /// Every level, the least serious first.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The word used in JSON, in URLs, on the page and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or(UnknownLevel)
    }
}

/// A word that names no level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLevel;

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a level is one of debug, info, warn, error")
    }
}

impl std::error::Error for UnknownLevel {}

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's number within its run, from 1. A gap means lines that were not kept.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// How serious it is.
    pub level: Level,
    /// What it says.
    pub text: String,
}

impl LogLine {
    /// What a line costs beside its text, in bytes, wherever lines are counted in bytes: without it, a million empty
    /// lines would be nothing.
    const OVERHEAD: usize = 128;

    /// What it counts where lines are counted in bytes.
    pub(crate) fn size(&self) -> usize {
        Self::size_of(self.text.len())
    }

    /// The same for a text of this length.
    pub(crate) fn size_of(text: usize) -> usize {
        text.saturating_add(Self::OVERHEAD)
    }
}

/// Lines that were not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Omitted {
    /// The number of the line before them.
    pub(crate) after: u64,
    /// How many they are.
    pub(crate) lines: u64,
}

impl Omitted {
    /// The number of the last of them.
    pub(crate) fn last(self) -> u64 {
        self.after + self.lines
    }
}
