//! Migrations: the format of the file, its tables, and the steps from older formats to the newest.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::super::stored::saturated;
use super::super::{Control, Record};
use super::columns::{self, CRC, NEXT};
use super::damage::{Db, Failure};
use super::records;
use super::upkeep::INCREMENTAL;
use crate::run::Run;
use crate::text::OneLine;

/// The format this version writes. A file with a higher format is refused and left unchanged.
pub(super) const FORMAT: i64 = 4;
/// The application id of the file: "prcr" as a number.
pub(super) const APPLICATION: i64 = 0x7072_6372;

const RUNS: &str = "
    CREATE TABLE runs (
        n INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        process TEXT NOT NULL,
        number INTEGER NOT NULL,
        status TEXT NOT NULL,
        actor TEXT,
        priority INTEGER NOT NULL,
        created INTEGER NOT NULL,
        released INTEGER,
        due INTEGER,
        ended INTEGER,
        concurrency_key TEXT,
        idempotency_key TEXT,
        epoch INTEGER NOT NULL,
        claim BLOB,
        control TEXT,
        failed INTEGER NOT NULL,
        data TEXT NOT NULL,
        crc INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE numbers (process TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";
/// Lists have an index for each filter, each in the order of the list for every status. The columns behind the order
/// are those that other filters compare, so that only runs that are shown are read.
const INDEXES: &str = "
    CREATE INDEX runs_by_status ON runs (status, created, n, process);
    CREATE INDEX runs_by_process ON runs (process, status, created, n);
    CREATE INDEX runs_by_actor ON runs (actor, status, created, n, process) WHERE actor IS NOT NULL;
    CREATE INDEX runs_with_failures ON runs (status, created, n, process, actor) WHERE failed > 0;
    CREATE UNIQUE INDEX runs_by_number ON runs (process, number);
    CREATE INDEX runs_by_end ON runs (ended) WHERE ended IS NOT NULL;
    CREATE INDEX runs_queued ON runs (process, priority DESC, n, due, released, concurrency_key)
        WHERE status = 'queued';
    CREATE UNIQUE INDEX runs_by_idempotency_key ON runs (process, idempotency_key)
        WHERE idempotency_key IS NOT NULL;
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
        0 => step.execute_batch(&format!("{RUNS} {INDEXES} {LINES} {MARK}"))?,
        1 => from_1(db)?,
        2 => from_3(db, "NULL")?,
        _ => from_3(db, "claim")?,
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
    fresh.execute_batch(&format!("{RUNS} {INDEXES} {LINES} {MARK}"))?;
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
    let mut numbers = Numbers::default();
    while let Some(row) = rows.next()? {
        let n: i64 = row.get("n")?;
        match believed_1(row) {
            Some(record) => insert(db, n, record, &mut numbers)?,
            None => keep_damaged(db, n, row, &mut numbers)?,
        }
    }
    drop(rows);
    drop(query);
    db.execute_batch(&format!("DROP TABLE old; DROP TABLE keys; {INDEXES}"))?;
    Ok(())
}

/// Formats 2 and 3 had no numbers, and other indexes and names of columns. Format 2 did not store the claim of a run.
fn from_3(db: &Db, claim: &str) -> Result<(), Failure> {
    let names =
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'runs' AND sql IS NOT NULL";
    let mut query = db.prepare(names)?;
    let indexes = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    for index in indexes {
        db.execute_batch(&format!("DROP INDEX \"{index}\""))?;
    }
    db.execute_batch(&format!("ALTER TABLE runs RENAME TO old; {RUNS}"))?;
    // In the order of `COLUMNS`.
    let mut query = db.prepare(&format!(
        "SELECT id, process, status, actor, priority, created, released, due, ended, place, once, epoch, {claim},
                control, data, 0, 0, crc, n
         FROM old ORDER BY n"
    ))?;
    let mut rows = query.query([])?;
    let mut numbers = Numbers::default();
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(NEXT)?;
        let sound = columns::read(row)
            .ok()
            .filter(|columns| row.get(CRC).ok() == Some(i64::from(columns.crc_of_format_3())))
            .and_then(|columns| columns.record().ok());
        match sound {
            Some(record) => insert(db, n, record, &mut numbers)?,
            None => {
                let process: String = row.get(1)?;
                db.prepare_cached(
                    "INSERT INTO runs (n, id, process, number, status, actor, priority, created, released, due, ended,
                        concurrency_key, idempotency_key, epoch, control, failed, data, crc)
                     SELECT n, id, process, ?2, status, actor, priority, created, released, due, ended,
                        place, once, epoch, control, 0, data, -1 FROM old WHERE n = ?1",
                )?
                .execute(params![n, saturated(numbers.next(&process))])?;
            }
        }
    }
    drop(rows);
    drop(query);
    db.execute_batch(&format!("DROP TABLE old; {INDEXES}"))?;
    Ok(())
}

/// The numbers of runs that were stored without one, in the order of their starts.
#[derive(Default)]
struct Numbers(HashMap<String, u64>);

impl Numbers {
    fn next(&mut self, process: &str) -> u64 {
        let last = self.0.entry(process.to_owned()).or_default();
        *last += 1;
        *last
    }
}

fn insert(db: &Db, n: i64, mut record: Record, numbers: &mut Numbers) -> Result<(), Failure> {
    record.run.number = numbers.next(&record.run.process);
    records::insert(db, &record)?;
    db.prepare_cached("UPDATE runs SET n = ?1 WHERE id = ?2")?
        .execute(params![n, record.run.id.as_bytes()])?;
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
fn keep_damaged(db: &Db, n: i64, row: &Row<'_>, numbers: &mut Numbers) -> Result<(), Failure> {
    let mut id = row.get::<_, Value>("id")?;
    let known = |id: &Value| {
        db.query_row("SELECT count(*) FROM runs WHERE id = ?1", [id], |row| row.get::<_, i64>(0))
    };
    if !matches!(&id, Value::Blob(_)) || known(&id)? > 0 {
        id = Value::Blob(format!("damaged {n}").into_bytes());
    }
    let text = |column| row.get::<_, String>(column).unwrap_or_default();
    let process = text("process");
    let number = saturated(numbers.next(&process));
    db.execute(
        "INSERT INTO runs (n, id, process, number, status, priority, created, epoch, failed, data, crc)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, 0, ?6, -1)",
        params![n, id, process, number, text("status"), text("data")],
    )?;
    Ok(())
}
