//! How a store is opened: when a commit counts as durable, and why opening failed.

use std::fmt;
use std::path::Path;

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Synchronous {
    /// When it has reached the disk: what was answered survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: survives the end of the program, not always a power cut.
    /// For slow disks.
    Normal,
}

/// Why the store could not be opened. The text names the file or folder.
#[derive(Debug)]
pub struct OpenError(String);

impl OpenError {
    pub(super) fn new(path: &Path, error: impl fmt::Display) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OpenError {}
