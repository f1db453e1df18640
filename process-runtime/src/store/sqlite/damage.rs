//! The damaged records that are known, and whether the file is still in use.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

use super::{Cause, StoreError};
use crate::text::OneLine;

/// A connection, and the known damage of its file.
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

/// The result of checking a part of a table.
pub(super) struct Slice<K> {
    /// The key of its last row; `None` if there was no row.
    pub(super) last: Option<K>,
    pub(super) rows: u64,
    /// The number of damaged rows, all of them reported.
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

/// Why an operation on the tables failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store refused it.
    Refused(StoreError),
    /// SQLite returned an error.
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

/// The damage that is known so far.
#[derive(Debug)]
pub(super) struct Damage {
    file: PathBuf,
    /// The records that were reported already: a claim reads a damaged record every second.
    reported: Mutex<HashSet<String>>,
    /// Set once the structure of the file is known to be damaged.
    out_of_use: OnceLock<StoreError>,
}

impl Damage {
    pub(super) fn of(file: PathBuf) -> Arc<Self> {
        Arc::new(Self { file, reported: Mutex::default(), out_of_use: OnceLock::new() })
    }

    /// Reports a record that is left out to the operator's log, once.
    pub(super) fn report(&self, record: impl Display) {
        let record = record.to_string();
        if self.reported.lock().insert(record.clone()) {
            tracing::error!("{}: {}; the record is skipped", OneLine(self.file.display()), OneLine(record));
        }
    }

    /// Takes the file out of use: with a damaged structure, reads may return wrong data and writes may make the damage
    /// worse.
    pub(super) fn quarantine(&self, why: Cause) -> StoreError {
        let file = self.file.display();
        let error = StoreError::Damaged(why.map(|why| {
            format!(
                "{file} is damaged ({why}), and is no longer read or written: stop the program, and replace the file \
                 with a backup, or with the output of `sqlite3 \"{file}\" .recover`"
            )
        }));
        if self.out_of_use.set(error.clone()).is_ok() {
            tracing::error!("{}", OneLine(&error));
        }
        error
    }

    /// Returns an error if the file is out of use.
    pub(super) fn refuse(&self) -> Result<(), StoreError> {
        self.out_of_use.get().cloned().map_or(Ok(()), Err)
    }

    /// Converts a failure into the error that the caller of an operation gets.
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
