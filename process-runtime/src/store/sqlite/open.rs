//! Opening the file: folder, lock, format, pragmas and tables.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::damage::{Damage, Db, Failure};
use super::mark::{self, Mark};
use super::migrate::{self, APPLICATION, FORMAT};
use super::options::{OpenError, Synchronous};
use super::presence::Presence;

/// How many connections read, beside the one that writes.
const READERS: usize = 3;

pub(super) struct Opened {
    pub(super) file: PathBuf,
    pub(super) writer: Db,
    pub(super) readers: Vec<Db>,
    /// For heartbeats only.
    pub(super) heartbeat: Db,
    pub(super) checker: Db,
    pub(super) mark: Mark,
    pub(super) presence: Presence,
    pub(super) lock: File,
}

pub(super) fn open(folder: &Path, synchronous: Synchronous) -> Result<Opened, OpenError> {
    std::fs::create_dir_all(folder).map_err(|error| OpenError::new(folder, error))?;
    let lock = lock(folder)?;
    let file = folder.join("runs.sqlite3");
    mark::refuse_emptied(&file)?;
    let damage = Damage::of(file.clone());
    let named = |error: rusqlite::Error| OpenError::new(&file, error);
    let writer = Db::new(Connection::open(&file).map_err(named)?, &damage);
    // A file that is refused stays unchanged, even when the connection closes.
    let keep_log =
        |keep| writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map_err(named);
    keep_log(true)?;
    refuse_foreign(&writer, &file)?;
    prepare(&writer, synchronous).map_err(|failure| OpenError::new(&file, damage.answer(failure)))?;
    let mark = Mark::begin(&writer, &file, synchronous)?;
    keep_log(false)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = || {
        let reader = Connection::open_with_flags(&file, flags).map_err(named)?;
        careful(&reader).map_err(named)?;
        // SQLite opens the file at the first read; this read prevents that another file has taken its place by then.
        reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(named)?;
        Ok(Db::new(reader, &damage))
    };
    let readers = (0..READERS).map(|_| reader()).collect::<Result<_, _>>()?;
    let (heartbeat, checker) = (reader()?, reader()?);
    let presence = Presence::of(&file).map_err(|error| OpenError::new(&file, error))?;
    Ok(Opened { file, writer, readers, heartbeat, checker, mark, presence, lock })
}

/// Enables more checks of each page, and disables functions in the schema.
fn careful(db: &Connection) -> Result<(), rusqlite::Error> {
    db.execute_batch("PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF")
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| OpenError::new(&path, error))?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::stating(
            folder,
            "another process uses this data folder: stop it, or choose another",
        )),
        Err(TryLockError::Error(error)) => Err(OpenError::new(&path, error)),
    }
}

fn refuse_foreign(db: &Connection, file: &Path) -> Result<(), OpenError> {
    let number = |pragma| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let numbers = (|| {
        let tables = number("SELECT count(*) FROM sqlite_schema")?;
        Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?, tables))
    })();
    match numbers.map_err(|error: rusqlite::Error| OpenError::new(file, error))? {
        (0, 0, 0) => Ok(()),
        (APPLICATION, 1..=FORMAT, _) => Ok(()),
        (APPLICATION, format, _) if format > FORMAT => {
            let message = format!(
                "the store has format {format}, but this version supports up to {FORMAT}: use a newer version \
                 of process-runtime"
            );
            Err(OpenError::stating(file, message))
        }
        _ => Err(OpenError::stating(file, "this SQLite file is not a store of process-runtime")),
    }
}

fn prepare(db: &Db, synchronous: Synchronous) -> Result<(), Failure> {
    careful(db)?;
    // This affects a new file only; an existing one must be rewritten.
    db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    db.execute_batch(match synchronous {
        Synchronous::Full => "PRAGMA synchronous = FULL",
        Synchronous::Normal => "PRAGMA synchronous = NORMAL",
    })?;
    db.set_prepared_statement_cache_capacity(64);
    migrate::to_newest(db)?;
    migrate::let_shrink(db);
    match migrate::mismatch(db)? {
        Some(what) => Err(db.damage.quarantine(what.into()).into()),
        None => Ok(()),
    }
}
