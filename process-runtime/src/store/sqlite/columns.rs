//! One run as a row of SQLite's table.

use rusqlite::{Row, params};

use super::super::stored::{Columns, damaged};
use super::super::{Cause, StoreError};
use super::damage::{Db, Failure};

/// The columns a query must select first, in this order, for [`believed`]: reading them by index is much faster than by
/// name.
pub(super) const COLUMNS: &str = "id, process, status, actor, priority, created, released, due, ended, \
                                  concurrency_key, idempotency_key, epoch, claim, control, data, number, failed, crc";

/// The index of the checksum, the last of them, and of the first column after them.
pub(super) const CRC: usize = 17;
pub(super) const NEXT: usize = 18;

/// Reads a row and verifies its checksum; the error names the damaged run.
pub(super) fn believed(row: &Row<'_>) -> Result<Columns, StoreError> {
    let columns = read(row).map_err(|error| damaged(row.get(0).ok(), Cause::of(error)))?;
    columns.verified(row.get(CRC).ok())
}

/// Reads a row without a check of its checksum.
pub(super) fn read(row: &Row<'_>) -> Result<Columns, rusqlite::Error> {
    Ok(Columns {
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

pub(super) fn insert(db: &Db, columns: &Columns) -> Result<(), Failure> {
    let places = "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18";
    db.prepare_cached(&format!("INSERT INTO runs ({COLUMNS}) VALUES ({places})"))?.execute(params![
        columns.id,
        columns.process,
        columns.status,
        columns.actor,
        columns.priority,
        columns.created,
        columns.released,
        columns.due,
        columns.ended,
        columns.concurrency_key,
        columns.idempotency_key,
        columns.epoch,
        columns.claim,
        columns.control,
        columns.data,
        columns.number,
        columns.failed,
        columns.crc(),
    ])?;
    Ok(())
}

/// Updates the columns that change after the start. The others and their indexes are left alone.
pub(super) fn update(db: &Db, columns: &Columns) -> Result<(), Failure> {
    db.prepare_cached(
        "UPDATE runs SET status = ?2, released = ?3, due = ?4, ended = ?5, epoch = ?6, claim = ?7,
         control = ?8, data = ?9, failed = ?10, crc = ?11 WHERE id = ?1",
    )?
    .execute(params![
        columns.id,
        columns.status,
        columns.released,
        columns.due,
        columns.ended,
        columns.epoch,
        columns.claim,
        columns.control,
        columns.data,
        columns.failed,
        columns.crc(),
    ])?;
    Ok(())
}
