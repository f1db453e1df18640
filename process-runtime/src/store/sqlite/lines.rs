//! Owns how the lines of logs lie in their table: checksums and queries.
//! Refuses to know how runs lie, but for the number that their lines are kept under.

use jiff::Timestamp;
use rusqlite::{Row, named_params, params};

use super::super::{LogFilter, Omit, StoreError};
use super::damage::{Db, Failure, Slice};
use super::records::{self, number_of};
use crate::run::{Level, LogLine, RunId};

/// What a query must give for [`Line::believed`], in this order.
const COLUMNS: &str = "run, seq, at, level, text, crc";

fn crc_of(run: i64, seq: i64, at: i64, level: &str, text: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&run.to_le_bytes());
    crc.update(&seq.to_le_bytes());
    crc.update(&at.to_le_bytes());
    crc.update(level.as_bytes());
    crc.update(text.as_bytes());
    crc.finalize()
}

pub(super) fn add(db: &Db, id: RunId, lines: &[LogLine]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let run = number_of(db, id)?.ok_or(StoreError::Fenced)?;
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

pub(super) fn omit(db: &Db, id: RunId, omit: &Omit) -> Result<(), Failure> {
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
pub(super) fn remove(db: &Db, run: i64, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let some = "SELECT seq FROM lines WHERE run = ?1 ORDER BY seq LIMIT ?2";
    let mut delete = db.prepare_cached(&format!("DELETE FROM lines WHERE run = ?1 AND seq IN ({some})"))?;
    Ok(delete.execute([run, limit])?)
}

pub(super) fn last_seq(db: &Db, id: RunId) -> Result<u64, Failure> {
    let Some(run) = number_of(db, id)? else { return Ok(0) };
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM lines WHERE run = ?1")?;
    Ok(query.query_row([run], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn find(db: &Db, id: RunId, filter: &LogFilter) -> Result<Vec<LogLine>, Failure> {
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let after = i64::try_from(filter.after).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM lines WHERE run = ?1 AND seq > ?2 ORDER BY seq"))?;
    let mut rows = query.query([run, after])?;
    let contains = filter.contains.as_deref().filter(|text| !text.is_empty());
    let mut lines = Vec::new();
    // Looked through here and not by SQL: a line is believed before it is searched, and LIKE stops at NUL.
    while lines.len() < filter.limit {
        let Some(row) = rows.next()? else { break };
        match Line::believed(row) {
            None => db.damage.report(damaged(id, row)),
            Some(line) if filter.level.is_some_and(|level| line.level < level) => {}
            Some(line) if contains.is_some_and(|wanted| !has(line.text, wanted)) => {}
            Some(line) => lines.push(line.into()),
        }
    }
    Ok(lines)
}

/// True when `wanted`, which is not empty, is in the text. Capital letters of ASCII make no difference.
fn has(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
    let first = wanted[0].to_ascii_lowercase();
    let begins = |at: &usize| text[*at].to_ascii_lowercase() == first;
    (0..=last).filter(begins).any(|at| text[at..at + wanted.len()].eq_ignore_ascii_case(wanted))
}

pub(super) fn tail(db: &Db, id: RunId, limit: usize) -> Result<Vec<LogLine>, Failure> {
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM lines WHERE run = ?1 ORDER BY seq DESC"))?;
    let mut rows = query.query([run])?;
    let mut lines = Vec::new();
    while lines.len() < limit {
        let Some(row) = rows.next()? else { break };
        match Line::believed(row) {
            Some(line) => lines.push(line.into()),
            None => db.damage.report(damaged(id, row)),
        }
    }
    lines.reverse();
    Ok(lines)
}

fn damaged(run: impl std::fmt::Display, row: &Row<'_>) -> String {
    let seq = row.get::<_, i64>(1).unwrap_or(-1);
    format!("run {run}: the checksum of its log line {seq} does not fit")
}

/// A line in its row.
struct Line<'a> {
    seq: i64,
    at: Timestamp,
    level: Level,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// `None` for a line that is not to be believed.
    fn believed(row: &'a Row<'_>) -> Option<Self> {
        let (run, seq): (i64, i64) = (row.get(0).ok()?, row.get(1).ok()?);
        let at: i64 = row.get(2).ok()?;
        let [level, text] = [3, 4].map(|column| row.get_ref(column).ok().and_then(|text| text.as_str().ok()));
        let (level, text) = (level?, text?);
        if Some(i64::from(crc_of(run, seq, at, level, text))) != row.get(5).ok() {
            return None;
        }
        let (level, at) = (level.parse().ok()?, Timestamp::from_microsecond(at).ok()?);
        Some(Self { seq, at, level, text })
    }
}

impl From<Line<'_>> for LogLine {
    fn from(Line { seq, at, level, text }: Line<'_>) -> Self {
        Self { seq: seq.unsigned_abs(), at, level, text: text.to_owned() }
    }
}

/// Looks at so many lines after this one, in the order of the table.
pub(super) fn check(db: &Db, after: (i64, i64), count: usize) -> Result<Slice<(i64, i64)>, Failure> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM lines WHERE (run, seq) > (?1, ?2) ORDER BY run, seq LIMIT ?3"
    ))?;
    let mut rows = query.query(params![after.0, after.1, count])?;
    let mut slice = Slice::default();
    while let Some(row) = rows.next()? {
        let run: i64 = row.get(0)?;
        let bad = Line::believed(row).is_none();
        if bad {
            match records::id_of(db, run)? {
                Some(id) => db.damage.report(damaged(id, row)),
                None => db.damage.report(damaged(format_args!("number {run}"), row)),
            }
        }
        slice.add((run, row.get(1)?), bad);
    }
    Ok(slice)
}
