//! Removes old runs, a few at a time.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::super::{Pruned, Retention};
use super::columns::{COLUMNS, believed};
use super::damage::{Db, Failure};
use super::lines;
use crate::run::{RunId, RunStatus};

/// How many log lines one call removes: a few milliseconds of work.
const LINES: usize = 2_000;
/// Removing a run costs as much as removing this many lines, because it has many indexes.
const OF_A_RUN: usize = 16;
/// How many candidates one query returns: more than one call removes.
const RUNS: usize = LINES / OF_A_RUN + 1;

/// Returns the numbers of runs past the retention, oldest first, at most as many as one call removes.
pub(super) fn candidates(db: &Db, retention: &Retention, now: Timestamp) -> Result<Vec<i64>, Failure> {
    let limit = i64::try_from(RUNS).unwrap_or(i64::MAX);
    let row = |row: &Row<'_>| Ok((row.get(1)?, row.get(0)?));
    let mut found = Vec::<(i64, i64)>::new();
    if let Some(age) = retention.older_than {
        let before = now.saturating_sub(age).unwrap_or(Timestamp::MIN);
        let mut query = db.prepare_cached(
            "SELECT n, ended FROM runs WHERE ended IS NOT NULL AND ended < ?1 ORDER BY ended, n LIMIT ?2",
        )?;
        let old = query.query_map(params![before.as_microsecond(), limit], row)?;
        found = old.collect::<Result<_, _>>()?;
    }
    if let Some(newest) = retention.newest {
        let newest = i64::try_from(newest).unwrap_or(i64::MAX);
        let mut query = db.prepare_cached(
            "SELECT process, count(*) FROM runs
             WHERE status IN ('succeeded', 'failed', 'cancelled', 'interrupted')
             GROUP BY process HAVING count(*) > ?1",
        )?;
        let counts = query.query_map([newest], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let counts = counts.collect::<Result<Vec<(String, i64)>, _>>()?;
        for (process, count) in counts {
            // The runs of each status are in order already: merging them avoids a sort.
            let each =
                |status| format!("SELECT created, n FROM runs WHERE process = ?1 AND status = '{status}'");
            let merged = RunStatus::terminal().map(each).collect::<Vec<_>>().join(" UNION ALL ");
            let mut query = db.prepare_cached(&format!(
                "SELECT n, ended FROM runs WHERE ended IS NOT NULL
                    AND n IN (SELECT n FROM ({merged} ORDER BY created, n LIMIT ?2))"
            ))?;
            let beyond = query.query_map(params![process, (count - newest).min(limit)], row)?;
            found.extend(beyond.collect::<Result<Vec<_>, _>>()?);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(RUNS);
    Ok(found.into_iter().map(|(_, n)| n).collect())
}

/// Removes as many of the candidates as fit in one call.
pub(super) fn remove(db: &Db, candidates: &[i64]) -> Result<Pruned, Failure> {
    let mut pruned = Pruned::default();
    let mut left = LINES;
    for n in candidates {
        // A damaged run may not have ended, so it stays. It is reported.
        let Some(id) = ended(db, *n)? else { continue };
        let (removed, more) = lines::remove(db, *n, left)?;
        left -= removed;
        if more {
            pruned.more = true;
            // The run itself goes last: until then, the next call finds it again.
            break;
        }
        // Its number is not given again.
        db.prepare_cached(
            "INSERT INTO numbers (process, last) SELECT process, number FROM runs WHERE n = ?1
             ON CONFLICT (process) DO UPDATE SET last = max(last, excluded.last)",
        )?
        .execute([n])?;
        db.prepare_cached("DELETE FROM runs WHERE n = ?1")?.execute([n])?;
        pruned.runs.push(id);
        left = left.saturating_sub(OF_A_RUN);
    }
    // If nothing could be removed, another call would remove nothing either.
    pruned.more |= left == 0 || (candidates.len() == RUNS && left < LINES);
    Ok(pruned)
}

/// Returns the id of the run with this number, if the record is sound and has ended.
fn ended(db: &Db, n: i64) -> Result<Option<RunId>, Failure> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE n = ?1"))?;
    match query.query_row([n], |row| Ok(believed(row))).optional()? {
        Some(Ok(columns)) => Ok(columns.ended.map(|_| columns.id())),
        Some(Err(damaged)) => {
            db.damage.report(damaged);
            Ok(None)
        }
        None => Ok(None),
    }
}
