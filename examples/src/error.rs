//! The errors of the examples, worded for the viewers of a run.

use std::io;
use std::path::Path;

/// The error of an example.
///
/// A process may return any error that implements [`Display`](std::fmt::Display). That text is what
/// viewers of the run see, so it says what is wrong and, where possible, what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input is invalid.
    #[error("{0}")]
    Input(String),
    /// A file or folder could not be used.
    #[error("could not {action}: {source}")]
    File {
        /// The failed action, with the file's name.
        action: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// SQLite returned an error.
    #[error("database error: {0}")]
    Database(#[from] rusqlite::Error),
    /// The archive that was read back is not what was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// A part of the work in another thread did not finish.
    #[error("a part of the work did not finish")]
    Unfinished,
}

impl Error {
    /// Says what was being done with which file when the system refused.
    ///
    /// Only the file's name is shown, not its path on the server.
    pub(crate) fn file(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let action = format!("{action} {name}");
        move |source| Self::File { action, source }
    }
}
