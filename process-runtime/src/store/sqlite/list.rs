//! Lists of runs: one slice of a list, found by an index in the order of the list, and how many runs match.

use rusqlite::{OptionalExtension, Row, ToSql, params};
use serde_json::json;

use super::super::list::{groups, rank};
use super::super::stored::{Columns, saturated};
use super::super::{RunCounts, RunFilter, RunOrder, RunPosition, RunSlice};
use super::columns::{COLUMNS, believed};
use super::damage::{Db, Failure};
use super::reader::Kind;
use crate::run::{Run, RunStatus};

/// A slice reads at most this many runs.
const LOOKED_AT: usize = 1_000;
/// A slice that searches for a text reads at most this many bytes, and at least one run.
const LOOKED_AT_BYTES: usize = 4 << 20;
/// How many runs of each status are counted.
const COUNTED: i64 = 10_000;

/// What it costs to read a slice of such a list, or to count it.
pub(super) fn kind(filter: &RunFilter) -> Kind {
    let narrows = [filter.process.is_some(), filter.actor.is_some(), filter.failed_items];
    // Few runs are active, whatever else narrows them.
    let is_active_only =
        !filter.statuses.is_empty() && !filter.statuses.iter().any(|status| status.is_terminal());
    // With more than one, the index of the first contains rows that the second excludes.
    let is_narrowed_twice = narrows.iter().filter(|narrow| **narrow).count() > 1;
    if filter.sought().is_some() || (is_narrowed_twice && !is_active_only) {
        Kind::Scan
    } else {
        Kind::Lookup
    }
}

/// The conditions of a filter that indexes answer.
struct Conditions<'a> {
    filter: &'a RunFilter,
    index: &'static str,
    sql: String,
    except: String,
    from: i64,
}

impl<'a> Conditions<'a> {
    fn of(filter: &'a RunFilter) -> Self {
        let mut sql = String::from("created >= :from AND (created, n) < (:created, :n)");
        if filter.process.is_some() {
            sql += " AND process = :process";
        }
        if !filter.except.is_empty() {
            sql += " AND process NOT IN (SELECT value FROM json_each(:except))";
        }
        if filter.actor.is_some() {
            sql += " AND actor = :actor";
        }
        if filter.failed_items {
            sql += " AND failed > 0";
        }
        let index = match filter {
            RunFilter { failed_items: true, .. } => "runs_with_failures",
            RunFilter { actor: Some(_), .. } => "runs_by_actor",
            RunFilter { process: Some(_), .. } => "runs_by_process",
            _ => "runs_by_status",
        };
        let from = filter.from.map_or(i64::MIN, |from| from.as_microsecond());
        Self { filter, index, sql, except: json!(filter.except).to_string(), from }
    }

    /// The runs with this status, as a part of a query.
    fn of_status(&self, columns: &str, status: RunStatus) -> String {
        let Self { index, sql, .. } = self;
        format!("SELECT {columns} FROM runs INDEXED BY {index} WHERE status = '{status}' AND {sql}")
    }

    /// Calls with the values for the names in the query, with this upper bound.
    fn bind<T>(&self, before: &(i64, i64), call: impl FnOnce(&[(&str, &dyn ToSql)]) -> T) -> T {
        let mut values: Vec<(&str, &dyn ToSql)> =
            vec![(":from", &self.from), (":created", &before.0), (":n", &before.1)];
        if let Some(process) = &self.filter.process {
            values.push((":process", process));
        }
        if !self.filter.except.is_empty() {
            values.push((":except", &self.except));
        }
        if let Some(actor) = &self.filter.actor {
            values.push((":actor", actor));
        }
        call(&values)
    }
}

/// The upper bound of a list without a position.
fn end(filter: &RunFilter) -> (i64, i64) {
    filter.until.map_or((i64::MAX, i64::MAX), |until| (until.as_microsecond(), i64::MIN))
}

/// The upper bound behind this position. If the run there is gone, runs of the same microsecond may be repeated.
fn behind(db: &Db, position: RunPosition) -> Result<(i64, i64), Failure> {
    let mut query = db.prepare_cached("SELECT n FROM runs WHERE id = ?1")?;
    let n = query.query_row([position.id.as_bytes()], |row| row.get(0)).optional()?;
    Ok((position.created_at.as_microsecond(), n.unwrap_or(i64::MAX)))
}

pub(super) fn slice(db: &Db, filter: &RunFilter) -> Result<RunSlice, Failure> {
    // Everything is read from one moment: a run that begins meanwhile is neither queued nor running otherwise.
    let _moment = db.unchecked_transaction()?;
    if let Some(number) = filter.number {
        return numbered(db, filter, number);
    }
    let conditions = Conditions::of(filter);
    let mut reading = Reading { db, filter, slice: RunSlice::default(), looked_at: 0, bytes: 0 };
    for group in groups(filter) {
        let mut before = end(filter);
        if let Some(after) = filter.after {
            let of_group = group.first().map_or(0, |status| rank(*status));
            if filter.order == RunOrder::Ranked && of_group < after.rank {
                continue;
            }
            if filter.order == RunOrder::Newest || of_group == after.rank {
                before = before.min(behind(db, after)?);
            }
        }
        // The runs of each status are in order already: merging them avoids a sort.
        let each = |status: &RunStatus| conditions.of_status("created, n", *status);
        let merged = group.iter().map(each).collect::<Vec<_>>().join(" UNION ALL ");
        let mut query = db.prepare_cached(&format!("{merged} ORDER BY created DESC, n DESC"))?;
        let mut keys = conditions.bind(&before, |values| query.query(values))?;
        // The order of the checks matters: a list that ends here has no next position.
        while let Some(key) = keys.next()? {
            if reading.is_full() {
                return Ok(reading.slice);
            }
            reading.read(key.get(1)?)?;
        }
    }
    reading.slice.next = None;
    Ok(reading.slice)
}

