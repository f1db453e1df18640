//! What can go wrong in the examples, in sentences for the person who watches a run.

use std::io;
use std::path::Path;

/// Why an example could not do its work.
///
/// A process may return any error that implements [`Display`](std::fmt::Display). That text is what
/// viewers of the run see, so it says what is wrong and, where possible, what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value that was typed in makes no sense.
    #[error("{0}")]
    Input(String),
    /// A file or folder could not be used.
    #[error("could not {action}: {source}")]
    File {
        /// What was tried, with the file's name.
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error("the database refused: {0}")]
    Database(#[from] rusqlite::Error),
    /// The archive that was read back is not what was written.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// A part of the work that ran in a thread of its own did not finish.
    #[error("a part of the work did not finish")]
    Unfinished,
}

impl Error {
    /// Says what was being done with which file when the system refused.
    ///
    /// Only the file's name is shown: where the server keeps its files is nobody's business.
    pub(crate) fn file(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let action = format!("{action} {name}");
        move |source| Self::File { action, source }
    }
}
