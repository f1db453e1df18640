//! Notices that the store's files were removed or replaced while they are open: what is written then is gone with the
//! program, and nobody may be told that it is kept.

use std::io;
use std::path::{Path, PathBuf};

use super::{Cause, StoreError};

/// The files as they were when the store was opened.
#[derive(Debug)]
pub(super) struct Presence(Vec<(PathBuf, Identity)>);

impl Presence {
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        let mut known = vec![(store.to_owned(), identity(store)?)];
        // The log beside it is made anew only when the last connection has gone.
        let log = store.with_extension("sqlite3-wal");
        if let Ok(identity) = identity(&log) {
            known.push((log, identity));
        }
        Ok(Self(known))
    }

    /// An error once one of them is not the file that is open. Costs two looks into the folder.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            let what = match identity(path) {
                Ok(now) if now == *known => continue,
                Ok(_) => Cause::from("was replaced by another file"),
                Err(error) => Cause::of(error).map(|error| format!("is not there any more ({error})")),
            };
            return Err(StoreError::Unavailable(what.map(|what| {
                format!(
                    "{} {what} while this program had it open: what would be written now would be lost. Put the \
                     file back, or stop the program and start it again",
                    path.display()
                )
            })));
        }
        Ok(())
    }
}

#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

// Elsewhere a file that is open is neither removed nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Identity> {
    Ok(())
}
