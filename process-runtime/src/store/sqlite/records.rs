//! Owns how runs lie in the tables: columns, checksums, queries.
//! Refuses to know which changes are allowed, and how log lines lie.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::super::{Claimable, Control, Record, RunFilter, StoreError};
use crate::run::{Run, RunId};

/// What a query must give for [`record_of`].
pub(super) const COLUMNS: &str =
    "id, process, status, actor, priority, due, ended, key, epoch, control, data, crc";

/// The columns of one row, in the order of [`COLUMNS`]: some of the data once more, to be found by.
struct Columns {
    id: [u8; 16],
    process: String,
    status: String,
    actor: Option<String>,
    priority: i64,
    /// Milliseconds since 1970; 0 for at once.
    due: i64,
    /// Milliseconds since 1970; 0 for one that goes on.
    ended: i64,
    key: Option<String>,
    epoch: i64,
    control: Option<String>,
    data: String,
}

impl Columns {
    fn of(record: &Record) -> Result<Self, StoreError> {
        let Record { run, epoch, control } = record;
        Ok(Self {
            id: *run.id.as_bytes(),
            process: run.process.clone(),
            status: run.status.as_str().to_owned(),
            actor: run.actor.clone(),
            priority: run.priority.into(),
            due: run.due_at.map_or(0, Timestamp::as_millisecond),
            ended: run.finished_at.map_or(0, Timestamp::as_millisecond),
            key: run.books.concurrency_key.clone(),
            epoch: i64::try_from(*epoch).unwrap_or(i64::MAX),
            control: control.map(|control| word(control).to_owned()),
            data: serde_json::to_string(run).map_err(|error| StoreError::Unavailable(error.to_string()))?,
        })
    }

    fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            id: row.get("id")?,
            process: row.get("process")?,
            status: row.get("status")?,
            actor: row.get("actor")?,
            priority: row.get("priority")?,
            due: row.get("due")?,
            ended: row.get("ended")?,
            key: row.get("key")?,
            epoch: row.get("epoch")?,
            control: row.get("control")?,
            data: row.get("data")?,
        })
    }

    /// Over everything a row says, so that no column can change unseen.
    fn crc(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let mut text = |text: Option<&str>| {
            // The length first: or else what belongs to one column could be taken for another's.
            let length = text.map_or(-1, |text| i64::try_from(text.len()).unwrap_or(i64::MAX));
            crc.update(&length.to_le_bytes());
            crc.update(text.unwrap_or_default().as_bytes());
        };
        text(Some(&self.process));
        text(Some(&self.status));
        text(self.actor.as_deref());
        text(self.key.as_deref());
        text(self.control.as_deref());
        text(Some(&self.data));
        crc.update(&self.id);
        for number in [self.priority, self.due, self.ended, self.epoch] {
            crc.update(&number.to_le_bytes());
        }
        crc.finalize()
    }
}

fn word(control: Control) -> &'static str {
    match control {
        Control::Cancel => "cancel",
        Control::Force => "force",
        Control::Pause => "pause",
        Control::Resume => "resume",
    }
}

/// Reads a record; the inner error is one that is there but not to be believed.
pub(super) fn record_of(row: &Row<'_>) -> Result<Result<Record, StoreError>, rusqlite::Error> {
    Ok(believed(row))
}

fn believed(row: &Row<'_>) -> Result<Record, StoreError> {
    let named = |what: String| match row.get::<_, [u8; 16]>("id") {
        Ok(id) => StoreError::Damaged(format!("run {}: {what}", RunId::from_bytes(id))),
        Err(_) => StoreError::Damaged(format!("a run's id: {what}")),
    };
    let columns = Columns::read(row).map_err(|error| named(error.to_string()))?;
    if row.get::<_, i64>("crc").ok() != Some(columns.crc().into()) {
        return Err(named("its checksum does not fit".into()));
    }
    let run: Run = serde_json::from_str(&columns.data).map_err(|error| named(error.to_string()))?;
    let control = [Control::Cancel, Control::Force, Control::Pause, Control::Resume]
        .into_iter()
        .find(|control| columns.control.as_deref() == Some(word(*control)));
    Ok(Record { run, epoch: columns.epoch.unsigned_abs(), control })
}

/// All sound records of a query. What is damaged is reported and left out.
fn sound<'a>(
    rows: impl Iterator<Item = Result<Result<Record, StoreError>, rusqlite::Error>> + 'a,
) -> impl Iterator<Item = Result<Record, StoreError>> + 'a {
    rows.filter_map(|row| match row {
        Ok(Ok(record)) => Some(Ok(record)),
        Ok(Err(damaged)) => {
            tracing::error!("{damaged}");
            None
        }
        Err(error) => Some(Err(error.into())),
    })
}

pub(super) fn load(db: &Connection, id: RunId) -> Result<Option<Record>, StoreError> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?1"))?;
    query.query_row([id.as_bytes()], record_of).optional()?.transpose()
}

pub(super) fn insert(db: &Connection, record: &Record, key: Option<&str>) -> Result<(), StoreError> {
    let columns = Columns::of(record)?;
    let places = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12";
    write(db, &format!("INSERT INTO runs ({COLUMNS}) VALUES ({places})"), &columns)?;
    if let Some(key) = key {
        db.prepare_cached("INSERT OR REPLACE INTO keys (process, key, run) VALUES (?1, ?2, ?3)")?
            .execute(params![columns.process, key, columns.id])?;
    }
    Ok(())
}

