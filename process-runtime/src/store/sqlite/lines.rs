//! Log lines in their table: checksums, and queries that each read a bounded part of it.

use std::borrow::Cow;

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};

use super::super::stored::crc_of_line;
use super::super::{LogFilter, LogSlice, StoreError, TrimLog};
use super::damage::{Db, Failure, Slice};
use super::records::{self, number_of};
use crate::run::{Level, LogLine, RunId, StyledSpan};
use crate::terminal;

/// The most lines that one slice reads, and the most bytes of text: some milliseconds of work.
const LOOKED_AT: usize = 4_000;
const LOOKED_AT_BYTES: usize = 1 << 20;

/// The columns a query must select for [`Line::believed`], in this order.
const COLUMNS: &str = "run, seq, at, level, text, crc";

/// How many lines one statement inserts.
const ROWS: usize = 16;

pub(super) fn add(db: &Db, id: RunId, lines: &[LogLine]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let run = number_of(db, id)?.ok_or(StoreError::Fenced)?;
    // Many lines share a statement: its own overhead is about the cost of a line.
    let full = lines.chunks_exact(ROWS);
    let rest = full.remainder().chunks(1);
    for lines in full.chain(rest) {
        // A batch is sent again if its first answer was lost: lines that exist stay as they are.
        let rows = vec!["(?, ?, ?, ?, ?, ?)"; lines.len()].join(", ");
        let mut insert = db.prepare_cached(&format!(
            "INSERT OR IGNORE INTO lines (run, seq, at, level, text, crc) VALUES {rows}"
        ))?;
        for (row, LogLine { seq, at, level, text, styles }) in lines.iter().enumerate() {
            let seq = i64::try_from(*seq).unwrap_or(i64::MAX);
            let (at, level) = (at.as_microsecond(), level.as_str());
            let text = &*terminal::stored(text, styles);
            let crc = crc_of_line(run, seq, at, level, text);
            let values: [&dyn ToSql; 6] = [&run, &seq, &at, &level, &text, &crc];
            for (column, value) in values.iter().enumerate() {
                insert.raw_bind_parameter(row * values.len() + column + 1, value)?;
            }
        }
        insert.raw_execute()?;
    }
    Ok(())
}

pub(super) fn omit(db: &Db, id: RunId, omit: &TrimLog) -> Result<(), Failure> {
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

/// The most bytes of text that one call removes.
const REMOVED_BYTES: i64 = 2 << 20;

/// Removes up to this many lines of a run. Returns how many it removed, and whether more are left.
pub(super) fn remove(db: &Db, run: i64, limit: usize) -> Result<(usize, bool), Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached("SELECT seq, length(text) FROM lines WHERE run = ?1 ORDER BY seq LIMIT ?2")?;
    let mut rows = query.query([run, limit])?;
    let (mut last, mut count, mut bytes) = (i64::MIN, 0, 0);
    while let Some(row) = rows.next()? {
        (last, count, bytes) = (row.get(0)?, count + 1, bytes + row.get::<_, i64>(1)?);
        if bytes >= REMOVED_BYTES {
            break;
        }
    }
    drop(rows);
    let mut delete = db.prepare_cached("DELETE FROM lines WHERE run = ?1 AND seq <= ?2")?;
    let removed = delete.execute([run, last])?;
    Ok((removed, bytes >= REMOVED_BYTES || count == limit))
}

pub(super) fn last_seq(db: &Db, id: RunId) -> Result<u64, Failure> {
    let Some(run) = number_of(db, id)? else { return Ok(0) };
    let mut query = db.prepare_cached("SELECT coalesce(max(seq), 0) FROM lines WHERE run = ?1")?;
    Ok(query.query_row([run], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) fn slice(db: &Db, id: RunId, filter: &LogFilter) -> Result<LogSlice, Failure> {
    let mut slice = LogSlice::default();
    let Some(run) = number_of(db, id)? else { return Ok(slice) };
    let after = i64::try_from(filter.after).unwrap_or(i64::MAX);
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM lines WHERE run = ?1 AND seq > ?2 ORDER BY seq"))?;
    let mut rows = query.query([run, after])?;
    let (mut looked_at, mut looked_at_bytes, mut bytes) = (0, 0, 0_usize);
    // Where the next slice begins, if there is one.
    let mut next = filter.after;
    // Filtered here and not in SQL: the checksum is verified first, and LIKE stops at NUL.
    while let Some(row) = rows.next()? {
        let is_done =
            slice.lines.len() >= filter.limit || bytes >= filter.max_bytes && !slice.lines.is_empty();
        if is_done || looked_at == LOOKED_AT || looked_at_bytes >= LOOKED_AT_BYTES {
            slice.next = Some(next);
            break;
        }
        looked_at += 1;
        match Line::believed(row) {
            None => db.damage.report(damaged(id, row)),
            Some(line) => {
                looked_at_bytes += line.text.len();
                if filter.wants(line.level, &line.text) {
                    bytes = bytes.saturating_add(line.text.len());
                    if bytes > filter.max_bytes && !slice.lines.is_empty() {
                        slice.next = Some(next);
                        break;
                    }
                    slice.lines.push(line.into());
                }
            }
        }
        next = row.get::<_, i64>(1).map_or(next, i64::unsigned_abs);
    }
    Ok(slice)
}

pub(super) fn tail(db: &Db, id: RunId, limit: usize) -> Result<Vec<LogLine>, Failure> {
    let Some(run) = number_of(db, id)? else { return Ok(Vec::new()) };
    let mut query =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM lines WHERE run = ?1 ORDER BY seq DESC"))?;
    let mut rows = query.query([run])?;
    let (mut lines, mut bytes) = (Vec::<LogLine>::new(), 0);
    while lines.len() < limit {
        let Some(row) = rows.next()? else { break };
        match Line::believed(row) {
            Some(line) => {
                bytes += line.text.len();
                if bytes > LOOKED_AT_BYTES && !lines.is_empty() {
                    break;
                }
                lines.push(line.into());
            }
            None => db.damage.report(damaged(id, row)),
        }
    }
    lines.reverse();
    Ok(lines)
}

fn damaged(run: impl std::fmt::Display, row: &Row<'_>) -> String {
    let seq = row.get::<_, i64>(1).unwrap_or(-1);
    format!("run {run}: the checksum of its log line {seq} does not match")
}

/// A line as a row.
struct Line<'a> {
    seq: i64,
    at: Timestamp,
    level: Level,
    text: Cow<'a, str>,
    styles: Vec<StyledSpan>,
}

impl<'a> Line<'a> {
    /// Returns `None` for a damaged line.
    fn believed(row: &'a Row<'_>) -> Option<Self> {
        let (run, seq): (i64, i64) = (row.get(0).ok()?, row.get(1).ok()?);
        let at: i64 = row.get(2).ok()?;
        let [level, text] = [3, 4].map(|column| row.get_ref(column).ok().and_then(|text| text.as_str().ok()));
        let (level, text) = (level?, text?);
        if Some(i64::from(crc_of_line(run, seq, at, level, text))) != row.get(5).ok() {
            return None;
        }
        let (level, at) = (level.parse().ok()?, Timestamp::from_microsecond(at).ok()?);
        let (text, styles) = terminal::read_stored(text);
        Some(Self { seq, at, level, text, styles })
    }
}

impl From<Line<'_>> for LogLine {
    fn from(Line { seq, at, level, text, styles }: Line<'_>) -> Self {
        Self { seq: seq.unsigned_abs(), at, level, text: text.into_owned(), styles }
    }
}

/// Checks up to this many lines after the given one, in the order of the table.
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
