//! Owns the format of the file: its tables, and how a file of an older format comes to have them.
//! Refuses to know what the tables are used for.

use rusqlite::Connection;

use super::super::{Control, Record, StoreError};
use super::records;
use crate::run::Run;

/// The format this version writes. A file with a higher one is refused untouched.
pub(super) const FORMAT: i64 = 2;
/// Marks the file as ours: "prcr" as a number.
pub(super) const APPLICATION: i64 = 0x7072_6372;

const RUNS: &str = "
    CREATE TABLE runs (
        n INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        process TEXT NOT NULL,
        status TEXT NOT NULL,
        actor TEXT,
        priority INTEGER NOT NULL,
        due INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        key TEXT,
        epoch INTEGER NOT NULL,
        control TEXT,
        data TEXT NOT NULL,
        crc INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_process ON runs (process, id);
    CREATE INDEX runs_by_status ON runs (status, id);
    CREATE INDEX runs_by_actor ON runs (actor, id) WHERE actor IS NOT NULL;
    CREATE INDEX runs_by_end ON runs (ended, n) WHERE ended > 0;
    CREATE INDEX runs_queued ON runs (process, priority DESC, n) WHERE status = 'queued';
";
const KEYS: &str = "
    CREATE TABLE keys (
        process TEXT NOT NULL,
        key TEXT NOT NULL,
        run BLOB NOT NULL,
        PRIMARY KEY (process, key)
    ) STRICT, WITHOUT ROWID;
";
const KEYS_BY_RUN: &str = "CREATE INDEX keys_by_run ON keys (run);";
const LINES: &str = "
    CREATE TABLE lines (
        run INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        level TEXT NOT NULL,
        text TEXT NOT NULL,
        crc INTEGER NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;
";

/// Brings a new file, or one of an older format, to the newest, in one transaction.
pub(super) fn to_newest(db: &Connection) -> Result<(), StoreError> {
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format == FORMAT {
        return Ok(());
    }
    let step = db.unchecked_transaction()?;
    match format {
        0 => step.execute_batch(&format!("{RUNS} {KEYS} {KEYS_BY_RUN} {LINES}"))?,
        _ => from_1(&step)?,
    }
    step.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};"))?;
    Ok(step.commit()?)
}

/// Format 1 had fewer columns. Its rows keep their numbers, which their lines and their order hang on.
fn from_1(db: &Connection) -> Result<(), StoreError> {
    db.execute_batch(
        "ALTER TABLE runs RENAME TO old; DROP INDEX runs_by_process; DROP INDEX runs_by_status;",
    )?;
    db.execute_batch(RUNS)?;
    db.execute_batch(KEYS_BY_RUN)?;
    let mut query =
        db.prepare("SELECT n, id, epoch, lease_until, status, control, data, crc FROM old ORDER BY n")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get("n")?;
        let (epoch, lease_until): (i64, i64) = (row.get("epoch")?, row.get("lease_until")?);
        let (id, data): (Vec<u8>, String) = (row.get("id")?, row.get("data")?);
        let (status, control): (String, Option<String>) = (row.get("status")?, row.get("control")?);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&id);
        crc.update(status.as_bytes());
        crc.update(&epoch.to_le_bytes());
        crc.update(&lease_until.to_le_bytes());
        crc.update(control.as_deref().unwrap_or_default().as_bytes());
        crc.update(data.as_bytes());
        let run = serde_json::from_str::<Run>(&data).ok();
        let believed = row.get("crc").ok() == Some(i64::from(crc.finalize()));
        let Some(run) = run.filter(|run| believed && run.id.as_bytes()[..] == id[..]) else {
            tracing::error!("run number {n} of the store is damaged, and was not taken over");
            continue;
        };
        let control = control.map(|_| Control::Cancel);
        let record = Record { run, epoch: epoch.unsigned_abs(), control };
        records::insert(db, &record, None)?;
        db.execute("UPDATE runs SET n = ?1 WHERE id = ?2", rusqlite::params![n, id])?;
    }
    drop(rows);
    drop(query);
    db.execute_batch("DROP TABLE old")?;
    Ok(())
}
