//! One run as a row: its columns, and the checksum over them.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::super::list::{failed_items, rank};
use super::super::log::has;
use super::super::{Cause, ClaimId, Control, Record, RunPosition, StoreError};
use super::damage::{Db, Failure};
use crate::run::{Run, RunId};

/// The columns a query must select first, in this order, for [`Columns::believed`]: reading them by index is much
/// faster than by name.
pub(super) const COLUMNS: &str = "id, process, status, actor, priority, created, released, due, ended, \
                                  concurrency_key, idempotency_key, epoch, claim, control, data, number, failed, crc";

/// The index of the checksum, the last of them, and of the first column after them.
pub(super) const CRC: usize = 17;
pub(super) const NEXT: usize = 18;

/// One row: the run as JSON, and the parts of it that queries filter by. Times are microseconds since 1970.
pub(super) struct Columns {
    id: [u8; 16],
    pub(super) process: String,
    status: String,
    actor: Option<String>,
    priority: i64,
    created: i64,
    released: Option<i64>,
    due: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) concurrency_key: Option<String>,
    idempotency_key: Option<String>,
    epoch: i64,
    claim: Option<[u8; 16]>,
    control: Option<String>,
    pub(super) data: String,
    number: i64,
    /// How many of its items failed.
    failed: i64,
}

impl Columns {
    pub(super) fn of(record: &Record) -> Result<Self, StoreError> {
        let Record { run, epoch, claim, control, idempotency_key, released_at } = record;
        Ok(Self {
            id: *run.id.as_bytes(),
            process: run.process.clone(),
            status: run.status.as_str().to_owned(),
            actor: run.actor.clone(),
            priority: run.priority.into(),
            created: run.created_at.as_microsecond(),
            released: released_at.map(Timestamp::as_microsecond),
            due: run.due_at.map(Timestamp::as_microsecond),
            ended: run.finished_at.map(Timestamp::as_microsecond),
            concurrency_key: run.concurrency_key().map(str::to_owned),
            idempotency_key: idempotency_key.clone(),
            epoch: saturated(*epoch),
            claim: claim.map(|claim| *claim.as_bytes()),
            control: control.map(|control| Control::as_str(control).to_owned()),
            data: serde_json::to_string(run).map_err(|error| StoreError::Unavailable(Cause::of(error)))?,
            number: saturated(run.number),
            failed: saturated(failed_items(run)),
        })
    }

    /// Reads a row and verifies its checksum; the error names the damaged run.
    pub(super) fn believed(row: &Row<'_>) -> Result<Self, StoreError> {
        let damaged = |what: Cause| {
            StoreError::Damaged(what.map(|what| match row.get::<_, [u8; 16]>(0) {
                Ok(id) => format!("run {}: {what}", RunId::from_bytes(id)),
                Err(_) => format!("a run with a damaged id: {what}"),
            }))
        };
        let columns = Self::read(row).map_err(|error| damaged(Cause::of(error)))?;
        if row.get::<_, i64>(CRC).ok() != Some(columns.crc().into()) {
            return Err(damaged("its checksum does not match".into()));
        }
        Ok(columns)
    }

