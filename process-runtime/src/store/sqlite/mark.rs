//! A count of commits in a file beside the store: a store that lost acknowledged commits, because its file was
//! truncated or its log damaged, is refused.
//!
//! SQLite takes a log that is cut off or damaged for one whose end was never written, and goes on from what is
//! before. So every group of writes is counted inside of the store, and, once committed, out here.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::params;

use super::damage::{Db, Failure};
use super::options::{OpenError, Synchronous};
use crate::run::RunId;
use crate::text::OneLine;

/// What stands in the note.
struct Note {
    /// When the file was opened last: a backup of an earlier time is not measured by this note.
    session: [u8; 16],
    commits: i64,
}

impl Note {
    const LENGTH: usize = 28;

    /// In place: this neither grows the file nor waits for the disk.
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

/// Counts commits.
pub(super) struct Mark {
    note: Note,
    /// `None` when it is not kept.
    file: Option<File>,
    /// How many rows the connection had changed when it was counted last.
    changes: i64,
    /// True when what is about to be committed has been counted.
    counted: bool,
}

fn path_of(store: &Path) -> PathBuf {
    store.with_extension("sqlite3-mark")
}

/// SQLite takes a file that is shorter than its shortest page for a new one, and begins anew.
const SHORTEST: u64 = 512;

/// An error for a file that was cut off so far that SQLite would not miss the rest.
pub(super) fn refuse_emptied(store: &Path) -> Result<(), OpenError> {
    match std::fs::metadata(store).map(|file| file.len()) {
        Ok(0) if !path_of(store).exists() => Ok(()),
        Ok(length) if length < SHORTEST => {
            Err(lost(store, "the file is empty, or nearly so, and once was not"))
        }
        _ => Ok(()),
    }
}

fn lost(store: &Path, what: impl std::fmt::Display) -> OpenError {
    let mark = path_of(store);
    let what = format!(
        "{what}: put a backup in its place (or the -wal file that belongs to it beside it), and, to go on with \
         what is there, remove {}",
        mark.display()
    );
    OpenError::stating(store, what)
}

impl Mark {
    /// Compares the note with the file, and begins a new one.
    pub(super) fn begin(db: &Db, store: &Path, synchronous: Synchronous) -> Result<Self, OpenError> {
        let path = path_of(store);
        let named = |error: rusqlite::Error| OpenError::new(store, error);
        let (session, commits): ([u8; 16], i64) = db
            .query_row("SELECT session, commits FROM mark", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(named)?;
        match std::fs::read(&path).as_deref().map(Note::read) {
            Ok(Some(note)) if note.session == session && note.commits > commits => {
                let missing = note.commits - commits;
                return Err(lost(store, format_args!("the last {missing} groups of writes are missing")));
            }
            Ok(None) => tracing::warn!("{} is damaged, and is begun anew", OneLine(path.display())),
            Ok(Some(_)) | Err(_) => {}
        }
        let note = Note { session: *RunId::new().as_bytes(), commits: 0 };
        let mut mark = Self { note, file: None, changes: 0, counted: false };
        let renewed = mark.renew(db, &path);
        mark.changes = changes(db).map_err(named)?;
        match renewed {
            // What is not written through to the disk may be lost in a power cut, and that is no damage.
            Ok(_) if synchronous == Synchronous::Normal => {}
            Ok(file) => mark.file = Some(file),
            // On a full disk, say. The old note stands, and is behind: it will miss nothing that is there.
            Err(error) => {
                tracing::warn!("{}: commits are not noted down: {}", OneLine(path.display()), OneLine(&error))
            }
        }
        Ok(mark)
    }

    fn renew(&self, db: &Db, path: &Path) -> Result<File, Box<dyn std::error::Error>> {
        db.execute("UPDATE mark SET session = ?1, commits = 0", params![self.note.session])?;
        // From now on the file itself is of this session, whatever becomes of the log beside it.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        self.note.write_to(&file)?;
        Ok(file)
    }

    /// Counts the group that is about to be committed, if it has changed anything.
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

    /// Notes down that the group is committed.
    pub(super) fn committed(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.counted) else { return };
        self.note.commits += 1;
        if let Err(error) = self.note.write_to(file) {
            tracing::warn!("commits are not noted down any more: {}", OneLine(&error));
            self.file = None;
        }
    }
}

/// How many rows this connection has changed.
fn changes(db: &Db) -> Result<i64, rusqlite::Error> {
    db.prepare_cached("SELECT total_changes()")?.query_row([], |row| row.get(0))
}
