//! Owns how runs and lines lie in the tables: columns, checksums, queries.
//! Refuses to know which changes are allowed.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::super::{Control, RunFilter, StoreError};
use crate::run::{Level, LogLine, Run, RunId};

/// A run with what only the store needs to know of it.
pub(super) struct Record {
    pub(super) run: Run,
    pub(super) epoch: u64,
    /// Milliseconds since 1970; 0 when nobody holds it.
    pub(super) lease_until: i64,
    pub(super) control: Option<Control>,
}

impl Record {
    pub(super) fn new(run: Run) -> Self {
        Self { run, epoch: 0, lease_until: 0, control: None }
    }

    pub(super) fn hold(&mut self, now: Timestamp, lease: Duration) {
        let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        self.lease_until = now.as_millisecond().saturating_add(lease);
    }
}

const COLUMNS: &str = "id, process, status, epoch, lease_until, control, data, crc";

fn word(control: Option<Control>) -> Option<&'static str> {
    control.map(|control| match control {
        Control::Cancel => "cancel",
    })
}

/// Over everything a record says, so that no column can change unseen.
fn crc_of_run(
    id: &[u8],
    status: &str,
    epoch: i64,
    lease_until: i64,
    control: Option<&str>,
    data: &str,
) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(id);
    crc.update(status.as_bytes());
    crc.update(&epoch.to_le_bytes());
    crc.update(&lease_until.to_le_bytes());
    crc.update(control.unwrap_or_default().as_bytes());
    crc.update(data.as_bytes());
    crc.finalize()
}

fn crc_of_line(run: i64, seq: i64, at: i64, level: &str, text: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&run.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(level.as_bytes());
    crc.update(text.as_bytes());
    crc.finalize()
}

/// Reads a record; the inner error is one that is there but not to be believed.
fn record_of(row: &Row<'_>) -> Result<Result<Record, StoreError>, rusqlite::Error> {
    let id: [u8; 16] = match row.get("id") {
        Ok(id) => id,
        Err(error) => return Ok(Err(StoreError::Damaged(format!("a run's id: {error}")))),
    };
    let run_id = RunId::from_bytes(id);
    let damaged = |what: &str| StoreError::Damaged(format!("run {run_id}: {what}"));
    let columns = (|| {
        Ok::<_, rusqlite::Error>((
            row.get::<_, String>("process")?,
            row.get::<_, String>("status")?,
            row.get::<_, i64>("epoch")?,
            row.get::<_, i64>("lease_until")?,
            row.get::<_, Option<String>>("control")?,
            row.get::<_, String>("data")?,
            row.get::<_, i64>("crc")?,
        ))
    })();
    let (process, status, epoch, lease_until, control, data, crc) = match columns {
        Ok(columns) => columns,
        Err(error) => return Ok(Err(damaged(&error.to_string()))),
    };
    if i64::from(crc_of_run(&id, &status, epoch, lease_until, control.as_deref(), &data)) != crc {
        return Ok(Err(damaged("its checksum does not fit")));
    }
    let run: Run = match serde_json::from_str(&data) {
        Ok(run) => run,
        Err(error) => return Ok(Err(damaged(&error.to_string()))),
    };
    if run.id != run_id || run.process != process || run.status.as_str() != status {
        return Ok(Err(damaged("its columns contradict each other")));
    }
    let control = match control.as_deref() {
        Some("cancel") => Some(Control::Cancel),
        _ => None,
    };
    Ok(Ok(Record { run, epoch: epoch.unsigned_abs(), lease_until, control }))
}

pub(super) fn load(db: &Connection, id: RunId) -> Result<Option<Record>, StoreError> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?1"))?;
    query.query_row([id.as_bytes()], record_of).optional()?.transpose()
}

/// Ends every lease. Only right while no holder can be alive.
pub(super) fn free_all(db: &Connection) -> Result<(), StoreError> {
    let held = "status IN ('running', 'cancelling') AND lease_until > 0";
    let mut query = db.prepare(&format!("SELECT {COLUMNS} FROM runs WHERE {held}"))?;
    let records = query.query_map([], record_of)?.collect::<Result<Vec<_>, _>>()?;
    for record in records {
        match record {
            Ok(record) => update(db, &Record { lease_until: 0, ..record })?,
            Err(error) => tracing::error!("{error}"),
        }
    }
    Ok(())
}

fn json_of(run: &Run) -> Result<String, StoreError> {
    serde_json::to_string(run).map_err(|error| StoreError::Unavailable(error.to_string()))
}

pub(super) fn insert(db: &Connection, record: &Record, key: Option<&str>) -> Result<(), StoreError> {
    let Record { run, epoch, lease_until, control } = record;
    let data = json_of(run)?;
    let (id, status, epoch) = (run.id.as_bytes(), run.status.as_str(), *epoch as i64);
    let crc = crc_of_run(id, status, epoch, *lease_until, word(*control), &data);
    db.prepare_cached(&format!("INSERT INTO runs ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"))?
        .execute(params![id, run.process, status, epoch, lease_until, word(*control), data, crc])?;
    if let Some(key) = key {
        db.prepare_cached("INSERT OR REPLACE INTO keys (process, key, run) VALUES (?1, ?2, ?3)")?
            .execute(params![run.process, key, id])?;
    }
    Ok(())
}

