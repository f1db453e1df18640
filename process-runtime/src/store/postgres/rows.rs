//! Runs as rows: reading, inserting and updating them.

use std::borrow::Cow;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::super::stored::{Columns, damaged};
use super::super::{Cause, Record, RunPosition, StatusCount, StoreError};
use super::damage::Damage;
use super::error::Failure;
use super::session::Session;
use crate::run::RunId;

/// The columns that a query selects first, in this order, for [`believed`].
pub(super) const COLUMNS: &str = "id, process, status, actor, priority, created, released, due, ended, \
                                  concurrency_key, idempotency_key, epoch, claim, control, data, number, failed, crc, n, @now()";
const N: usize = 18;
const NOW: usize = 19;

/// A run with its row number and the time at the server.
pub(super) struct Found {
    pub(super) n: i64,
    pub(super) record: Record,
    pub(super) now: Timestamp,
}

/// PostgreSQL's texts have no NUL, so it is written as two characters, and so is the character that begins them.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if text.contains(['\0', '\u{1}']) {
        Cow::Owned(text.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0"))
    } else {
        Cow::Borrowed(text)
    }
}

pub(super) fn unescaped(text: String) -> String {
    if text.contains('\u{1}') { text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}") } else { text }
}

pub(super) fn uuid(id: RunId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

fn columns(row: &Row) -> Result<Columns, tokio_postgres::Error> {
    let text = |column| row.try_get::<_, Option<String>>(column).map(|text| text.map(unescaped));
    Ok(Columns {
        id: *row.try_get::<_, Uuid>(0)?.as_bytes(),
        process: row.try_get(1).map(unescaped)?,
        status: row.try_get(2)?,
        actor: text(3)?,
        priority: row.try_get(4)?,
        created: row.try_get(5)?,
        released: row.try_get(6)?,
        due: row.try_get(7)?,
        ended: row.try_get(8)?,
        concurrency_key: text(9)?,
        idempotency_key: text(10)?,
        epoch: row.try_get(11)?,
        claim: row.try_get::<_, Option<Uuid>>(12)?.map(|claim| *claim.as_bytes()),
        control: row.try_get(13)?,
        data: row.try_get(14)?,
        number: row.try_get(15)?,
        failed: row.try_get(16)?,
    })
}

/// Reads a row and verifies its checksum; the error names the damaged run.
pub(super) fn believed(row: &Row) -> Result<Columns, StoreError> {
    let id = row.try_get::<_, Uuid>(0).ok().map(|id| *id.as_bytes());
    columns(row).map_err(|error| damaged(id, Cause::of(error)))?.verified(row.try_get(17).ok())
}

/// The position of a row in a list, whether the row is damaged or not.
pub(super) fn position(row: &Row) -> Option<RunPosition> {
    columns(row).ok()?.position()
}

pub(super) fn found(row: &Row) -> Result<Found, StoreError> {
    let record = believed(row)?.record()?;
    Ok(Found { n: row.get(N), record, now: now(row) })
}

fn now(row: &Row) -> Timestamp {
    Timestamp::from_microsecond(row.get(NOW)).unwrap_or(Timestamp::MAX)
}

/// The first sound record. Damaged ones are reported and left out.
pub(super) fn first_sound(damage: &Damage, rows: &[Row]) -> Option<Found> {
    rows.iter().find_map(|row| found(row).map_err(|error| damage.report(&error)).ok())
}

pub(super) async fn load(session: &Session, id: RunId) -> Result<Option<Found>, Failure> {
    let row = session
        .first(&format!("SELECT {COLUMNS} FROM @run WHERE id = $1"), &[(&uuid(id), Type::UUID)])
        .await?;
    Ok(row.as_ref().map(found).transpose()?)
}

/// Loads a run that nobody else changes until the transaction ends.
pub(super) async fn load_to_change(session: &Session, id: RunId) -> Result<Option<Found>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM @run WHERE id = $1 FOR UPDATE");
    let row = session.first(&statement, &[(&uuid(id), Type::UUID)]).await?;
    Ok(row.as_ref().map(found).transpose()?)
}

