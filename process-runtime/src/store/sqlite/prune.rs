//! Owns the removal of old runs, a little at a time.
//! Refuses to know what is removed beside the tables.

use rusqlite::{Connection, Row, params};

use super::super::{Pruned, Retention, StoreError};
use super::lines;
use crate::run::RunId;

/// How many rows one call removes: a few milliseconds of work.
const ROWS: usize = 2_000;
const ENDED: &str = "status IN ('succeeded', 'failed', 'cancelled', 'interrupted')";

pub(super) fn prune(db: &Connection, retention: &Retention) -> Result<Pruned, StoreError> {
    let mut pruned = Pruned::default();
    let mut left = ROWS;
    for (n, id) in candidates(db, retention)? {
        left -= lines::remove(db, n, left)?;
        if left == 0 {
            // The run itself goes last: until then it is found again.
            pruned.more = true;
            break;
        }
        db.prepare_cached("DELETE FROM keys WHERE run = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM runs WHERE n = ?1")?.execute([n])?;
        pruned.runs.push(RunId::from_bytes(id));
        left -= 1;
    }
    pruned.more |= left == 0;
    Ok(pruned)
}

/// Runs that are not to be kept, at most as many as one call removes.
fn candidates(db: &Connection, retention: &Retention) -> Result<Vec<(i64, [u8; 16])>, StoreError> {
    let limit = i64::try_from(ROWS).unwrap_or(i64::MAX);
    let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let mut found = Vec::new();
    if let Some(before) = retention.ended_before {
        let mut query = db.prepare_cached(
            "SELECT n, id FROM runs WHERE ended > 0 AND ended < ?1 ORDER BY ended, n LIMIT ?2",
        )?;
        let old = query.query_map([before.as_millisecond(), limit], row)?;
        found = old.collect::<Result<Vec<_>, _>>()?;
    }
    let Some(newest) = retention.newest.filter(|_| found.is_empty()) else { return Ok(found) };
    let mut processes = db.prepare_cached("SELECT DISTINCT process FROM runs")?;
    let processes = processes.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let newest = i64::try_from(newest).unwrap_or(i64::MAX);
    for process in processes {
        let mut query = db.prepare_cached(&format!(
            "SELECT n, id FROM runs WHERE process = ?1 AND {ENDED} ORDER BY id DESC LIMIT ?3 OFFSET ?2"
        ))?;
        let beyond = query.query_map(params![process, newest, limit], row)?;
        found.extend(beyond.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}