pub(super) fn update(db: &Connection, record: &Record) -> Result<(), StoreError> {
    let Record { run, epoch, lease_until, control } = record;
    let data = json_of(run)?;
    let (id, status, epoch) = (run.id.as_bytes(), run.status.as_str(), *epoch as i64);
    let crc = crc_of_run(id, status, epoch, *lease_until, word(*control), &data);
    db.prepare_cached(
        "UPDATE runs SET status = ?2, epoch = ?3, lease_until = ?4, control = ?5, data = ?6, crc = ?7
         WHERE id = ?1",
    )?
    .execute(params![id, status, epoch, lease_until, word(*control), data, crc])?;
    Ok(())
}

pub(super) fn run_of_key(db: &Connection, process: &str, key: &str) -> Result<Option<RunId>, StoreError> {
    let mut query = db.prepare_cached("SELECT run FROM keys WHERE process = ?1 AND key = ?2")?;
    Ok(query.query_row([process, key], |row| row.get(0)).optional()?.map(RunId::from_bytes))
}

/// The oldest run that is queued, or whose holder let its lease run out.
pub(super) fn first_claimable(
    db: &Connection,
    processes: &[String],
    now: Timestamp,
) -> Result<Option<Record>, StoreError> {
    let processes = serde_json::to_string(processes).map_err(|e| StoreError::Unavailable(e.to_string()))?;
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs
         WHERE process IN (SELECT value FROM json_each(?1))
           AND (status = 'queued' OR (status IN ('running', 'cancelling') AND lease_until <= ?2))
         ORDER BY n"
    ))?;
    let rows = query.query_map(params![processes, now.as_millisecond()], record_of)?;
    first_sound(rows)
}

fn first_sound(
    rows: impl Iterator<Item = Result<Result<Record, StoreError>, rusqlite::Error>>,
) -> Result<Option<Record>, StoreError> {
    for row in rows {
        match row? {
            Ok(record) => return Ok(Some(record)),
            Err(error) => tracing::error!("{error}"),
        }
    }
    Ok(None)
}

pub(super) fn list(db: &Connection, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
    let statuses: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let statuses = serde_json::to_string(&statuses).map_err(|e| StoreError::Unavailable(e.to_string()))?;
    // The unary plus keeps SQLite on the index that the order needs, unless a status narrows it down.
    let by_status =
        if filter.statuses.is_empty() { "?2 = '[]'" } else { "status IN (SELECT value FROM json_each(?2))" };
    let by_process = if filter.process.is_some() { "process = ?1" } else { "?1 IS NULL" };
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE {by_process} AND {by_status} ORDER BY n DESC LIMIT ?3 OFFSET ?4"
    ))?;
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let skip = i64::try_from(filter.skip).unwrap_or(i64::MAX);
    let mut runs = Vec::new();
    for row in query.query_map(params![filter.process, statuses, limit, skip], record_of)? {
        match row? {
            Ok(record) => runs.push(record.run),
            Err(error) => tracing::error!("{error}"),
        }
    }
    Ok(runs)
}

fn number_of(db: &Connection, id: RunId) -> Result<Option<i64>, StoreError> {
    let mut query = db.prepare_cached("SELECT n FROM runs WHERE id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}

pub(super) fn add_lines(db: &Connection, id: RunId, lines: &[LogLine]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let Some(run) = number_of(db, id)? else { return Err(StoreError::Fenced) };
    // A batch may come again when its first answer was lost: the lines that are there stand.
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO lines (run, seq, at, level, text, crc) VALUES (:run, :seq, :at, :level, :text, :crc)",
    )?;
    for LogLine { seq, at, level, text } in lines {
        let (seq, at, level) = (*seq as i64, at.as_microsecond(), level.as_str());
        let crc = crc_of_line(run, seq, at, level, text);
        insert.execute(named_params! {
            ":run": run, ":seq": seq, ":at": at, ":level": level, ":text": text, ":crc": crc,
        })?;
    }
    Ok(())
}

pub(super) fn last_seq(db: &Connection, id: RunId) -> Result<u64, StoreError> {
    let Some(run) = number_of(db, id)? else { return Ok(0) };
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM lines WHERE run = ?1")?;
    Ok(query.query_row([run], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn lines_after(
    db: &Connection,
    id: RunId,
    after: u64,
    limit: usize,
) -> Result<Vec<LogLine>, StoreError> {
    let order = "SELECT * FROM lines WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
    lines(db, id, after, limit, order)
}

pub(super) fn last_lines(db: &Connection, id: RunId, limit: usize) -> Result<Vec<LogLine>, StoreError> {
    let order = "SELECT * FROM (SELECT * FROM lines WHERE run = ?1 AND seq > ?2 ORDER BY seq DESC LIMIT ?3)
                 ORDER BY seq";
    lines(db, id, 0, limit, order)
}

fn lines(
    db: &Connection,
    id: RunId,
    after: u64,
    limit: usize,
    query: &str,
) -> Result<Vec<LogLine>, StoreError> {
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params![run, after, limit])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        match line_of(run, row) {
            Some(line) => lines.push(line),
            None => tracing::error!("a damaged log line of run {id} was left out"),
        }
    }
    Ok(lines)
}

/// `None` for a line that is not to be believed.
fn line_of(run: i64, row: &Row<'_>) -> Option<LogLine> {
    let (seq, at): (i64, i64) = (row.get("seq").ok()?, row.get("at").ok()?);
    let (level, text): (String, String) = (row.get("level").ok()?, row.get("text").ok()?);
    if Some(i64::from(crc_of_line(run, seq, at, &level, &text))) != row.get("crc").ok() {
        return None;
    }
    let level = if level == "warn" { Level::Warn } else { Level::Info };
    Some(LogLine { seq: seq.unsigned_abs(), at: Timestamp::from_microsecond(at).ok()?, level, text })
}
