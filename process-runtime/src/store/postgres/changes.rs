//! The writes of one run, each in a transaction: starts, batches, ends, control requests. `Record` decides which
//! transitions are allowed. The row of the run is locked first, and its hold after it, so that no two of them wait for
//! each other.

use tokio_postgres::types::Type;

use super::super::{Batch, Control, Lease, Record, Release, StartOptions, StartOutcome, StoreError};
use super::damage::Damage;
use super::error::Failure;
use super::lines;
use super::rows::{self, COLUMNS, Found, escaped, found};
use super::session::Session;
use crate::run::{Outcome, Run, RunId};

pub(super) async fn start(
    session: &Session,
    damage: &Damage,
    run: Run,
    terms: StartOptions,
) -> Result<StartOutcome, Failure> {
    session.begin().await?;
    let process = escaped(&run.process).into_owned();
    // The row is locked until the end, so starts of one process come one after the other: numbers have no gaps, and what
    // is counted below stays so.
    let number = session
        .first(
            "INSERT INTO @number AS number (process, last) VALUES ($1, 1)
             ON CONFLICT (process) DO UPDATE SET last = number.last + 1 RETURNING last",
            &[(&process, Type::TEXT)],
        )
        .await?;
    let number: i64 = number.map_or(1, |row| row.get(0));
    let mut standing = match terms.idempotency_key.as_deref() {
        Some(key) => of_key(session, &process, key).await?,
        None => None,
    };
    if standing.is_none() && terms.exclusive {
        standing = active(session, damage, &process).await?;
    }
    if let Some(record) = standing {
        // Not committed: the number is given to the next run.
        return Ok(StartOutcome { run: record.run, existing: true });
    }
    refuse_beyond(session, &run, &terms).await?;
    let run = Run { number: number.unsigned_abs(), ..run };
    let record = Record::new(run, terms.idempotency_key);
    rows::insert(session, &record).await?;
    session.commit().await?;
    Ok(StartOutcome { run: record.run, existing: false })
}

async fn of_key(session: &Session, process: &str, key: &str) -> Result<Option<Record>, Failure> {
    let statement = format!("SELECT {COLUMNS} FROM @run WHERE process = $1 AND idempotency_key = $2");
    let row = session.first(&statement, &[(&process, Type::TEXT), (&escaped(key), Type::TEXT)]).await?;
    Ok(row.as_ref().map(found).transpose()?.map(|found| found.record))
}

/// The run that an exclusive start of the process returns: the running one, else a paused one, else the oldest queued
/// one.
async fn active(session: &Session, damage: &Damage, process: &str) -> Result<Option<Record>, Failure> {
    let statement = format!(
        "SELECT {COLUMNS} FROM @run WHERE process = $1 AND status IN ('running', 'cancelling', 'paused', 'queued')
         ORDER BY array_position(ARRAY['running', 'cancelling', 'paused', 'queued'], status), n LIMIT 10"
    );
    let rows = session.query(&statement, &[(&process, Type::TEXT)]).await?;
    Ok(rows::first_sound(damage, &rows).map(|found| found.record))
}

/// Returns an error if a limit of queued runs is reached.
async fn refuse_beyond(session: &Session, run: &Run, terms: &StartOptions) -> Result<(), Failure> {
    let StartOptions {
        max_queued: all,
        max_queued_per_process: of_process,
        max_queued_per_actor: of_actor,
        ..
    } = *terms;
    let of_actor = if run.actor.is_some() { of_actor } else { usize::MAX };
    let most = [all, of_process, of_actor].into_iter().filter(|most| *most < usize::MAX).max();
    let Some(most) = most else { return Ok(()) };
    // With few runs in the queue, which is the usual case, the narrower limits need no query.
    let waiting = waiting(session, "true", None, most).await?;
    if waiting >= all {
        return Err(StoreError::Full(all).into());
    }
    if waiting >= of_process
        && self::waiting(session, "process = $1", Some(&run.process), of_process).await? >= of_process
    {
        return Err(StoreError::ProcessFull(of_process).into());
    }
    let actor = run.actor.as_deref();
    if waiting >= of_actor && self::waiting(session, "actor = $1", actor, of_actor).await? >= of_actor {
        return Err(StoreError::ActorFull(of_actor).into());
    }
    Ok(())
}

