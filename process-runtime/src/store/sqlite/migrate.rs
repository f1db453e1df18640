//! Migrations: the format of the file, its tables, and the steps from older formats to the newest.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::super::{Control, Record};
use super::damage::{Db, Failure};
use super::records;
use super::upkeep::INCREMENTAL;
use crate::run::Run;
use crate::text::OneLine;

/// The format this version writes. A file with a higher format is refused and left unchanged.
pub(super) const FORMAT: i64 = 3;
/// The application id of the file: "prcr" as a number.
pub(super) const APPLICATION: i64 = 0x7072_6372;

const RUNS: &str = "
    CREATE TABLE runs (
        n INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        process TEXT NOT NULL,
        status TEXT NOT NULL,
        actor TEXT,
        priority INTEGER NOT NULL,
        created INTEGER NOT NULL,
        released INTEGER,
        due INTEGER,
        ended INTEGER,
        place TEXT,
        once TEXT,
        epoch INTEGER NOT NULL,
        claim BLOB,
        control TEXT,
        data TEXT NOT NULL,
        crc INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (created);
    CREATE INDEX runs_by_process ON runs (process, created, n, ended);
    CREATE INDEX runs_by_status ON runs (status, created, n, process);
    CREATE INDEX runs_by_actor ON runs (actor, created) WHERE actor IS NOT NULL;
    CREATE INDEX runs_by_end ON runs (ended) WHERE ended IS NOT NULL;
    CREATE INDEX runs_active ON runs (process, status) WHERE ended IS NULL;
    CREATE INDEX runs_queued ON runs (process, priority DESC, n, due, released, place) WHERE status = 'queued';
    CREATE UNIQUE INDEX runs_once ON runs (process, once) WHERE once IS NOT NULL;
";
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
const MARK: &str = "
    CREATE TABLE mark (session BLOB NOT NULL, commits INTEGER NOT NULL) STRICT;
    INSERT INTO mark (session, commits) VALUES (zeroblob(16), 0);
";

/// Migrates a new or older file to the newest format, in one transaction.
pub(super) fn to_newest(db: &Db) -> Result<(), Failure> {
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if format == FORMAT {
        return Ok(());
    }
    let step = db.unchecked_transaction()?;
    match format {
        0 => step.execute_batch(&format!("{RUNS} {LINES} {MARK}"))?,
        1 => from_1(db)?,
        _ => from_2(db)?,
    }
    step.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};"))?;
    Ok(step.commit()?)
}

/// The most bytes a file may contain to be rewritten when it is opened: some seconds of work.
const REWRITTEN: i64 = 1 << 30;

/// Enables incremental vacuum for a file of an earlier version, which needs one rewrite of the file. A file that is too
/// large, or for which there is no free space, keeps its setting and does not shrink.
pub(super) fn let_shrink(db: &Db) {
    let number = |pragma| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let rewrite = || {
        if number("PRAGMA auto_vacuum")? == INCREMENTAL {
            return Ok(());
        }
        let used = number("PRAGMA page_count")? - number("PRAGMA freelist_count")?;
        if used.saturating_mul(number("PRAGMA page_size")?) > REWRITTEN {
            tracing::warn!(
                "the store's file is too large to be rewritten automatically, and does not shrink when runs \
                 are removed: stop the program, and run `PRAGMA auto_vacuum = INCREMENTAL; VACUUM` on it"
            );
            return Ok(());
        }
        // A rewrite would hide the damage.
        if db.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))? != "ok" {
            return Ok(());
        }
        db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    };
    if let Err(error) = rewrite() {
        tracing::warn!("could not rewrite the store's file, so it does not shrink: {}", OneLine(&error));
    }
}

