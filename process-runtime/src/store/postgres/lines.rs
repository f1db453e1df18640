//! Log lines: checksums, and queries that each read a bounded part of a log.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::super::stored::{crc_of_line, saturated};
use super::super::{LogFilter, LogSlice, TrimLog};
use super::damage::Damage;
use super::error::Failure;
use super::rows::{escaped, unescaped, uuid};
use super::session::Session;
use crate::run::{Level, LogLine, RunId};
use crate::terminal;

/// The most lines that one slice reads, and the most bytes of text.
const LOOKED_AT: usize = 4_000;
const LOOKED_AT_BYTES: usize = 1 << 20;

/// A line that is stored already stays as it is: a batch is sent again if its first answer was lost.
pub(super) async fn add(session: &Session, n: i64, lines: &[LogLine]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    let (mut seqs, mut ats, mut levels, mut texts, mut crcs) = (vec![], vec![], vec![], vec![], vec![]);
    for LogLine { seq, at, level, text, styles } in lines {
        let (seq, at, level) = (saturated(*seq), at.as_microsecond(), level.as_str());
        let text = terminal::stored(text, styles);
        crcs.push(i64::from(crc_of_line(n, seq, at, level, &text)));
        texts.push(escaped(&text).into_owned());
        seqs.push(seq);
        ats.push(at);
        levels.push(level);
    }
    session
        .execute(
            "INSERT INTO @line (n, seq, at, level, text, crc)
             SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[])
             ON CONFLICT DO NOTHING",
            &[
                (&n, Type::INT8),
                (&seqs, Type::INT8_ARRAY),
                (&ats, Type::INT8_ARRAY),
                (&levels, Type::TEXT_ARRAY),
                (&texts, Type::TEXT_ARRAY),
                (&crcs, Type::INT8_ARRAY),
            ],
        )
        .await
        .map(drop)
}

pub(super) async fn omit(session: &Session, n: i64, omit: &TrimLog) -> Result<(), Failure> {
    let kept = |level: &&Level| omit.keep.is_some_and(|keep| **level >= keep);
    let keep: Vec<_> = Level::ALL.iter().filter(kept).map(|level| level.as_str()).collect();
    session
        .execute(
            "DELETE FROM @line WHERE n = $1 AND seq BETWEEN $2 AND $3 AND level <> ALL ($4)",
            &[
                (&n, Type::INT8),
                (&saturated(*omit.lines.start()), Type::INT8),
                (&saturated(*omit.lines.end()), Type::INT8),
                (&keep, Type::TEXT_ARRAY),
            ],
        )
        .await
        .map(drop)
}

pub(super) async fn last_seq(session: &Session, n: i64) -> Result<u64, Failure> {
    let row =
        session.first("SELECT coalesce(max(seq), 0) FROM @line WHERE n = $1", &[(&n, Type::INT8)]).await?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// The rows of a part of a log, in this order and up to this many and to the bytes of a slice: at least one.
async fn read(
    session: &Session,
    id: RunId,
    condition: &str,
    order: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Row>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let bytes = i64::try_from(LOOKED_AT_BYTES).unwrap_or(i64::MAX);
    session
        .query(
            &format!(
                "SELECT n, seq, at, level, text, crc FROM (
                    SELECT *, sum(octet_length(text)) OVER (ORDER BY seq {order}) - octet_length(text) AS before FROM (
                        SELECT line.* FROM @line AS line JOIN @run AS run ON run.n = line.n
                        WHERE run.id = $1 AND {condition} ORDER BY line.seq {order} LIMIT $3) AS part) AS part
                 WHERE before < $4 ORDER BY seq {order}"
            ),
            &[(&uuid(id), Type::UUID), (&after, Type::INT8), (&limit, Type::INT8), (&bytes, Type::INT8)],
        )
        .await
}

pub(super) async fn slice(
    session: &Session,
    damage: &Damage,
    id: RunId,
    filter: &LogFilter,
) -> Result<LogSlice, Failure> {
    // One more tells whether the log goes on.
    let most = if filter.is_selective() { LOOKED_AT } else { filter.limit.min(LOOKED_AT) };
    let rows =
        read(session, id, "line.seq > $2", "ASC", saturated(filter.after), most.saturating_add(1)).await?;
    let mut slice = LogSlice::default();
    let (mut bytes, mut next) = (0_usize, filter.after);
    // Filtered here and not in SQL: the checksum is verified first.
    for row in rows.iter().take(most) {
        if slice.lines.len() >= filter.limit || bytes >= filter.max_bytes && !slice.lines.is_empty() {
            slice.next = Some(next);
            return Ok(slice);
        }
        match believed(row) {
            None => damage.report(&damaged(id, row)),
            Some(line) if filter.wants(line.level, &line.text) => {
                bytes = bytes.saturating_add(line.text.len());
                if bytes > filter.max_bytes && !slice.lines.is_empty() {
                    slice.next = Some(next);
                    return Ok(slice);
                }
                slice.lines.push(line);
            }
            Some(_) => {}
        }
        next = row.get::<_, i64>(1).unsigned_abs();
    }
    // The bytes of a slice may have ended it before the log did.
    let total: usize = rows.iter().map(|row| row.get::<_, &str>(4).len()).sum();
    slice.next = (rows.len() > most || total >= LOOKED_AT_BYTES).then_some(next);
    Ok(slice)
}

pub(super) async fn tail(
    session: &Session,
    damage: &Damage,
    id: RunId,
    limit: usize,
) -> Result<Vec<LogLine>, Failure> {
    let rows = read(session, id, "$2 = 0", "DESC", 0, limit).await?;
    let (mut lines, mut bytes) = (Vec::<LogLine>::new(), 0);
    for row in &rows {
        match believed(row) {
            Some(line) => {
                bytes += line.text.len();
                if bytes > LOOKED_AT_BYTES && !lines.is_empty() {
                    break;
                }
                lines.push(line);
            }
            None => damage.report(&damaged(id, row)),
        }
    }
    lines.reverse();
    Ok(lines)
}

fn damaged(run: RunId, row: &Row) -> String {
    format!("run {run}: the checksum of its log line {} does not match", row.get::<_, i64>(1))
}

/// Returns `None` for a damaged line.
fn believed(row: &Row) -> Option<LogLine> {
    let (n, seq, at): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let (level, text) = (row.get::<_, &str>(3), unescaped(row.get(4)));
    if i64::from(crc_of_line(n, seq, at, level, &text)) != row.get::<_, i64>(5) {
        return None;
    }
    let (level, at) = (level.parse().ok()?, Timestamp::from_microsecond(at).ok()?);
    let (text, styles) = terminal::read_stored(&text);
    Some(LogLine { seq: seq.unsigned_abs(), at, level, text: text.into_owned(), styles })
}
