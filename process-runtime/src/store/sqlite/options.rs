//! Options for opening a store: when a commit counts as durable, and the error if opening fails.

use std::error::Error;
use std::fmt;
use std::path::Path;

use super::Cause;

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Synchronous {
    /// When it has reached the disk: acknowledged writes survive a power failure.
    #[default]
    Full,
    /// When the operating system has received it: acknowledged writes survive the end of the program, but not always
    /// a power failure. For slow disks.
    Normal,
}

/// The error if the store could not be opened. Its text names the file or folder.
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct OpenError(Cause);

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl OpenError {
    pub(super) fn new(path: &Path, error: impl Error + Send + Sync + 'static) -> Self {
        Self(Cause::of(error).map(|error| format!("{}: {error}", path.display())))
    }

    /// The error for what no other library has reported.
    pub(super) fn stating(path: &Path, what: impl fmt::Display) -> Self {
        Self(format!("{}: {what}", path.display()).into())
    }
}
