//! Owns how runs are found and written in their table.
//! Refuses to know which changes are allowed, and how log lines lie.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::json;

use super::super::{Record, RunFilter, StoreError};
use super::columns::{COLUMNS, Columns};
use super::damage::{Db, Failure, Slice};
use crate::run::{Run, RunId};

/// A run that has a holder, as far as its record tells.
pub(super) struct Held {
    pub(super) id: RunId,
    pub(super) process: String,
    /// Its concurrency key.
    pub(super) place: Option<String>,
    pub(super) epoch: u64,
}

/// The run of a process whose turn it is.
pub(super) struct Next {
    /// Its number: the oldest has the lowest.
    pub(super) n: i64,
    pub(super) record: Record,
}

/// The inner error is one that is there but not to be believed.
type Believed<T> = Result<Result<T, StoreError>, rusqlite::Error>;

#[expect(clippy::unnecessary_wraps, reason = "rusqlite asks for it")]
fn record_of(row: &Row<'_>) -> Believed<Record> {
    Ok(Columns::believed(row).and_then(Columns::record))
}

/// All sound ones of a query. What is damaged is reported and left out.
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

/// The run that was started with this key.
pub(super) fn of_key(db: &Db, process: &str, key: &str) -> Result<Option<Record>, Failure> {
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE process = ?1 AND once = ?2"))?;
    Ok(query.query_row([process, key], record_of).optional()?.transpose()?)
}

pub(super) fn insert(db: &Db, record: &Record) -> Result<(), Failure> {
    Columns::of(record)?.insert(db)
}

pub(super) fn update(db: &Db, record: &Record) -> Result<(), Failure> {
    Columns::of(record)?.update(db)
}

/// The run that an exclusive start of the process opens: the one that runs, or else one that is paused, or
/// else the oldest that waits.
pub(super) fn active(db: &Db, process: &str) -> Result<Option<Record>, Failure> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs
         WHERE process = ?1 AND status IN ('running', 'cancelling', 'paused', 'queued')
         ORDER BY status = 'queued', status = 'paused', n"
    ))?;
    sound(db, query.query_map([process], record_of)?).next().transpose()
}

/// How many runs wait, as far as that matters.
pub(super) fn waiting(db: &Db, limit: usize) -> Result<usize, Failure> {
    if limit == usize::MAX {
        return Ok(0);
    }
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM runs WHERE status = 'queued' LIMIT ?1)")?;
    Ok(query
        .query_row([limit], |row| row.get::<_, i64>(0))
        .map(|count| usize::try_from(count).unwrap_or(0))?)
}

/// Every run that has a holder, as far as the records tell, oldest first.
pub(super) fn held(db: &Db) -> Result<Vec<Held>, Failure> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE status IN ('running', 'cancelling') ORDER BY n"
    ))?;
    let held = |row: &Row<'_>| {
        Ok(Columns::believed(row).map(|columns| Held {
            id: columns.id(),
            epoch: columns.epoch(),
            process: columns.process,
            place: columns.place,
        }))
    };
    sound(db, query.query_map([], held)?).collect()
}

/// The queued run of this process that is next; none with one of these concurrency keys.
pub(super) fn next_queued(
    db: &Db,
    process: &str,
    full: &[Option<&str>],
    now: Timestamp,
) -> Result<Option<Next>, Failure> {
    // What is due says `Record::is_due`, in the words of SQL.
    let mut query = db.prepare_cached(&format!(
        "SELECT n, {COLUMNS} FROM runs
         WHERE process = ?1 AND status = 'queued' AND (due IS NULL OR due <= ?2 OR released > ?3)
           AND NOT EXISTS (SELECT 1 FROM json_each(?4) AS full WHERE full.value IS runs.place)
         ORDER BY priority DESC, n"
    ))?;
    let (now, latest) = (now.as_microsecond(), Record::latest_release(now).as_microsecond());
    let next = |row: &Row<'_>| {
        let n = row.get("n")?;
        Ok(record_of(row)?.map(|record| Next { n, record }))
    };
    let rows = query.query_map(params![process, now, latest, json!(full).to_string()], next)?;
    sound(db, rows).next().transpose()
}

pub(super) fn list(db: &Db, filter: &RunFilter) -> Result<Vec<Run>, Failure> {
    let statuses: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let mut wanted = vec!["created >= ?4 AND created < ?5"];
    wanted.extend(filter.process.is_some().then_some("process = ?1"));
    wanted.extend((!statuses.is_empty()).then_some("status IN (SELECT value FROM json_each(?2))"));
    wanted.extend(filter.actor.is_some().then_some("actor = ?3"));
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE {} AND ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3
         ORDER BY created DESC, n DESC LIMIT ?6 OFFSET ?7",
        wanted.join(" AND ")
    ))?;
    let rows = query.query_map(
        params![
            filter.process,
            json!(statuses).to_string(),
            filter.actor,
            filter.from.map_or(i64::MIN, Timestamp::as_microsecond),
            filter.until.map_or(i64::MAX, Timestamp::as_microsecond),
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
            i64::try_from(filter.skip).unwrap_or(i64::MAX),
        ],
        record_of,
    )?;
    sound(db, rows).map(|record| Ok(record?.run)).collect()
}

/// Looks at so many rows after this number.
pub(super) fn check(db: &Db, after: i64, count: usize) -> Result<Slice<i64>, Failure> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached(&format!("SELECT n, {COLUMNS} FROM runs WHERE n > ?1 ORDER BY n LIMIT ?2"))?;
    let mut rows = query.query(params![after, count])?;
    let mut slice = Slice::default();
    while let Some(row) = rows.next()? {
        let record = record_of(row)?;
        slice.add(row.get("n")?, record.is_err());
        record.map_or_else(|damaged| db.damage.report(damaged), drop);
    }
    Ok(slice)
}

/// The number that a run's lines are kept under.
pub(super) fn number_of(db: &Db, id: RunId) -> Result<Option<i64>, Failure> {
    let mut query = db.prepare_cached("SELECT n FROM runs WHERE id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}