pub(super) fn update(db: &Connection, record: &Record) -> Result<(), StoreError> {
    let set = "process = ?2, status = ?3, actor = ?4, priority = ?5, due = ?6, ended = ?7, key = ?8,
               epoch = ?9, control = ?10, data = ?11, crc = ?12";
    write(db, &format!("UPDATE runs SET {set} WHERE id = ?1"), &Columns::of(record)?)
}

fn write(db: &Connection, statement: &str, columns: &Columns) -> Result<(), StoreError> {
    let Columns { id, process, status, actor, priority, due, ended, key, epoch, control, data } = columns;
    db.prepare_cached(statement)?.execute(params![
        id,
        process,
        status,
        actor,
        priority,
        due,
        ended,
        key,
        epoch,
        control,
        data,
        columns.crc()
    ])?;
    Ok(())
}

pub(super) fn run_of_key(db: &Connection, process: &str, key: &str) -> Result<Option<RunId>, StoreError> {
    let mut query = db.prepare_cached("SELECT run FROM keys WHERE process = ?1 AND key = ?2")?;
    Ok(query.query_row([process, key], |row| row.get(0)).optional()?.map(RunId::from_bytes))
}

/// The run that an exclusive start of the process opens: the one that runs, or else the oldest that waits.
pub(super) fn active(db: &Connection, process: &str) -> Result<Option<Record>, StoreError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs
         WHERE process = ?1 AND status IN ('running', 'cancelling', 'paused', 'queued')
         ORDER BY status = 'queued', status = 'paused', n"
    ))?;
    sound(query.query_map([process], record_of)?).next().transpose()
}

/// How many runs wait.
pub(super) fn waiting(db: &Connection) -> Result<usize, StoreError> {
    let mut query = db.prepare_cached("SELECT count(*) FROM runs WHERE status = 'queued'")?;
    Ok(query.query_row([], |row| row.get::<_, i64>(0)).map(|count| usize::try_from(count).unwrap_or(0))?)
}

/// Every run that has a holder, as far as the records tell, oldest first.
pub(super) fn held(db: &Connection) -> Result<Vec<Record>, StoreError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE status IN ('running', 'cancelling') ORDER BY n"
    ))?;
    sound(query.query_map([], record_of)?).collect()
}

/// The queued run of this process that is next, and its number; none with one of these concurrency keys.
pub(super) fn next_queued(
    db: &Connection,
    process: &Claimable,
    full: &[Option<&str>],
    now: Timestamp,
) -> Result<Option<(i64, Record)>, StoreError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT n, {COLUMNS} FROM runs
         WHERE process = ?1 AND status = 'queued' AND due <= ?2
           AND NOT EXISTS (SELECT 1 FROM json_each(?3) AS full WHERE full.value IS runs.key)
         ORDER BY priority DESC, n"
    ))?;
    let mut rows = query.query(params![process.process, now.as_millisecond(), json!(full).to_string()])?;
    while let Some(row) = rows.next()? {
        match believed(row) {
            Ok(record) => return Ok(Some((row.get("n")?, record))),
            Err(damaged) => tracing::error!("{damaged}"),
        }
    }
    Ok(None)
}

pub(super) fn list(db: &Connection, filter: &RunFilter) -> Result<Vec<Run>, StoreError> {
    let statuses: Vec<_> = filter.statuses.iter().map(|status| status.as_str()).collect();
    // Ids sort by the time of their start: one index serves the order and both ends of a time.
    let mut wanted = vec!["?6 <= id AND id < ?7"];
    wanted.extend(filter.process.is_some().then_some("process = ?1"));
    wanted.extend((!statuses.is_empty()).then_some("status IN (SELECT value FROM json_each(?2))"));
    wanted.extend(filter.actor.is_some().then_some("actor = ?3"));
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM runs WHERE {} AND ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3
         ORDER BY id DESC LIMIT ?4 OFFSET ?5",
        wanted.join(" AND ")
    ))?;
    let rows = query.query_map(
        params![
            filter.process,
            json!(statuses).to_string(),
            filter.actor,
            i64::try_from(filter.limit).unwrap_or(i64::MAX),
            i64::try_from(filter.skip).unwrap_or(i64::MAX),
            filter.from.map_or([0; 16], first_id),
            filter.until.map_or([0xff; 16], first_id),
        ],
        record_of,
    )?;
    sound(rows).map(|record| Ok(record?.run)).collect()
}

/// The least id that a run could have that was started at this moment: UUID v7 begins with the milliseconds.
fn first_id(at: Timestamp) -> [u8; 16] {
    let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or(0) << 16;
    let mut id = [0; 16];
    id[..8].copy_from_slice(&milliseconds.to_be_bytes());
    id[6..].fill(0);
    id
}

/// The number that a run's lines are kept under.
pub(super) fn number_of(db: &Connection, id: RunId) -> Result<Option<i64>, StoreError> {
    let mut query = db.prepare_cached("SELECT n FROM runs WHERE id = ?1")?;
    Ok(query.query_row([id.as_bytes()], |row| row.get(0)).optional()?)
}
