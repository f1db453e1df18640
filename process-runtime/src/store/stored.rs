//! How engines with tables store a run and a log line: the columns, and the checksums over them.

use jiff::Timestamp;

use super::list::{failed_items, rank};
use super::log::has;
use super::{Cause, ClaimId, Control, Record, RunPosition, StoreError};
use crate::run::{Run, RunId};

/// One row: the run as JSON, and the parts of it that queries filter by. Times are microseconds since 1970.
pub(super) struct Columns {
    pub(super) id: [u8; 16],
    pub(super) process: String,
    pub(super) status: String,
    pub(super) actor: Option<String>,
    pub(super) priority: i64,
    pub(super) created: i64,
    pub(super) released: Option<i64>,
    pub(super) due: Option<i64>,
    pub(super) ended: Option<i64>,
    pub(super) concurrency_key: Option<String>,
    pub(super) idempotency_key: Option<String>,
    pub(super) epoch: i64,
    pub(super) claim: Option<[u8; 16]>,
    pub(super) control: Option<String>,
    pub(super) data: String,
    pub(super) number: i64,
    /// How many of its items failed.
    pub(super) failed: i64,
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

    /// Checks a row against its checksum; the error names the damaged run.
    pub(super) fn verified(self, crc: Option<i64>) -> Result<Self, StoreError> {
        if crc == Some(self.crc().into()) {
            Ok(self)
        } else {
            Err(damaged(Some(self.id), "its checksum does not match".into()))
        }
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
        let run: Run =
            serde_json::from_str(&self.data).map_err(|error| damaged(Some(self.id), Cause::of(error)))?;
        let control = self.control.as_deref().and_then(|control| control.parse::<Control>().ok());
        let released_at = self.released.and_then(|at| Timestamp::from_microsecond(at).ok());
        let (epoch, claim) = (self.epoch(), self.claim.map(ClaimId::from_bytes));
        Ok(Record { run, epoch, claim, control, idempotency_key: self.idempotency_key, released_at })
    }

    /// The checksum covers every column.
    pub(super) fn crc(&self) -> u32 {
        let mut crc = self.crc_of_earlier_columns();
        crc.update(&self.number.to_le_bytes());
        crc.update(&self.failed.to_le_bytes());
        crc.finalize()
    }

    /// The checksum of SQLite's formats 2 and 3, which had the same columns except for the last two.
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
        // A missing claim adds nothing, so that rows of SQLite's format 2 keep their checksums.
        self.claim.iter().for_each(|claim| crc.update(claim));
        crc
    }
}

/// The error for a damaged run, whose id may be unreadable too.
pub(super) fn damaged(id: Option<[u8; 16]>, what: Cause) -> StoreError {
    StoreError::Damaged(what.map(|what| match id {
        Some(id) => format!("run {}: {what}", RunId::from_bytes(id)),
        None => format!("a run with a damaged id: {what}"),
    }))
}

/// The checksum of a log line, by the row number of its run.
pub(super) fn crc_of_line(run: i64, seq: i64, at: i64, level: &str, text: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&run.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(level.as_bytes());
    crc.update(text.as_bytes());
    crc.finalize()
}

/// Numbers in tables are signed.
pub(super) fn saturated(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
