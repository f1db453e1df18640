//! Removes old runs, a few at a time.

use tokio_postgres::types::Type;

use super::super::{Pruned, Retention};
use super::damage::Damage;
use super::error::Failure;
use super::rows::{COLUMNS, believed};
use super::session::Session;
use crate::run::RunId;

/// How many log lines one call removes.
const LINES: i64 = 2_000;
/// How many runs one call removes.
const RUNS: i64 = 100;
/// The advisory lock of pruning, beside the name of the schema: one node at a time.
const LOCK: i64 = 2;

pub(super) async fn prune(
    session: &Session,
    damage: &Damage,
    retention: &Retention,
) -> Result<Pruned, Failure> {
    session.begin().await?;
    if !session.try_lock(LOCK).await? {
        return Ok(Pruned::default());
    }
    let age = retention.older_than.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX / 2));
    let newest = retention.newest.map(|newest| i64::try_from(newest).unwrap_or(i64::MAX));
    let beyond = session
        .query(
            &format!(
                "SELECT {COLUMNS} FROM @run WHERE n IN (
                    (SELECT n FROM @run WHERE ended < @now() - $1 ORDER BY ended, n LIMIT $3)
                    UNION
                    (SELECT n FROM (
                        SELECT n, row_number() OVER (PARTITION BY process ORDER BY created DESC, n DESC) AS place
                        FROM @run WHERE ended IS NOT NULL AND $2 IS NOT NULL) AS placed
                     WHERE place > $2 ORDER BY n LIMIT $3)
                 ) AND ended IS NOT NULL ORDER BY n LIMIT $3"
            ),
            &[(&age, Type::INT8), (&newest, Type::INT8), (&(RUNS + 1), Type::INT8)],
        )
        .await?;
    let mut pruned = Pruned::default();
    let mut left = LINES;
    for row in &beyond {
        let id = match believed(row) {
            Ok(columns) => columns.id(),
            // It may not have ended, so it stays. It is reported.
            Err(error) => {
                damage.report(&error);
                continue;
            }
        };
        if left <= 0 || i64::try_from(pruned.runs.len()).is_ok_and(|runs| runs >= RUNS) {
            pruned.more = true;
            break;
        }
        let n: i64 = row.get("n");
        let removed = session
            .execute(
                "DELETE FROM @line WHERE n = $1 AND seq IN (SELECT seq FROM @line WHERE n = $1 ORDER BY seq LIMIT $2)",
                &[(&n, Type::INT8), (&left, Type::INT8)],
            )
            .await?;
        left -= i64::try_from(removed).unwrap_or(i64::MAX);
        if left <= 0 {
            // The run itself goes last: until then, the next call finds it again.
            pruned.more = true;
            break;
        }
        remove(session, n, id, &mut pruned).await?;
    }
    session.commit().await?;
    Ok(pruned)
}

async fn remove(session: &Session, n: i64, id: RunId, pruned: &mut Pruned) -> Result<(), Failure> {
    session.execute("DELETE FROM @run WHERE n = $1", &[(&n, Type::INT8)]).await?;
    pruned.runs.push(id);
    Ok(())
}
