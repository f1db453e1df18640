//! Claims and heartbeats. The clock of the server decides when a lease ends.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::super::{Claim, ClaimId, ClaimRequest, ClaimTarget, Control, Heartbeat, Lease, Record};
use super::damage::Damage;
use super::error::Failure;
use super::lines;
use super::rows::{self, COLUMNS, Found, escaped, found, uuid};
use super::session::Session;
use crate::run::RunId;

/// How many abandoned runs a claim looks at.
const ABANDONED: i64 = 100;
/// How often a claim looks for another run if others were faster.
const TRIES: usize = 3;

pub(super) async fn claim(
    session: &Session,
    damage: &Damage,
    wanted: &ClaimRequest,
) -> Result<Option<Claim>, Failure> {
    if !may_claim(session, wanted).await? {
        return Ok(None);
    }
    session.begin().await?;
    if let Some(claim) = claimed_already(session, wanted).await? {
        session.commit().await?;
        return Ok(Some(claim));
    }
    let mut claim = abandoned(session, damage, wanted).await?;
    if claim.is_none() {
        claim = queued(session, damage, wanted).await?;
    }
    session.commit().await?;
    Ok(claim)
}

/// One statement that tells whether a transaction is worth its while: a node asks every second, and most often there is
/// nothing.
async fn may_claim(session: &Session, wanted: &ClaimRequest) -> Result<bool, Failure> {
    let processes: Vec<_> = wanted.processes.iter().map(|target| escaped(&target.process)).collect();
    let row = session
        .first(
            "SELECT EXISTS (SELECT FROM @hold WHERE claim = $1)
                 OR EXISTS (SELECT FROM @hold AS hold JOIN @run AS run ON run.n = hold.n
                            WHERE hold.until <= @now() AND hold.node <> $2 AND (run.process = ANY ($3) OR $4)
                              AND (run.home IS NULL OR run.home = $5))
                 OR EXISTS (SELECT FROM @run AS run WHERE run.status = 'queued' AND run.process = ANY ($3)
                              AND (run.due IS NULL OR run.due <= @now() OR run.released > @now() + $6)
                              AND (run.home IS NULL OR run.home = $5))",
            &[
                (&claim_uuid(wanted.claim), Type::UUID),
                (&Uuid::from_bytes(*wanted.node.as_bytes()), Type::UUID),
                (&processes, Type::TEXT_ARRAY),
                (&wanted.orphans, Type::BOOL),
                (&home(wanted), Type::UUID),
                (&set_back(), Type::INT8),
            ],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

fn micros(duration: Duration) -> i64 {
    // Far below the largest number, so that it can be added to a time.
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

fn home(wanted: &ClaimRequest) -> Option<Uuid> {
    wanted.home.map(|home| Uuid::from_bytes(*home.as_bytes()))
}

fn claim_uuid(claim: ClaimId) -> Uuid {
    Uuid::from_bytes(*claim.as_bytes())
}

/// Returns the run of this very claim, if its answer was lost.
async fn claimed_already(session: &Session, wanted: &ClaimRequest) -> Result<Option<Claim>, Failure> {
    let held = session
        .first(
            "UPDATE @hold AS hold SET until = @now() + $2 FROM @run AS run
             WHERE hold.claim = $1 AND run.n = hold.n RETURNING run.id, hold.epoch, hold.abandoned",
            &[(&claim_uuid(wanted.claim), Type::UUID), (&micros(wanted.lease), Type::INT8)],
        )
        .await?;
    let Some(held) = held else { return Ok(None) };
    let run = RunId::from_bytes(*held.get::<_, Uuid>(0).as_bytes());
    let lease = Lease::new(run, held.get::<_, i64>(1).unsigned_abs(), wanted.claim);
    let Some(Found { n, record, .. }) = rows::load(session, run).await? else { return Ok(None) };
    let last_seq = lines::last_seq(session, n).await?;
    Ok(Some(Claim::new(lease, record.run, last_seq).abandoned(held.get::<_, bool>(2))))
}

/// Takes a run whose holder's lease is over.
async fn abandoned(
    session: &Session,
    damage: &Damage,
    wanted: &ClaimRequest,
) -> Result<Option<Claim>, Failure> {
    let processes: Vec<_> = wanted.processes.iter().map(|target| escaped(&target.process)).collect();
    let node = Uuid::from_bytes(*wanted.node.as_bytes());
    let columns = COLUMNS.split(", ").map(|column| match column {
        "@now()" => column.to_owned(),
        column => format!("run.{column}"),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let over = session
        .query(
            &format!(
                "SELECT {columns} FROM @hold AS hold JOIN @run AS run ON run.n = hold.n
                 WHERE hold.until <= @now() AND hold.node <> $1 AND (run.process = ANY ($2) OR $3)
                   AND (run.home IS NULL OR run.home = $5)
                 ORDER BY run.n LIMIT $4 FOR UPDATE OF run SKIP LOCKED"
            ),
            &[
                (&node, Type::UUID),
                (&processes, Type::TEXT_ARRAY),
                (&wanted.orphans, Type::BOOL),
                (&ABANDONED, Type::INT8),
                (&home(wanted), Type::UUID),
            ],
        )
        .await?;
    for row in &over {
        let Found { n, record, now } = match found(row) {
            Ok(found) => found,
            // Only this record is unreadable; it must not block the other runs.
            Err(error) => {
                damage.report(&error);
                continue;
            }
        };
        if !record.is_held() || record.is_suspect() && !wanted.suspects {
            continue;
        }
        let known = wanted.processes.iter().find(|target| target.process == record.run.process);
        let resumable = known.is_some_and(|target| target.resumable);
        // A heartbeat may have come in between.
        let taken = session
            .execute(
                "UPDATE @hold SET epoch = $2, claim = $3, node = $4, abandoned = true, until = @now() + $5
                 WHERE n = $1 AND until <= @now() AND node <> $4",
                &[
                    (&n, Type::INT8),
                    (&next_epoch(&record), Type::INT8),
                    (&claim_uuid(wanted.claim), Type::UUID),
                    (&node, Type::UUID),
                    (&micros(wanted.lease), Type::INT8),
                ],
            )
            .await?;
        if taken > 0 {
            return give(session, Found { n, record, now }, wanted, resumable).await.map(Some);
        }
    }
    Ok(None)
}

fn next_epoch(record: &Record) -> i64 {
    i64::try_from(record.epoch.saturating_add(1)).unwrap_or(i64::MAX)
}

/// Writes the record of a run that this claim has, after its hold.
async fn give(
    session: &Session,
    found: Found,
    wanted: &ClaimRequest,
    resumable: bool,
) -> Result<Claim, Failure> {
    let Found { n, mut record, now } = found;
    let abandoned = record.claim(wanted, resumable, now);
    rows::update(session, n, &record).await?;
    let last_seq = lines::last_seq(session, n).await?;
    let lease = Lease::new(record.run.id, record.epoch, wanted.claim);
    Ok(Claim::new(lease, record.run, last_seq).abandoned(abandoned))
}

/// Which queued runs can be claimed: those that are due (as `Record::is_due` has it), and whose concurrency key or
/// process has a place. `$2` is the process, `$3` its concurrency, `$4` the data folder of the claimer.
const CLAIMABLE: &str = "run.process = $2 AND run.status = 'queued'
    AND (run.due IS NULL OR run.due <= @now() OR run.released > @now() + $1)
    AND (run.home IS NULL OR run.home = $4)
    AND NOT EXISTS (
        SELECT FROM used WHERE used.key IS NOT DISTINCT FROM run.concurrency_key AND used.held >= $3)";
/// How many runs of the process are held, by concurrency key.
const USED: &str = "WITH used AS MATERIALIZED (
    SELECT run.concurrency_key AS key, count(*) AS held FROM @hold AS hold JOIN @run AS run ON run.n = hold.n
    WHERE run.process = $2 GROUP BY run.concurrency_key)";

async fn queued(session: &Session, damage: &Damage, wanted: &ClaimRequest) -> Result<Option<Claim>, Failure> {
    let mut bad = Vec::new();
    for _ in 0..TRIES {
        let targets = heads(session, wanted).await?;
        if targets.is_empty() {
            return Ok(None);
        }
        for target in targets {
            if let Some(found) = take(session, damage, wanted, target, &mut bad).await? {
                hold(session, &found, wanted).await?;
                return give(session, found, wanted, target.resumable).await.map(Some);
            }
            // Gives up the lock of this process before that of the next one: two nodes may take them in another order.
            session.commit().await?;
            session.begin().await?;
        }
    }
    Ok(None)
}

/// How much later than now, in microseconds, a release is implausible: the clock was set back.
fn set_back() -> i64 {
    let now = jiff::Timestamp::UNIX_EPOCH;
    Record::latest_release(now).as_microsecond()
}

/// The processes that have a claimable run, in the order of those runs. Nothing is locked yet.
async fn heads<'a>(session: &Session, wanted: &'a ClaimRequest) -> Result<Vec<&'a ClaimTarget>, Failure> {
    let targets: Vec<_> = wanted.processes.iter().filter(|target| target.concurrency > 0).collect();
    let processes: Vec<_> = targets.iter().map(|target| escaped(&target.process)).collect();
    let most: Vec<i64> = targets.iter().map(|target| most(target)).collect();
    let rows = session
        .query(
            "WITH used AS MATERIALIZED (
                SELECT run.process, run.concurrency_key AS key, count(*) AS held
                FROM @hold AS hold JOIN @run AS run ON run.n = hold.n
                WHERE run.process = ANY ($2) GROUP BY run.process, run.concurrency_key)
             SELECT target.place FROM unnest($2::text[], $3::bigint[]) WITH ORDINALITY AS target (process, most, place)
             CROSS JOIN LATERAL (
                SELECT run.priority, run.n FROM @run AS run
                WHERE run.process = target.process AND run.status = 'queued'
                  AND (run.due IS NULL OR run.due <= @now() OR run.released > @now() + $1)
                  AND (run.home IS NULL OR run.home = $4)
                  AND NOT EXISTS (SELECT FROM used WHERE used.process = target.process
                      AND used.key IS NOT DISTINCT FROM run.concurrency_key AND used.held >= target.most)
                ORDER BY run.priority DESC, run.n LIMIT 1) AS head
             ORDER BY head.priority DESC, head.n",
            &[
                (&set_back(), Type::INT8),
                (&processes, Type::TEXT_ARRAY),
                (&most, Type::INT8_ARRAY),
                (&home(wanted), Type::UUID),
            ],
        )
        .await?;
    let place = |row: &Row| usize::try_from(row.get::<_, i64>(0)).ok().and_then(|place| place.checked_sub(1));
    Ok(rows.iter().filter_map(|row| targets.get(place(row)?).copied()).collect())
}

fn most(target: &ClaimTarget) -> i64 {
    i64::try_from(target.concurrency).unwrap_or(i64::MAX)
}

/// Locks the next claimable run of this process.
async fn take(
    session: &Session,
    damage: &Damage,
    wanted: &ClaimRequest,
    target: &ClaimTarget,
    bad: &mut Vec<i64>,
) -> Result<Option<Found>, Failure> {
    let process = escaped(&target.process);
    if target.concurrency < usize::MAX {
        // Until the end of the transaction, no other claim of this process counts. Counted in a statement of its own
        // afterwards, which sees what the last one has committed.
        session
            .query(
                "SELECT pg_advisory_xact_lock(hashtextextended($1, hashtextextended($2, 0)))",
                &[(&process, Type::TEXT), (&session.target.schema, Type::TEXT)],
            )
            .await?;
    }
    loop {
        let row = session
            .first(
                &format!(
                    "{USED} SELECT {COLUMNS} FROM @run AS run WHERE {CLAIMABLE} AND run.n <> ALL ($5)
                     ORDER BY run.priority DESC, run.n LIMIT 1 FOR UPDATE OF run SKIP LOCKED"
                ),
                &[
                    (&set_back(), Type::INT8),
                    (&process, Type::TEXT),
                    (&most(target), Type::INT8),
                    (&home(wanted), Type::UUID),
                    (&*bad, Type::INT8_ARRAY),
                ],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        match found(&row) {
            Ok(found) => return Ok(Some(found)),
            Err(error) => {
                damage.report(&error);
                bad.push(row.get("n"));
            }
        }
    }
}

async fn hold(session: &Session, found: &Found, wanted: &ClaimRequest) -> Result<(), Failure> {
    session
        .execute(
            "INSERT INTO @hold (n, epoch, claim, node, abandoned, until)
             VALUES ($1, $2, $3, $4, false, @now() + $5)
             ON CONFLICT (n) DO UPDATE SET epoch = excluded.epoch, claim = excluded.claim, node = excluded.node,
                 abandoned = false, until = excluded.until",
            &[
                (&found.n, Type::INT8),
                (&next_epoch(&found.record), Type::INT8),
                (&claim_uuid(wanted.claim), Type::UUID),
                (&Uuid::from_bytes(*wanted.node.as_bytes()), Type::UUID),
                (&micros(wanted.lease), Type::INT8),
            ],
        )
        .await
        .map(drop)
}

/// In a transaction, because only those are durable whatever the server's setting is: a heartbeat that was lost with the
/// server would end the lease early.
pub(super) async fn heartbeat(
    session: &Session,
    lease: Lease,
    duration: Duration,
) -> Result<Heartbeat, Failure> {
    session.begin().await?;
    let row = session
        .first(
            "UPDATE @hold AS hold SET until = @now() + $4 FROM @run AS run
             WHERE run.id = $1 AND hold.n = run.n AND hold.epoch = $2 AND hold.claim = $3 RETURNING run.control",
            &[
                (&uuid(lease.run), Type::UUID),
                (&i64::try_from(lease.epoch).unwrap_or(i64::MAX), Type::INT8),
                (&claim_uuid(lease.claim), Type::UUID),
                (&micros(duration), Type::INT8),
            ],
        )
        .await?;
    session.commit().await?;
    let Some(row) = row else { return Ok(Heartbeat::Lost) };
    let control = row.get::<_, Option<&str>>(0).and_then(|control| control.parse::<Control>().ok());
    Ok(control.map_or(Heartbeat::Held, Heartbeat::Requested))
}
