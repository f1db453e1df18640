//! Owns what each write does to the tables, inside the writer's transaction.
//! Refuses to know which changes of a run are allowed (that is the record's) and when they are committed.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Instant;

use jiff::Timestamp;
use rusqlite::Connection;

use super::super::{Batch, Claim, Claimable, Control, Lease, Record, Started, StoreError, Terms, Wanted};
use super::leases::Leases;
use super::{lines, records};
use crate::run::{Run, RunId};

pub(super) fn start(db: &Connection, run: Run, terms: &Terms) -> Result<Started, StoreError> {
    let key = terms.idempotency_key.as_deref();
    let first = match key {
        Some(key) => records::run_of_key(db, &run.process, key)?,
        None => None,
    };
    let mut standing = match first {
        Some(id) => records::load(db, id)?,
        None => None,
    };
    if standing.is_none() && terms.exclusive {
        standing = records::active(db, &run.process)?;
    }
    if let Some(record) = standing {
        return Ok(Started { run: record.run, existing: true });
    }
    if terms.max_waiting != usize::MAX && records::waiting(db)? >= terms.max_waiting {
        return Err(StoreError::Full(terms.max_waiting));
    }
    let record = Record::new(run);
    records::insert(db, &record, key)?;
    Ok(Started { run: record.run, existing: false })
}

pub(super) fn claim(
    db: &Connection,
    leases: &Leases,
    wanted: &Wanted,
    (now, at): (Timestamp, Instant),
) -> Result<Option<Claim>, StoreError> {
    let held = records::held(db)?;
    let wants = |record: &Record| wanted.processes.iter().find(|wanted| wanted.process == record.run.process);
    let abandoned = held.iter().find_map(|record| {
        let alive = leases.holds(record.run.id, record.epoch, at);
        wants(record).filter(|_| !alive).map(|process| (process, record.clone()))
    });
    let next = match abandoned {
        Some(abandoned) => Some(abandoned),
        None => next_queued(db, &held, wanted, now)?,
    };
    let Some((process, mut record)) = next else { return Ok(None) };
    let abandoned = record.claim(process.resumable, now);
    records::update(db, &record)?;
    let last_seq = lines::last_seq(db, record.run.id)?;
    let lease = Lease { run: record.run.id, epoch: record.epoch };
    // Should the commit fail, nobody has this epoch, and the record still has the one before.
    leases.hold(lease, wanted.lease);
    Ok(Some(Claim { lease, run: record.run, last_seq, abandoned }))
}

/// The first of the queued runs that has a place.
fn next_queued<'a>(
    db: &Connection,
    held: &[Record],
    wanted: &'a Wanted,
    now: Timestamp,
) -> Result<Option<(&'a Claimable, Record)>, StoreError> {
    let mut heads = Vec::new();
    for process in &wanted.processes {
        let mut used = HashMap::<Option<&str>, usize>::new();
        for record in held.iter().filter(|record| record.run.process == process.process) {
            *used.entry(record.run.books.concurrency_key.as_deref()).or_default() += 1;
        }
        used.retain(|_, count| *count >= process.concurrency);
        let full: Vec<_> = used.into_keys().collect();
        heads.extend(records::next_queued(db, process, &full, now)?.map(|(n, record)| (n, process, record)));
    }
    let first = heads.into_iter().min_by_key(|(n, _, record)| (Reverse(record.run.priority), *n));
    Ok(first.map(|(_, process, record)| (process, record)))
}

/// The record, if the lease is still the valid one.
fn held(db: &Connection, lease: Lease) -> Result<Record, StoreError> {
    let record = records::load(db, lease.run)?;
    record.filter(|record| record.is_held_by(lease)).ok_or(StoreError::Fenced)
}

fn add_lines(db: &Connection, run: RunId, batch: &Batch) -> Result<(), StoreError> {
    lines::add(db, run, &batch.lines)?;
    batch.omit.as_ref().map_or(Ok(()), |omit| lines::omit(db, run, omit))
}

pub(super) fn append(db: &Connection, lease: Lease, batch: Batch) -> Result<(), StoreError> {
    let mut record = held(db, lease)?;
    add_lines(db, lease.run, &batch)?;
    if record.add(batch) { records::update(db, &record) } else { Ok(()) }
}

/// The last write of a holder.
pub(super) fn let_go(
    db: &Connection,
    lease: Lease,
    batch: Batch,
    last: impl FnOnce(&mut Record),
) -> Result<Run, StoreError> {
    let mut record = held(db, lease)?;
    add_lines(db, lease.run, &batch)?;
    record.add(batch);
    last(&mut record);
    records::update(db, &record)?;
    Ok(record.run)
}

pub(super) fn request(
    db: &Connection,
    id: RunId,
    control: Control,
    now: Timestamp,
) -> Result<Option<Run>, StoreError> {
    let Some(mut record) = records::load(db, id)? else { return Ok(None) };
    if record.request(control, now) {
        records::update(db, &record)?;
    }
    Ok(Some(record.run))
}