/// A slice that is being read.
struct Reading<'a> {
    db: &'a Db,
    filter: &'a RunFilter,
    slice: RunSlice,
    looked_at: usize,
    bytes: usize,
}

impl Reading<'_> {
    fn is_full(&self) -> bool {
        self.slice.runs.len() >= self.filter.limit
            || self.looked_at >= LOOKED_AT
            || self.bytes >= LOOKED_AT_BYTES
    }

    /// Reads the run with this row number, and keeps it if it matches.
    fn read(&mut self, n: i64) -> Result<(), Failure> {
        let mut query = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE n = ?1"))?;
        let columns = match query.query_row([n], |row| Ok(believed(row))).optional()? {
            Some(Ok(columns)) => columns,
            Some(Err(damaged)) => {
                self.db.damage.report(damaged);
                return Ok(());
            }
            // The index is damaged, which the check of the file reports.
            None => return Ok(()),
        };
        // A damaged record has no position, so it does not count.
        self.looked_at += 1;
        self.slice.next = columns.position();
        let sought = self.filter.sought();
        self.bytes += sought.map_or(0, |_| columns.data.len());
        if sought.is_some_and(|text| !columns.may_contain(text)) {
            return Ok(());
        }
        match columns.record() {
            Ok(record) if self.filter.matches(&record.run) => self.slice.runs.push(record.run),
            Ok(_) => {}
            Err(damaged) => self.db.damage.report(damaged),
        }
        Ok(())
    }
}

/// The runs with this number: at most one of each process.
fn numbered(db: &Db, filter: &RunFilter, number: u64) -> Result<RunSlice, Failure> {
    // From one process to the next in the index, instead of through all of their runs.
    let mut query = db.prepare_cached(&format!(
        "WITH RECURSIVE processes (process) AS (
            SELECT min(process) FROM runs
            UNION ALL
            SELECT (SELECT min(process) FROM runs WHERE process > processes.process)
            FROM processes WHERE processes.process IS NOT NULL
         )
         SELECT {COLUMNS}, n FROM runs WHERE number = ?1 AND process IN (SELECT process FROM processes)"
    ))?;
    let row = |row: &Row<'_>| {
        let n: i64 = row.get(super::columns::NEXT)?;
        Ok((n, believed(row).and_then(Columns::record)))
    };
    let mut found: Vec<(i64, Run)> = Vec::new();
    for row in query.query_map(params![saturated(number)], row)? {
        match row? {
            (n, Ok(record)) if filter.matches(&record.run) => found.push((n, record.run)),
            (_, Ok(_)) => {}
            (_, Err(damaged)) => db.damage.report(damaged),
        }
    }
    let after = filter.after.map(|after| Ok::<_, Failure>((after.rank, behind(db, after)?))).transpose()?;
    Ok(filter.numbered(found, after))
}

/// Counts the matching runs by status, without reading them; `None` if they must be read.
pub(super) fn counts(db: &Db, filter: &RunFilter) -> Result<Option<RunCounts>, Failure> {
    if filter.sought().is_some() || filter.number.is_some() {
        return Ok(None);
    }
    let conditions = Conditions::of(filter);
    let _moment = db.unchecked_transaction()?;
    let mut counts = RunCounts::default();
    counts.is_complete = true;
    for status in RunStatus::ALL {
        let each = conditions.of_status("1", status);
        let mut query = db.prepare_cached(&format!("SELECT count(*) FROM ({each} LIMIT {})", COUNTED + 1))?;
        let count = |values: &[(&str, &dyn ToSql)]| query.query_row(values, |row| row.get::<_, i64>(0));
        let found = conditions.bind(&end(filter), count)?;
        if found > 0 {
            counts.add(status, found.min(COUNTED).unsigned_abs());
            counts.is_complete &= found <= COUNTED;
        }
    }
    Ok(Some(counts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_runs_are_looked_up_whatever_narrows_them() {
        let narrowed = || RunFilter::default().process("count".to_owned()).actor("schedule".to_owned());
        let is_scan = |filter: RunFilter| matches!(kind(&filter), Kind::Scan);
        assert!(is_scan(narrowed()));
        assert!(is_scan(narrowed().statuses(vec![RunStatus::Running, RunStatus::Succeeded])));
        assert!(!is_scan(narrowed().statuses(RunStatus::active().collect::<Vec<_>>())));
        assert!(is_scan(RunFilter::default().statuses(vec![RunStatus::Running]).contains("a".to_owned())));
        assert!(!is_scan(RunFilter::default().process("count".to_owned())));
    }
}