/// Counts queued runs, up to the limit.
async fn waiting(session: &Session, which: &str, of: Option<&str>, limit: usize) -> Result<usize, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = format!(
        "SELECT count(*) FROM (SELECT FROM @run WHERE status = 'queued' AND {which} AND ($1::text IS NULL OR true)
                               LIMIT $2) AS queued"
    );
    let row = session.first(&statement, &[(&of.map(escaped), Type::TEXT), (&limit, Type::INT8)]).await?;
    Ok(row.map_or(0, |row| usize::try_from(row.get::<_, i64>(0)).unwrap_or(0)))
}

async fn of_lease(session: &Session, lease: Lease) -> Result<Found, Failure> {
    Ok(rows::load_to_change(session, lease.run).await?.ok_or(StoreError::Fenced)?)
}

async fn add_lines(session: &Session, n: i64, batch: &Batch) -> Result<(), Failure> {
    lines::add(session, n, &batch.lines).await?;
    match &batch.omit {
        Some(omit) => lines::omit(session, n, omit).await,
        None => Ok(()),
    }
}

pub(super) async fn append(session: &Session, lease: Lease, batch: Batch) -> Result<(), Failure> {
    session.begin().await?;
    let Found { n, mut record, .. } = of_lease(session, lease).await?;
    record.check(lease)?;
    add_lines(session, n, &batch).await?;
    if record.add(batch) {
        rows::update(session, n, &record).await?;
    }
    session.commit().await
}

pub(super) async fn finish(
    session: &Session,
    lease: Lease,
    batch: Batch,
    outcome: Outcome,
) -> Result<Run, Failure> {
    session.begin().await?;
    let found = of_lease(session, lease).await?;
    if found.record.has_finished(lease, &outcome) {
        return Ok(found.record.run);
    }
    let now = found.now;
    write_last(session, found, lease, batch, |record| record.finish(outcome, now)).await
}

pub(super) async fn release(
    session: &Session,
    lease: Lease,
    batch: Batch,
    to: Release,
) -> Result<Run, Failure> {
    session.begin().await?;
    let found = of_lease(session, lease).await?;
    if found.record.has_released(lease) {
        return Ok(found.record.run);
    }
    let now = found.now;
    write_last(session, found, lease, batch, |record| record.release(to, now)).await
}

/// The last write of a holder.
async fn write_last(
    session: &Session,
    found: Found,
    lease: Lease,
    batch: Batch,
    last: impl FnOnce(&mut Record),
) -> Result<Run, Failure> {
    let Found { n, mut record, .. } = found;
    record.check(lease)?;
    add_lines(session, n, &batch).await?;
    record.add(batch);
    last(&mut record);
    rows::update(session, n, &record).await?;
    session.execute("DELETE FROM @hold WHERE n = $1", &[(&n, Type::INT8)]).await?;
    session.commit().await?;
    Ok(record.run)
}

/// Returns the run after the request, and whether the request changed it.
pub(super) async fn request(
    session: &Session,
    id: RunId,
    control: Control,
) -> Result<Option<(Run, bool)>, Failure> {
    session.begin().await?;
    let Some(Found { n, mut record, now }) = rows::load_to_change(session, id).await? else {
        return Ok(None);
    };
    let changed = record.request(control, now).map_err(StoreError::Refused)?;
    if changed {
        rows::update(session, n, &record).await?;
        if !record.is_held() {
            session.execute("DELETE FROM @hold WHERE n = $1", &[(&n, Type::INT8)]).await?;
        }
    }
    session.commit().await?;
    Ok(Some((record.run, changed)))
}
