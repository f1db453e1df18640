//! Which records are known to be damaged, and whether the file is still used.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

use super::{Cause, StoreError};
use crate::text::OneLine;

/// A connection, and what is known of the file behind it.
pub(super) struct Db {
    connection: Connection,
    pub(super) damage: Arc<Damage>,
}

impl Db {
    pub(super) fn new(connection: Connection, damage: &Arc<Damage>) -> Self {
        Self { connection, damage: Arc::clone(damage) }
    }
}

impl Deref for Db {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

/// What was seen of a part of a table.
pub(super) struct Slice<K> {
    /// The key of its last row; none if there was no row.
    pub(super) last: Option<K>,
    pub(super) rows: u64,
    /// So many of them are not to be believed, and were reported.
    pub(super) damaged: u64,
}

impl<K> Slice<K> {
    pub(super) fn add(&mut self, key: K, damaged: bool) {
        self.last = Some(key);
        self.rows += 1;
        self.damaged += u64::from(damaged);
    }
}

impl<K> Default for Slice<K> {
    fn default() -> Self {
        Self { last: None, rows: 0, damaged: 0 }
    }
}

/// Why an operation on the tables came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not to be.
    Refused(StoreError),
    /// SQLite could not.
    Sqlite(rusqlite::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// What is known to be damaged.
#[derive(Debug)]
pub(super) struct Damage {
    file: PathBuf,
    /// The records that were reported. A claim comes across a damaged one every second.
    reported: Mutex<HashSet<String>>,
    /// Set once the structure of the file is known to be damaged.
    out_of_use: OnceLock<StoreError>,
}

impl Damage {
    pub(super) fn of(file: PathBuf) -> Arc<Self> {
        Arc::new(Self { file, reported: Mutex::default(), out_of_use: OnceLock::new() })
    }

    /// Tells the operator of a record that is left out, once.
    pub(super) fn report(&self, record: impl Display) {
        let record = record.to_string();
        if self.reported.lock().insert(record.clone()) {
            tracing::error!("{}: {}; it is left out", OneLine(self.file.display()), OneLine(record));
        }
    }

    /// Takes the file out of use: its structure is damaged, so what it gives may be wrong, and what is
    /// written to it may make it worse.
    pub(super) fn quarantine(&self, why: Cause) -> StoreError {
        let file = self.file.display();
        let error = StoreError::Damaged(why.map(|why| {
            format!(
                "{file} is damaged ({why}), and is neither read nor written any more: stop the program, and put a \
                 backup in its place, or what `sqlite3 \"{file}\" .recover` can save of it"
            )
        }));
        if self.out_of_use.set(error.clone()).is_ok() {
            tracing::error!("{}", OneLine(&error));
        }
        error
    }

    /// An error, once the file is out of use.
    pub(super) fn refuse(&self) -> Result<(), StoreError> {
        self.out_of_use.get().cloned().map_or(Ok(()), Err)
    }

    /// What the caller of an operation is told.
    pub(super) fn answer(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Refused(error) => error,
            Failure::Sqlite(error) if means_damage(&error) => self.quarantine(Cause::of(error)),
            Failure::Sqlite(error) => {
                let named = |error: &str| format!("{}: {error}", self.file.display());
                StoreError::Unavailable(Cause::of(error).map(named))
            }
        }
    }
}

fn means_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
