//! The lines of a run's log, and their levels.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StyledSpan;

/// The level of a log line, in ascending order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Level {
    /// Details that help to find a mistake.
    Debug,
    /// Information.
    Info,
    /// Something that a person should look at; the run continues.
    Warn,
    /// An error.
    Error,
}

impl Level {
    /// Every level, in ascending order of severity.
    pub const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// Returns the name used in JSON, in URLs, on the page and in the store.
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

/// The error for a text that is not the name of a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a level is one of debug, info, warn, error")]
pub struct UnknownLevel;

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's number within its run, from 1. A gap means omitted lines.
    pub seq: u64,
    /// When it was logged.
    pub at: Timestamp,
    /// The level.
    pub level: Level,
    /// The text: plain, with `\n` between its lines if it has several.
    pub text: String,
    /// The parts of the text that a tool wrote in colour, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub styles: Vec<StyledSpan>,
}

impl LogLine {
    /// The size of a line besides its text, in bytes, for every limit in bytes: without it, a million empty lines
    /// would count as nothing.
    const OVERHEAD: usize = 128;

    /// The size that counts towards limits in bytes.
    pub(crate) fn size(&self) -> usize {
        Self::size_of(self.text.len(), self.styles.len())
    }

    /// The same for a text of this length with this many styled parts.
    pub(crate) fn size_of(text: usize, styles: usize) -> usize {
        text.saturating_add(styles * size_of::<StyledSpan>()).saturating_add(Self::OVERHEAD)
    }
}

/// Omitted lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Omitted {
    /// The number of the line before them.
    pub(crate) after: u64,
    /// How many lines were omitted.
    pub(crate) lines: u64,
}

impl Omitted {
    /// The number of the last of them.
    pub(crate) fn last(self) -> u64 {
        self.after + self.lines
    }
}
