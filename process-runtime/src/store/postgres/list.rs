//! Lists of runs: one slice of a list, found by an index in the order of the list, and how many runs match.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::super::list::{groups, rank};
use super::super::stored::saturated;
use super::super::{RunCounts, RunFilter, RunOrder, RunPosition, RunSlice};
use super::damage::Damage;
use super::error::Failure;
use super::rows::{COLUMNS, believed, escaped, position, uuid};
use super::session::Session;
use crate::run::RunStatus;

/// A slice reads at most this many runs.
const LOOKED_AT: usize = 1_000;
/// A slice that searches for a text reads at most this many bytes, and at least one run.
const LOOKED_AT_BYTES: usize = 4 << 20;
/// How many runs of each status are counted.
const COUNTED: i64 = 10_000;

/// The conditions of a filter that indexes answer, and their values.
struct Conditions {
    sql: String,
    process: Option<String>,
    except: Vec<String>,
    actor: Option<String>,
    from: i64,
}

impl Conditions {
    fn of(filter: &RunFilter) -> Self {
        let mut sql = String::from("created >= $1 AND (created, n) < ($2, $3)");
        if filter.process.is_some() {
            sql += " AND process = $4";
        }
        if !filter.except.is_empty() {
            sql += " AND process <> ALL ($5)";
        }
        if filter.actor.is_some() {
            sql += " AND actor = $6";
        }
        if filter.failed_items {
            sql += " AND failed > 0";
        }
        let text = |text: &String| escaped(text).into_owned();
        Self {
            sql,
            process: filter.process.as_ref().map(text),
            except: filter.except.iter().map(text).collect(),
            actor: filter.actor.as_ref().map(text),
            from: filter.from.map_or(i64::MIN, |from| from.as_microsecond()),
        }
    }

    /// Queries with the values of the conditions, and this upper bound. Values that a query does not name have types all
    /// the same.
    async fn query(
        &self,
        session: &Session,
        statement: &str,
        before: (i64, i64),
        limit: i64,
    ) -> Result<Vec<Row>, Failure> {
        let values: [(&(dyn ToSql + Sync), Type); 7] = [
            (&self.from, Type::INT8),
            (&before.0, Type::INT8),
            (&before.1, Type::INT8),
            (&self.process, Type::TEXT),
            (&self.except, Type::TEXT_ARRAY),
            (&self.actor, Type::TEXT),
            (&limit, Type::INT8),
        ];
        session.query(statement, &values).await
    }
}

/// The upper bound of a list without a position.
fn end(filter: &RunFilter) -> (i64, i64) {
    filter.until.map_or((i64::MAX, i64::MAX), |until| (until.as_microsecond(), i64::MIN))
}

/// The upper bound behind this position. If the run there is gone, runs of the same microsecond may be repeated.
async fn behind(session: &Session, position: RunPosition) -> Result<(i64, i64), Failure> {
    let row = session.first("SELECT n FROM @run WHERE id = $1", &[(&uuid(position.id), Type::UUID)]).await?;
    Ok((position.created_at.as_microsecond(), row.map_or(i64::MAX, |row| row.get(0))))
}

pub(super) async fn slice(
    session: &Session,
    damage: &Damage,
    filter: &RunFilter,
) -> Result<RunSlice, Failure> {
    // Everything is read from one moment: a run that begins meanwhile is neither queued nor running otherwise.
    session.begin_reading().await?;
    let slice = match filter.number {
        Some(number) => numbered(session, damage, filter, number).await?,
        None => listed(session, damage, filter).await?,
    };
    session.commit().await?;
    Ok(slice)
}

