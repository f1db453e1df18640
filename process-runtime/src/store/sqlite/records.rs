//! Queries on the table of runs.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

use super::super::stored::Columns;
use super::super::{ClaimRequest, Record, StatusCount, StoreError};
use super::columns::{self, COLUMNS, NEXT, believed};
use super::damage::{Db, Failure, Slice};
use crate::run::{RunId, RunStatus};

/// A run with a holder, according to its record.
pub(super) struct ActiveRun {
    pub(super) id: RunId,
    pub(super) process: String,
    pub(super) concurrency_key: Option<String>,
    pub(super) epoch: u64,
}

/// The next queued run of a process.
pub(super) struct Next {
    /// Its row number: older runs have lower ones.
    pub(super) n: i64,
    pub(super) record: Record,
}

/// The inner error is a record that exists but is damaged.
type Believed<T> = Result<Result<T, StoreError>, rusqlite::Error>;

#[expect(clippy::unnecessary_wraps, reason = "rusqlite asks for it")]
fn record_of(row: &Row<'_>) -> Believed<Record> {
    Ok(believed(row).and_then(Columns::record))
}

/// Returns the sound records of a query. Damaged ones are reported and left out.
fn sound<'a, T>(
    db: &'a Db,
    rows: impl Iterator<Item = Believed<T>> + 'a,
) -> impl Iterator<Item = Result<T, Failure>> + 'a {
    rows.filter_map(|row| match row {
        Ok(Ok(value)) => Some(Ok(value)),
        Ok(Err(damaged)) => {
            db.damage.report(damaged);
            None
        }
        Err(error) => Some(Err(error.into())),
    })
}

pub(super) fn load(db: &Db, id: RunId) -> Result<Option<Record>, Failure> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?1"))?;
    Ok(query.query_row([id.as_bytes()], record_of).optional()?.transpose()?)
}

/// The run that was started with this idempotency key.
pub(super) fn of_key(db: &Db, process: &str, key: &str) -> Result<Option<Record>, Failure> {
    let mut query = db
        .prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE process = ?1 AND idempotency_key = ?2"))?;
    Ok(query.query_row([process, key], record_of).optional()?.transpose()?)
}

/// The number of the next run of this process: one more than the highest that any of its runs has, or had before it was
/// removed.
pub(super) fn next_number(db: &Db, process: &str) -> Result<u64, Failure> {
    let mut query = db.prepare_cached(
        "SELECT 1 + max(ifnull((SELECT max(number) FROM runs WHERE process = ?1), 0),
                        ifnull((SELECT last FROM numbers WHERE process = ?1), 0))",
    )?;
    Ok(query.query_row([process], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn insert(db: &Db, record: &Record) -> Result<(), Failure> {
    columns::insert(db, &Columns::of(record)?)
}

pub(super) fn update(db: &Db, record: &Record) -> Result<(), Failure> {
    columns::update(db, &Columns::of(record)?)
}

/// The run that an exclusive start of the process returns: the running one, else a paused one, else the oldest queued
/// one.
pub(super) fn active(db: &Db, process: &str) -> Result<Option<Record>, Failure> {
    // One query for each status: most often, the first finds the run.
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE process = ?1 AND status = ?2 ORDER BY n"
    ))?;
    for status in [RunStatus::Running, RunStatus::Cancelling, RunStatus::Paused, RunStatus::Queued] {
        let first = sound(db, query.query_map([process, status.as_str()], record_of)?).next();
        if let Some(record) = first.transpose()? {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

/// Which queued runs to count.
pub(super) enum Queue<'a> {
    All,
    Process(&'a str),
    Actor(&'a str),
}

/// Counts queued runs, up to the limit.
pub(super) fn waiting(db: &Db, queue: Queue<'_>, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // The plus stops SQLite from using the index on the actor, which contains every run that the actor ever started.
    let (wanted, of) = match queue {
        Queue::All => ("?1 IS NULL", None),
        Queue::Process(process) => ("process = ?1", Some(process)),
        Queue::Actor(actor) => ("+actor = ?1", Some(actor)),
    };
    let query =
        format!("SELECT count(*) FROM (SELECT 1 FROM runs WHERE status = 'queued' AND {wanted} LIMIT ?2)");
    let count = db.prepare_cached(&query)?.query_row(params![of, limit], |row| row.get::<_, i64>(0))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Every run with a holder, according to the records, oldest first.
pub(super) fn held(db: &Db) -> Result<Vec<ActiveRun>, Failure> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE status IN ('running', 'cancelling') ORDER BY n"
    ))?;
    let held = |row: &Row<'_>| {
        Ok(believed(row).map(|columns| ActiveRun {
            id: columns.id(),
            epoch: columns.epoch(),
            process: columns.process,
            concurrency_key: columns.concurrency_key,
        }))
    };
    sound(db, query.query_map([], held)?).collect()
}

/// The next queued run of this process whose concurrency key is not among these, and that the claimer can execute.
pub(super) fn next_queued(
    db: &Db,
    wanted: &ClaimRequest,
    process: &str,
    full: &[Option<&str>],
    now: Timestamp,
) -> Result<Option<Next>, Failure> {
    // `Record::is_due`, in SQL.
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, n FROM runs
         WHERE process = ?1 AND status = 'queued' AND (due IS NULL OR due <= ?2 OR released > ?3)
           AND CASE WHEN concurrency_key IS NULL THEN ?4
                    ELSE concurrency_key NOT IN (SELECT value FROM json_each(?5)) END
         ORDER BY priority DESC, n"
    ))?;
    let (now, latest) = (now.as_microsecond(), Record::latest_release(now).as_microsecond());
    let next = |row: &Row<'_>| {
        let n = row.get(NEXT)?;
        Ok(record_of(row)?.map(|record| Next { n, record }))
    };
    let keys: Vec<_> = full.iter().flatten().collect();
    let values = params![process, now, latest, !full.contains(&None), json!(keys).to_string()];
    let rows = query.query_map(values, next)?;
    sound(db, rows)
        .find(|next| next.as_ref().map_or(true, |next| wanted.reaches(&next.record.run)))
        .transpose()
}

