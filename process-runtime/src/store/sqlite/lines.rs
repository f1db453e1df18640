//! Owns how the lines of logs lie in their table: checksums and queries.
//! Refuses to know how runs lie, but for the number that their lines are kept under.

use jiff::Timestamp;
use rusqlite::{Connection, Row, named_params, params};

use super::super::{LogFilter, Omit, StoreError};
use super::records::number_of;
use crate::run::{Level, LogLine, RunId};

fn crc_of(run: i64, seq: i64, at: i64, level: &str, text: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&run.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(level.as_bytes());
    crc.update(text.as_bytes());
    crc.finalize()
}

pub(super) fn add(db: &Connection, id: RunId, lines: &[LogLine]) -> Result<(), StoreError> {
    if lines.is_empty() {
        return Ok(());
    }
    let Some(run) = number_of(db, id)? else { return Err(StoreError::Fenced) };
    // A batch may come again when its first answer was lost: the lines that are there stand.
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO lines (run, seq, at, level, text, crc) VALUES (:run, :seq, :at, :level, :text, :crc)",
    )?;
    for LogLine { seq, at, level, text } in lines {
        let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
        let (at, level) = (at.as_microsecond(), level.as_str());
        let crc = crc_of(run, seq, at, level, text);
        insert.execute(named_params! {
            ":run": run, ":seq": seq, ":at": at, ":level": level, ":text": text, ":crc": crc,
        })?;
    }
    Ok(())
}

pub(super) fn omit(db: &Connection, id: RunId, omit: &Omit) -> Result<(), StoreError> {
    let Some(run) = number_of(db, id)? else { return Ok(()) };
    let keep: Vec<_> =
        Level::ALL.iter().filter(|level| omit.keep.is_some_and(|keep| **level >= keep)).collect();
    let keep = serde_json::json!(keep).to_string();
    let [first, last] =
        [omit.lines.start(), omit.lines.end()].map(|seq| i64::try_from(*seq).unwrap_or(i64::MAX));
    db.prepare_cached(
        "DELETE FROM lines WHERE run = ?1 AND seq BETWEEN ?2 AND ?3
           AND level NOT IN (SELECT value FROM json_each(?4))",
    )?
    .execute(params![run, first, last, keep])?;
    Ok(())
}

/// Removes up to so many lines of the run with this number; gives how many there were.
pub(super) fn remove(db: &Connection, run: i64, limit: usize) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let some = "SELECT seq FROM lines WHERE run = ?1 ORDER BY seq LIMIT ?2";
    let mut delete = db.prepare_cached(&format!("DELETE FROM lines WHERE run = ?1 AND seq IN ({some})"))?;
    Ok(delete.execute([run, limit])?)
}

pub(super) fn last_seq(db: &Connection, id: RunId) -> Result<u64, StoreError> {
    let Some(run) = number_of(db, id)? else { return Ok(0) };
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM lines WHERE run = ?1")?;
    Ok(query.query_row([run], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn find(db: &Connection, id: RunId, filter: &LogFilter) -> Result<Vec<LogLine>, StoreError> {
    let mut wanted = vec!["run = ?1 AND seq > ?2"];
    let levels: Vec<_> = Level::ALL.into_iter().filter(|level| Some(*level) >= filter.level).collect();
    wanted.extend(filter.level.is_some().then_some("level IN (SELECT value FROM json_each(?4))"));
    // `LIKE` takes ASCII letters of both sizes for the same.
    wanted.extend(filter.contains.is_some().then_some("text LIKE ?5 ESCAPE '\\'"));
    let query = format!(
        "SELECT * FROM lines WHERE {} AND ?4 IS ?4 AND ?5 IS ?5 ORDER BY seq LIMIT ?3",
        wanted.join(" AND ")
    );
    let pattern = filter.contains.as_ref().map(|text| {
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let after = i64::try_from(filter.after).unwrap_or(i64::MAX);
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let levels = serde_json::json!(levels).to_string();
    read(db, (id, run), &query, params![run, after, limit, levels, pattern])
}

pub(super) fn tail(db: &Connection, id: RunId, limit: usize) -> Result<Vec<LogLine>, StoreError> {
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = "SELECT * FROM (SELECT * FROM lines WHERE run = ?1 ORDER BY seq DESC LIMIT ?2) ORDER BY seq";
    read(db, (id, run), query, params![run, limit])
}

fn read(
    db: &Connection,
    (id, run): (RunId, i64),
    query: &str,
    params: &[&dyn rusqlite::ToSql],
) -> Result<Vec<LogLine>, StoreError> {
    let mut query = db.prepare_cached(query)?;
    let mut rows = query.query(params)?;
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
    if Some(i64::from(crc_of(run, seq, at, &level, &text))) != row.get("crc").ok() {
        return None;
    }
    let (level, at) = (level.parse().ok()?, Timestamp::from_microsecond(at).ok()?);
    Some(LogLine { seq: seq.unsigned_abs(), at, level, text })
}
