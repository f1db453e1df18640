//! Detects that the store's files were removed or replaced while they are open. Later writes would be lost when the
//! program ends, so they must not be acknowledged.

use std::io;
use std::path::{Path, PathBuf};

use super::{Cause, StoreError};

/// The identities of the files when the store was opened.
#[derive(Debug)]
pub(super) struct Presence(Vec<(PathBuf, Identity)>);

impl Presence {
    pub(super) fn of(store: &Path) -> io::Result<Self> {
        let mut known = vec![(store.to_owned(), identity(store)?)];
        // The write-ahead log is replaced only after the last connection has closed.
        let log = store.with_extension("sqlite3-wal");
        if let Ok(identity) = identity(&log) {
            known.push((log, identity));
        }
        Ok(Self(known))
    }

    /// Returns an error if one of them is no longer the open file. Costs two `stat` calls.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (path, known) in &self.0 {
            let what = match identity(path) {
                Ok(now) if now == *known => continue,
                Ok(_) => Cause::from("was replaced by another file"),
                Err(error) => Cause::of(error).map(|error| format!("no longer exists ({error})")),
            };
            return Err(StoreError::Unavailable(what.map(|what| {
                format!(
                    "{} {what} while this program had it open, so new writes would be lost. Restore the file, or \
                     restart the program",
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

// On other systems an open file can be neither removed nor replaced.
#[cfg(not(unix))]
type Identity = ();

#[cfg(not(unix))]
fn identity(_: &Path) -> io::Result<Identity> {
    Ok(())
}