async fn listed(session: &Session, damage: &Damage, filter: &RunFilter) -> Result<RunSlice, Failure> {
    let conditions = Conditions::of(filter);
    let searches = filter.sought().is_some();
    let most = if searches { LOOKED_AT } else { filter.limit.min(LOOKED_AT) };
    let mut slice = RunSlice::default();
    let (mut looked_at, mut bytes) = (0, 0);
    for group in groups(filter) {
        let mut before = end(filter);
        if let Some(after) = filter.after {
            let of_group = group.first().map_or(0, |status| rank(*status));
            if filter.order == RunOrder::Ranked && of_group < after.rank {
                continue;
            }
            if filter.order == RunOrder::Newest || of_group == after.rank {
                before = before.min(behind(session, after).await?);
            }
        }
        // The runs of each status are in order already: merging them avoids a sort. One more tells whether there are more.
        let limit = saturated(most.saturating_sub(looked_at) as u64).saturating_add(1);
        let sql = &conditions.sql;
        let all = group.len() == RunStatus::ALL.len() && filter.process.is_none() && filter.actor.is_none();
        let each = |status: &RunStatus| {
            let status = if all { String::new() } else { format!("status = '{status}' AND ") };
            format!("(SELECT n FROM @run WHERE {status}{sql} ORDER BY created DESC, n DESC LIMIT $7)")
        };
        let merged = if all {
            each(&RunStatus::Queued)
        } else {
            group.iter().map(each).collect::<Vec<_>>().join(" UNION ALL ")
        };
        let statement = if searches {
            format!(
                "SELECT {COLUMNS} FROM @run WHERE n IN (
                    SELECT n FROM (
                        SELECT n, sum(octet_length(data)) OVER (ORDER BY created DESC, n DESC) - octet_length(data)
                                  AS before
                        FROM @run WHERE n IN ({merged})) AS part
                    WHERE before < {LOOKED_AT_BYTES} - {bytes})
                 ORDER BY created DESC, n DESC LIMIT $7"
            )
        } else {
            format!("SELECT {COLUMNS} FROM @run WHERE n IN ({merged}) ORDER BY created DESC, n DESC LIMIT $7")
        };
        for row in conditions.query(session, &statement, before, limit).await? {
            // The order of the checks matters: a list that ends here has no next position.
            if slice.runs.len() >= filter.limit || looked_at >= most {
                return Ok(slice);
            }
            // A damaged record counts as well: the query has a limit, behind which the list goes on.
            looked_at += 1;
            slice.next = position(&row).or(slice.next);
            let columns = match believed(&row) {
                Ok(columns) => columns,
                Err(error) => {
                    damage.report(&error);
                    continue;
                }
            };
            bytes += if searches { columns.data.len() } else { 0 };
            if filter.sought().is_some_and(|text| !columns.may_contain(text)) {
                continue;
            }
            match columns.record() {
                Ok(record) if filter.matches(&record.run) => slice.runs.push(record.run),
                Ok(_) => {}
                Err(error) => damage.report(&error),
            }
        }
        if bytes >= LOOKED_AT_BYTES {
            return Ok(slice);
        }
    }
    slice.next = None;
    Ok(slice)
}

/// The runs with this number: at most one of each process.
async fn numbered(
    session: &Session,
    damage: &Damage,
    filter: &RunFilter,
    number: u64,
) -> Result<RunSlice, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM @run WHERE number = $1");
    let rows = session.query(&statement, &[(&saturated(number), Type::INT8)]).await?;
    let mut found = Vec::new();
    for row in &rows {
        match super::rows::found(row) {
            Ok(one) if filter.matches(&one.record.run) => found.push((one.n, one.record.run)),
            Ok(_) => {}
            Err(error) => damage.report(&error),
        }
    }
    let after = match filter.after {
        Some(after) => Some((after.rank, behind(session, after).await?)),
        None => None,
    };
    Ok(filter.numbered(found, after))
}

/// Counts the matching runs by status, without reading them; `None` if they must be read.
pub(super) async fn counts(session: &Session, filter: &RunFilter) -> Result<Option<RunCounts>, Failure> {
    if filter.sought().is_some() || filter.number.is_some() {
        return Ok(None);
    }
    let conditions = Conditions::of(filter);
    let sql = &conditions.sql;
    let each = |status: &RunStatus| {
        format!(
            "SELECT '{status}' AS status, (SELECT count(*) FROM (
                SELECT FROM @run WHERE status = '{status}' AND {sql} LIMIT $7) AS part) AS runs"
        )
    };
    let statement = RunStatus::ALL.iter().map(each).collect::<Vec<_>>().join(" UNION ALL ");
    let mut counts = RunCounts::default();
    counts.is_complete = true;
    for row in conditions.query(session, &statement, end(filter), COUNTED + 1).await? {
        let (status, found): (&str, i64) = (row.get(0), row.get(1));
        if let (Ok(status), true) = (status.parse(), found > 0) {
            counts.add(status, found.min(COUNTED).unsigned_abs());
            counts.is_complete &= found <= COUNTED;
        }
    }
    Ok(Some(counts))
}
