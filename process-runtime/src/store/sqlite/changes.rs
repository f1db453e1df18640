//! The writes: what each one changes in the tables, inside the writer's transaction: starts with their idempotency keys,
//! claims, batches, ends. `Record` decides which transitions of a run are allowed.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;

use super::super::{
    Batch, Claim, ClaimRequest, ClaimTarget, Control, Lease, Record, Release, StartOptions, StartOutcome,
    StoreError,
};
use super::damage::{Db, Failure};
use super::leases::Leases;
use super::records::{ActiveRun, Next, Queue};
use super::{lines, records};
use crate::run::{Outcome, Run, RunId};

pub(super) fn start(db: &Db, run: Run, terms: StartOptions) -> Result<StartOutcome, Failure> {
    let key = terms.idempotency_key.as_deref();
    let mut standing = match key {
        Some(key) => records::of_key(db, &run.process, key)?,
        None => None,
    };
    if standing.is_none() && terms.exclusive {
        standing = records::active(db, &run.process)?;
    }
    if let Some(record) = standing {
        return Ok(StartOutcome { run: record.run, existing: true });
    }
    refuse_beyond(db, &run, &terms)?;
    let run = Run { number: records::next_number(db, &run.process)?, ..run };
    let record = Record::new(run, terms.idempotency_key);
    records::insert(db, &record)?;
    Ok(StartOutcome { run: record.run, existing: false })
}

/// Returns an error if the limit of queued runs is reached.
fn refuse_beyond(db: &Db, run: &Run, terms: &StartOptions) -> Result<(), Failure> {
    let StartOptions {
        max_queued: all,
        max_queued_per_process: of_process,
        max_queued_per_actor: of_actor,
        ..
    } = *terms;
    let most = [all, of_process, of_actor].into_iter().filter(|most| *most < usize::MAX).max();
    let Some(most) = most else { return Ok(()) };
    // With few runs in the queue, which is the usual case, the narrower limits need no query.
    let waiting = records::waiting(db, Queue::All, most)?;
    let is_full = |most: usize, queue: Queue<'_>| -> Result<bool, Failure> {
        Ok(most < usize::MAX && waiting >= most && records::waiting(db, queue, most)? >= most)
    };
    if waiting >= all {
        return Err(StoreError::Full(all).into());
    }
    if is_full(of_process, Queue::Process(&run.process))? {
        return Err(StoreError::ProcessFull(of_process).into());
    }
    match &run.actor {
        Some(actor) if is_full(of_actor, Queue::Actor(actor))? => Err(StoreError::ActorFull(of_actor).into()),
        _ => Ok(()),
    }
}

pub(super) fn claim(
    db: &Db,
    leases: &Leases,
    wanted: &ClaimRequest,
    now: Timestamp,
) -> Result<Option<Claim>, Failure> {
    if let Some(claim) = claimed_already(db, leases, wanted)? {
        return Ok(Some(claim));
    }
    let held = records::held(db)?;
    for ActiveRun { id, process, epoch, .. } in &held {
        let known = wanted.processes.iter().find(|wanted| wanted.process == *process);
        let Some(resumable) = known.map(|process| process.resumable).or(wanted.orphans.then_some(false))
        else {
            continue;
        };
        let is_left = |id| {
            let left =
                |record: Record| !wanted.suspects && record.is_suspect() || !wanted.reaches(&record.run);
            Ok::<_, Failure>(records::load(db, id)?.is_some_and(left))
        };
        // An unreadable record is reported below.
        if (!wanted.suspects || wanted.home.is_some()) && is_left(*id).unwrap_or(false) {
            continue;
        }
        let lease = Lease { run: *id, epoch: epoch + 1, claim: wanted.claim };
        if leases.take(lease, *epoch, wanted.node, wanted.lease) {
            match records::load(db, *id) {
                Ok(Some(record)) => return give(db, record, lease, wanted, resumable, now).map(Some),
                Ok(None) => {}
                // Only the text of this record is unreadable; it must not block the other runs.
                Err(Failure::Refused(damaged)) => db.damage.report(damaged),
                Err(error) => return Err(error),
            }
        }
    }
    let Some((process, next)) = next_queued(db, &held, wanted, now)? else { return Ok(None) };
    let lease = Lease { run: next.record.run.id, epoch: next.record.epoch + 1, claim: wanted.claim };
    leases.give(lease, wanted.node, wanted.lease);
    give(db, next.record, lease, wanted, process.resumable, now).map(Some)
}

