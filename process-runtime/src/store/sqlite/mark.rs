//! The mark file: a count of commits beside the database. A store that lost acknowledged commits, because its file was
//! truncated or its write-ahead log damaged, is refused.
//!
//! SQLite treats a truncated or damaged write-ahead log as one whose last writes never completed, and continues from
//! the state before. So every group of writes is counted in the database and, after the commit, in the mark file.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::params;

use super::damage::{Db, Failure};
use super::options::{OpenError, Synchronous};
use crate::run::RunId;
use crate::text::OneLine;

/// The content of the mark file.
struct Note {
    /// Identifies the opening of the file it belongs to: a backup of an earlier time has another one, and is accepted.
    session: [u8; 16],
    commits: i64,
}

impl Note {
    const LENGTH: usize = 28;

    /// Overwrites the content in place, which neither grows the file nor waits for the disk.
    fn write_to(&self, mut file: &File) -> io::Result<()> {
        let mut bytes = [&self.session[..], &self.commits.to_le_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&bytes)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (said, crc) = bytes.split_at_checked(Self::LENGTH - 4)?;
        let (session, commits) = said.split_at_checked(16)?;
        let note =
            Self { session: session.try_into().ok()?, commits: i64::from_le_bytes(commits.try_into().ok()?) };
        (crc == crc32fast::hash(said).to_le_bytes()).then_some(note)
    }
}

/// Counts the commits.
pub(super) struct Mark {
    note: Note,
    /// `None` if the mark file cannot be written.
    file: Option<File>,
    /// How many rows the connection had changed at the last count.
    changes: i64,
    /// True if the group about to be committed has been counted.
    counted: bool,
}

fn path_of(store: &Path) -> PathBuf {
    store.with_extension("sqlite3-mark")
}

/// SQLite takes a file shorter than its smallest page for a new one, and initializes it.
const SHORTEST: u64 = 512;

/// Refuses a file that is so short that SQLite would initialize it, though data was committed to it.
pub(super) fn refuse_emptied(store: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(store).map(|file| file.len()) {
        Ok(0) if !path_of(store).exists() => Ok(()),
        Ok(length) if length < SHORTEST => Err(lost(store, "the file is truncated")),
        _ => Ok(()),
    }
}

fn lost(store: &Path, what: impl std::fmt::Display) -> OpenError {
    let mark = path_of(store);
    let what = format!(
        "{what}: restore a backup (or the matching -wal file beside it), or, to \
         continue without the lost commits, remove {}",
        mark.display()
    );
    OpenError::stating(store, what)
}

impl Mark {
    /// Compares the mark with the file, and begins a new session.
    pub(super) fn begin(db: &Db, store: &Path, synchronous: Synchronous) -> Result<Self, OpenError> {
        let path = path_of(store);
        let named = |error: rusqlite::Error| OpenError::new(store, error);
        let (session, commits): ([u8; 16], i64) = db
            .query_row("SELECT session, commits FROM mark", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(named)?;
        match std::fs::read(&path).as_deref().map(Note::read) {
            Ok(Some(note)) if note.session == session && note.commits > commits => {
                let missing = note.commits - commits;
                return Err(lost(store, format_args!("its last {missing} commits are missing")));
            }
            Ok(None) => {
                tracing::warn!("{} is damaged and was replaced by a new one", OneLine(path.display()));
            }
            Ok(Some(_)) | Err(_) => {}
        }
        let note = Note { session: *RunId::new().as_bytes(), commits: 0 };
        let mut mark = Self { note, file: None, changes: 0, counted: false };
        let renewed = mark.renew(db, &path);
        mark.changes = changes(db).map_err(named)?;
        match renewed {
            // Without a sync at each commit, a power failure may lose writes; that is not damage.
            Ok(_) if synchronous == Synchronous::Normal => {}
            Ok(file) => mark.file = Some(file),
            // For example on a full disk. The old mark stays; its count is too low, so it reports nothing as missing.
            Err(error) => {
                tracing::warn!(
                    "could not write {}, so lost commits are not detected: {}",
                    OneLine(path.display()),
                    OneLine(&error)
                );
            }
        }
        Ok(mark)
    }

    fn renew(&self, db: &Db, path: &Path) -> Result<File, Box<dyn std::error::Error>> {
        db.execute("UPDATE mark SET session = ?1, commits = 0", params![self.note.session])?;
        // From here on the database file itself belongs to this session, even if its write-ahead log is lost.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        self.note.write_to(&file)?;
        Ok(file)
    }

    /// Counts the group about to be committed, if it changed anything.
    pub(super) fn count(&mut self, db: &Db) -> Result<(), Failure> {
        self.counted = false;
        if self.file.is_none() {
            return Ok(());
        }
        if changes(db)? != self.changes {
            db.prepare_cached("UPDATE mark SET commits = ?1")?.execute([self.note.commits + 1])?;
            self.changes = changes(db)?;
            self.counted = true;
        }
        Ok(())
    }

    /// Records that the group was committed.
    pub(super) fn committed(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.counted) else { return };
        self.note.commits += 1;
        if let Err(error) = self.note.write_to(file) {
            tracing::warn!(
                "could not write the mark file, so lost commits are no longer detected: {}",
                OneLine(&error)
            );
            self.file = None;
        }
    }
}

/// Returns how many rows this connection has changed.
fn changes(db: &Db) -> Result<i64, rusqlite::Error> {
    db.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get(0))
}