    /// Reads a row without a check of its checksum.
    pub(super) fn read(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            id: row.get(0)?,
            process: row.get(1)?,
            status: row.get(2)?,
            actor: row.get(3)?,
            priority: row.get(4)?,
            created: row.get(5)?,
            released: row.get(6)?,
            due: row.get(7)?,
            ended: row.get(8)?,
            concurrency_key: row.get(9)?,
            idempotency_key: row.get(10)?,
            epoch: row.get(11)?,
            claim: row.get(12)?,
            control: row.get(13)?,
            data: row.get(14)?,
            number: row.get(15)?,
            failed: row.get(16)?,
        })
    }

    pub(super) fn id(&self) -> RunId {
        RunId::from_bytes(self.id)
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.unsigned_abs()
    }

    /// The position of the run in a list.
    pub(super) fn position(&self) -> Option<RunPosition> {
        let status = self.status.parse().ok()?;
        let created_at = Timestamp::from_microsecond(self.created).ok()?;
        Some(RunPosition { rank: rank(status), created_at, id: self.id() })
    }

    /// False if no part of the record contains this text. In JSON, every text stands as it is, except for the characters
    /// that need an escape.
    pub(super) fn may_contain(&self, text: &str) -> bool {
        let is_escaped = |c: char| matches!(c, '"' | '\\') || c.is_control();
        text.contains(is_escaped) || has(&self.data, text)
    }

    /// Parses the record in the row.
    pub(super) fn record(self) -> Result<Record, StoreError> {
        let damaged = |error| {
            let cause = Cause::of(error).map(|error| format!("run {}: {error}", RunId::from_bytes(self.id)));
            StoreError::Damaged(cause)
        };
        let run: Run = serde_json::from_str(&self.data).map_err(damaged)?;
        let control = self.control.as_deref().and_then(|control| control.parse::<Control>().ok());
        let released_at = self.released.and_then(|at| Timestamp::from_microsecond(at).ok());
        let (epoch, claim) = (self.epoch(), self.claim.map(ClaimId::from_bytes));
        Ok(Record { run, epoch, claim, control, idempotency_key: self.idempotency_key, released_at })
    }

    pub(super) fn insert(&self, db: &Db) -> Result<(), Failure> {
        let places = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18";
        db.prepare_cached(&format!("INSERT INTO runs ({COLUMNS}) VALUES ({places})"))?.execute(params![
            self.id,
            self.process,
            self.status,
            self.actor,
            self.priority,
            self.created,
            self.released,
            self.due,
            self.ended,
            self.concurrency_key,
            self.idempotency_key,
            self.epoch,
            self.claim,
            self.control,
            self.data,
            self.number,
            self.failed,
            self.crc(),
        ])?;
        Ok(())
    }

    /// Updates the columns that change after the start. The others and their indexes are left alone.
    pub(super) fn update(&self, db: &Db) -> Result<(), Failure> {
        db.prepare_cached(
            "UPDATE runs SET status = ?2, released = ?3, due = ?4, ended = ?5, epoch = ?6, claim = ?7,
             control = ?8, data = ?9, failed = ?10, crc = ?11 WHERE id = ?1",
        )?
        .execute(params![
            self.id,
            self.status,
            self.released,
            self.due,
            self.ended,
            self.epoch,
            self.claim,
            self.control,
            self.data,
            self.failed,
            self.crc(),
        ])?;
        Ok(())
    }

    /// The checksum covers every column.
    fn crc(&self) -> u32 {
        let mut crc = self.crc_of_earlier_columns();
        crc.update(&self.number.to_le_bytes());
        crc.update(&self.failed.to_le_bytes());
        crc.finalize()
    }

    /// The checksum of formats 2 and 3, which had the same columns except for the last two.
    pub(super) fn crc_of_format_3(&self) -> u32 {
        self.crc_of_earlier_columns().finalize()
    }

    fn crc_of_earlier_columns(&self) -> crc32fast::Hasher {
        let mut crc = crc32fast::Hasher::new();
        let mut text = |text: Option<&str>| {
            // The length comes first, so that a byte that moves from one column to the next changes the checksum.
            let length = text.map_or(-1, |text| i64::try_from(text.len()).unwrap_or(i64::MAX));
            crc.update(&length.to_le_bytes());
            crc.update(text.unwrap_or_default().as_bytes());
        };
        text(Some(&self.process));
        text(Some(&self.status));
        text(self.actor.as_deref());
        text(self.concurrency_key.as_deref());
        text(self.idempotency_key.as_deref());
        text(self.control.as_deref());
        text(Some(&self.data));
        crc.update(&self.id);
        for number in
            [Some(self.priority), Some(self.created), Some(self.epoch), self.released, self.due, self.ended]
        {
            crc.update(&[u8::from(number.is_some())]);
            crc.update(&number.unwrap_or_default().to_le_bytes());
        }
        // A missing claim adds nothing, so that rows of format 2 keep their checksums.
        self.claim.iter().for_each(|claim| crc.update(claim));
        crc
    }
}

/// SQLite's numbers are signed.
pub(super) fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