/// Counts active runs. It reads no record, so a damaged one is counted too.
pub(super) fn counts(db: &Db, now: Timestamp) -> Result<Vec<StatusCount>, Failure> {
    let mut query = db.prepare_cached(
        "SELECT process, status, count(*),
                min(CASE WHEN status = 'queued' AND ifnull(due, created) <= ?1 THEN ifnull(due, created) END)
         FROM runs WHERE status IN ('queued', 'running', 'paused', 'cancelling') GROUP BY status, process",
    )?;
    let rows = query.query_map([now.as_microsecond()], |row| {
        let (status, runs): (String, i64) = (row.get(1)?, row.get(2)?);
        let since = row.get::<_, Option<i64>>(3)?.and_then(|since| Timestamp::from_microsecond(since).ok());
        Ok((row.get(0)?, status, runs, since))
    })?;
    let mut counts = Vec::new();
    for row in rows {
        let (process, status, runs, waiting_since) = row?;
        // The query selects only these statuses.
        let Ok(status) = status.parse() else { continue };
        counts.push(StatusCount { process, status, runs: runs.unsigned_abs(), waiting_since });
    }
    Ok(counts)
}

/// Checks up to this many rows after the given number.
pub(super) fn check(db: &Db, after: i64, count: usize) -> Result<Slice<i64>, Failure> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS}, n FROM runs WHERE n > ?1 ORDER BY n LIMIT ?2"))?;
    let mut rows = query.query(params![after, count])?;
    let mut slice = Slice::default();
    while let Some(row) = rows.next()? {
        let record = record_of(row)?;
        slice.add(row.get(NEXT)?, record.is_err());
        record.map_or_else(|damaged| db.damage.report(damaged), drop);
    }
    Ok(slice)
}

/// The row number of a run, which its lines refer to.
pub(super) fn number_of(db: &Db, id: RunId) -> Result<Option<i64>, Failure> {
    let mut query = db.prepare_cached("SELECT n FROM runs WHERE id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}

/// The run with this row number, if its record is readable.
pub(super) fn id_of(db: &Db, n: i64) -> Result<Option<RunId>, Failure> {
    let mut query = db.prepare_cached("SELECT id FROM runs WHERE n = ?1")?;
    let id = query.query_row([n], |row| Ok(row.get(0).ok())).optional()?;
    Ok(id.flatten().map(RunId::from_bytes))
}