pub(super) async fn insert(session: &Session, record: &Record) -> Result<(), Failure> {
    let columns = Columns::of(record)?;
    let text = |text: &Option<String>| text.as_deref().map(|text| escaped(text).into_owned());
    let crc = i64::from(columns.crc());
    session
        .execute(
            "INSERT INTO @run (id, process, status, actor, priority, created, released, due, ended, concurrency_key,
                               idempotency_key, epoch, claim, control, data, number, failed, crc, home)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
            &[
                (&Uuid::from_bytes(columns.id), Type::UUID),
                (&escaped(&columns.process), Type::TEXT),
                (&columns.status, Type::TEXT),
                (&text(&columns.actor), Type::TEXT),
                (&columns.priority, Type::INT8),
                (&columns.created, Type::INT8),
                (&columns.released, Type::INT8),
                (&columns.due, Type::INT8),
                (&columns.ended, Type::INT8),
                (&text(&columns.concurrency_key), Type::TEXT),
                (&text(&columns.idempotency_key), Type::TEXT),
                (&columns.epoch, Type::INT8),
                (&columns.claim.map(Uuid::from_bytes), Type::UUID),
                (&columns.control, Type::TEXT),
                (&columns.data, Type::TEXT),
                (&columns.number, Type::INT8),
                (&columns.failed, Type::INT8),
                (&crc, Type::INT8),
                (&home(record), Type::UUID),
            ],
        )
        .await
        .map(drop)
}

/// Where the run is pinned to, for claims to find out without its record.
fn home(record: &Record) -> Option<Uuid> {
    record.run.pinned_to().map(|home| Uuid::from_bytes(*home.as_bytes()))
}

/// Updates the columns that change after the start.
pub(super) async fn update(session: &Session, n: i64, record: &Record) -> Result<(), Failure> {
    let columns = Columns::of(record)?;
    let crc = i64::from(columns.crc());
    session
        .execute(
            "UPDATE @run SET status = $2, released = $3, due = $4, ended = $5, epoch = $6, claim = $7, control = $8,
                             data = $9, failed = $10, crc = $11, home = $12 WHERE n = $1",
            &[
                (&n, Type::INT8),
                (&columns.status, Type::TEXT),
                (&columns.released, Type::INT8),
                (&columns.due, Type::INT8),
                (&columns.ended, Type::INT8),
                (&columns.epoch, Type::INT8),
                (&columns.claim.map(Uuid::from_bytes), Type::UUID),
                (&columns.control, Type::TEXT),
                (&columns.data, Type::TEXT),
                (&columns.failed, Type::INT8),
                (&crc, Type::INT8),
                (&home(record), Type::UUID),
            ],
        )
        .await
        .map(drop)
}

/// Counts active runs. It reads no record, so a damaged one is counted too.
pub(super) async fn counts(session: &Session) -> Result<Vec<StatusCount>, Failure> {
    let rows = session
        .query(
            "SELECT process, status, count(*),
                    min(coalesce(due, created)) FILTER (WHERE status = 'queued' AND coalesce(due, created) <= now)
             FROM @run CROSS JOIN @now() AS now
             WHERE status IN ('queued', 'running', 'paused', 'cancelling') GROUP BY status, process",
            &[],
        )
        .await?;
    let count = |row: &Row| {
        let status = row.get::<_, &str>(1).parse().ok()?;
        let count = StatusCount::new(unescaped(row.get(0)), status, row.get::<_, i64>(2).unsigned_abs());
        let since = row.get::<_, Option<i64>>(3).and_then(|since| Timestamp::from_microsecond(since).ok());
        Some(count.waiting_since(since))
    };
    Ok(rows.iter().filter_map(count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read_back() {
        for text in ["", "plain", "\0", "\u{1}", "a\0\u{1}0\u{1}1\0b", "\u{1}\0"] {
            let written = escaped(text).into_owned();
            assert!(!written.contains('\0'), "{written:?}");
            assert_eq!(unescaped(written), text);
        }
    }
}