/// Describes how the tables differ from those of this format. Otherwise a renamed column would only be noticed by the
/// first query that uses it.
pub(super) fn mismatch(db: &Db) -> Result<Option<String>, Failure> {
    let schema = |db: &Connection| {
        let mut query =
            db.prepare("SELECT name, type || tbl_name || sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<HashMap<String, String>, _>>()
    };
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(&format!("{RUNS} {LINES} {MARK}"))?;
    let (wanted, found) = (schema(&fresh)?, schema(db)?);
    let other = wanted.into_iter().find(|(name, sql)| found.get(name) != Some(sql));
    Ok(other.map(|(name, _)| format!("{name} differs from format {FORMAT}")))
}

/// Format 1 had fewer columns, and its keys in a separate table. Rows keep their numbers: their lines and their order
/// depend on them.
fn from_1(db: &Db) -> Result<(), Failure> {
    db.execute_batch(
        "ALTER TABLE runs RENAME TO old; DROP INDEX runs_by_process; DROP INDEX runs_by_status;",
    )?;
    db.execute_batch(&format!("{RUNS} {MARK}"))?;
    let mut query = db.prepare(
        "SELECT n, id, process, status, epoch, lease_until, control, data, crc,
                (SELECT key FROM keys WHERE keys.process = old.process AND keys.run = old.id) AS key
         FROM old ORDER BY n",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get("n")?;
        match believed_1(row) {
            Some(record) => {
                records::insert(db, &record)?;
                db.execute("UPDATE runs SET n = ?1 WHERE id = ?2", params![n, record.run.id.as_bytes()])?;
            }
            None => keep_damaged(db, n, row)?,
        }
    }
    drop(rows);
    drop(query);
    db.execute_batch("DROP TABLE old; DROP TABLE keys;")?;
    Ok(())
}

/// Format 2 did not store the claim of a run. Rows keep their content, checksums included.
fn from_2(db: &Db) -> Result<(), Failure> {
    let columns = "n, id, process, status, actor, priority, created, released, due, ended, place, once, epoch, control, \
                   data, crc";
    db.execute_batch(&format!(
        "DROP INDEX runs_by_time; DROP INDEX runs_by_process; DROP INDEX runs_by_status; DROP INDEX runs_by_actor;
         DROP INDEX runs_by_end; DROP INDEX runs_active; DROP INDEX runs_queued; DROP INDEX runs_once;
         ALTER TABLE runs RENAME TO old;
         {RUNS}
         INSERT INTO runs ({columns}) SELECT {columns} FROM old;
         DROP TABLE old;"
    ))?;
    Ok(())
}

/// Reads a record of format 1, if its checksum matches.
fn believed_1(row: &Row<'_>) -> Option<Record> {
    let (id, data): ([u8; 16], String) = (row.get("id").ok()?, row.get("data").ok()?);
    let (epoch, lease_until): (i64, i64) = (row.get("epoch").ok()?, row.get("lease_until").ok()?);
    let (status, control): (String, Option<String>) = (row.get("status").ok()?, row.get("control").ok()?);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&id);
    crc.update(status.as_bytes());
    crc.update(&epoch.to_le_bytes());
    crc.update(&lease_until.to_le_bytes());
    crc.update(control.as_deref().unwrap_or_default().as_bytes());
    crc.update(data.as_bytes());
    let run: Run = serde_json::from_str(&data).ok()?;
    let fits = row.get("crc").ok() == Some(i64::from(crc.finalize())) && *run.id.as_bytes() == id;
    let record = Record::new(run, row.get("key").ok()?);
    // Format 1 had no other control request.
    let control = control.map(|_| Control::Cancel);
    fits.then_some(Record { epoch: epoch.unsigned_abs(), control, ..record })
}

/// Keeps a damaged row as it is, so that it is still reported.
fn keep_damaged(db: &Db, n: i64, row: &Row<'_>) -> Result<(), Failure> {
    let mut id = row.get::<_, Value>("id")?;
    let known = |id: &Value| {
        db.query_row("SELECT count(*) FROM runs WHERE id = ?1", [id], |row| row.get::<_, i64>(0))
    };
    if !matches!(&id, Value::Blob(_)) || known(&id)? > 0 {
        id = Value::Blob(format!("damaged {n}").into_bytes());
    }
    let text = |column| row.get::<_, String>(column).unwrap_or_default();
    db.execute(
        "INSERT INTO runs (n, id, process, status, priority, created, epoch, data, crc)
         VALUES (?1, ?2, ?3, ?4, 0, 0, 0, ?5, -1)",
        params![n, id, text("process"), text("status"), text("data")],
    )?;
    Ok(())
}