/// Returns the run of this very claim, if its answer was lost.
fn claimed_already(db: &Db, leases: &Leases, wanted: &ClaimRequest) -> Result<Option<Claim>, Failure> {
    let Some((lease, abandoned)) = leases.of_claim(wanted.claim) else { return Ok(None) };
    match records::load(db, lease.run)? {
        Some(record) if record.is_held_by(lease) => {
            leases.extend(lease, wanted.lease);
            let last_seq = lines::last_seq(db, lease.run)?;
            Ok(Some(Claim { lease, run: record.run, last_seq, abandoned }))
        }
        // The claim was not committed, or its lease is over.
        _ => {
            leases.end(lease);
            Ok(None)
        }
    }
}

/// If the commit fails, nobody has this epoch, and the record keeps the previous one.
fn give(
    db: &Db,
    mut record: Record,
    lease: Lease,
    wanted: &ClaimRequest,
    resumable: bool,
    now: Timestamp,
) -> Result<Claim, Failure> {
    let abandoned = record.claim(wanted, resumable, now);
    records::update(db, &record)?;
    let last_seq = lines::last_seq(db, record.run.id)?;
    Ok(Claim { lease, run: record.run, last_seq, abandoned })
}

/// The first queued run whose concurrency key and process have capacity.
fn next_queued<'a>(
    db: &Db,
    held: &[ActiveRun],
    wanted: &'a ClaimRequest,
    now: Timestamp,
) -> Result<Option<(&'a ClaimTarget, Next)>, Failure> {
    let mut heads = Vec::new();
    for process in wanted.processes.iter().filter(|process| process.concurrency > 0) {
        let mut used = HashMap::<Option<&str>, usize>::new();
        for held in held.iter().filter(|held| held.process == process.process) {
            *used.entry(held.concurrency_key.as_deref()).or_default() += 1;
        }
        used.retain(|_, count| *count >= process.concurrency);
        let full: Vec<_> = used.into_keys().collect();
        heads.extend(
            records::next_queued(db, wanted, &process.process, &full, now)?.map(|next| (process, next)),
        );
    }
    Ok(heads.into_iter().min_by_key(|(_, next)| (Reverse(next.record.run.priority), next.n)))
}

fn add_lines(db: &Db, run: RunId, batch: &Batch) -> Result<(), Failure> {
    lines::add(db, run, &batch.lines)?;
    batch.omit.as_ref().map_or(Ok(()), |omit| lines::omit(db, run, omit))
}

fn of_lease(db: &Db, lease: Lease) -> Result<Record, Failure> {
    Ok(records::load(db, lease.run)?.ok_or(StoreError::Fenced)?)
}

pub(super) fn append(db: &Db, lease: Lease, batch: Batch) -> Result<(), Failure> {
    let mut record = of_lease(db, lease)?;
    record.check(lease)?;
    add_lines(db, lease.run, &batch)?;
    if record.add(batch) { records::update(db, &record) } else { Ok(()) }
}

pub(super) fn finish(
    db: &Db,
    lease: Lease,
    batch: Batch,
    outcome: Outcome,
    now: Timestamp,
) -> Result<Run, Failure> {
    let record = of_lease(db, lease)?;
    if record.has_finished(lease, &outcome) {
        return Ok(record.run);
    }
    write_last(db, record, lease, batch, |record| record.finish(outcome, now))
}

pub(super) fn release(
    db: &Db,
    lease: Lease,
    batch: Batch,
    to: Release,
    now: Timestamp,
) -> Result<Run, Failure> {
    let record = of_lease(db, lease)?;
    if record.has_released(lease) {
        return Ok(record.run);
    }
    write_last(db, record, lease, batch, |record| record.release(to, now))
}

/// The last write of a holder.
fn write_last(
    db: &Db,
    mut record: Record,
    lease: Lease,
    batch: Batch,
    last: impl FnOnce(&mut Record),
) -> Result<Run, Failure> {
    record.check(lease)?;
    add_lines(db, lease.run, &batch)?;
    record.add(batch);
    last(&mut record);
    records::update(db, &record)?;
    Ok(record.run)
}

/// Returns the run after the request, and whether the request changed it.
pub(super) fn request(
    db: &Db,
    id: RunId,
    control: Control,
    now: Timestamp,
) -> Result<Option<(Run, bool)>, Failure> {
    let Some(mut record) = records::load(db, id)? else { return Ok(None) };
    let changed = record.request(control, now).map_err(StoreError::Refused)?;
    if changed {
        records::update(db, &record)?;
    }
    Ok(Some((record.run, changed)))
}
