//! A model of a store in plain vectors, written from the trait's documentation alone, to compare the real one with. It
//! uses only the runtime's data types.

use std::collections::BTreeMap;
use std::time::Duration;

use RunStatus::{Cancelled, Cancelling, Failed, Interrupted, Paused, Queued, Running, Succeeded};
use jiff::Timestamp;
use process_runtime::store::{
    Batch, Claim, ClaimRequest, Control, ControlRefused, Heartbeat, Lease, LogFilter, Release, Retention,
    RunFilter, StartOptions, StartOutcome, StoreError,
};
use process_runtime::{
    Run, RunId, RunStatus,
    run::{LogLine, Outcome},
};

mod known;
mod lists;

use known::Known;

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// In the order of their starts.
    known: Vec<Known>,
    /// The last number of each process.
    numbers: BTreeMap<String, u64>,
}

fn is_held(run: &Run) -> bool {
    [Running, Cancelling].contains(&run.status)
}

fn is_over(run: &Run) -> bool {
    [Succeeded, Failed, Cancelled, Interrupted].contains(&run.status)
}

impl Model {
    /// Another process opens the file: all holders are dead.
    pub(crate) fn restart(&mut self) {
        self.known.iter_mut().for_each(|known| known.lease = None);
    }

    pub(crate) fn ids(&self) -> Vec<RunId> {
        self.known.iter().map(|known| known.run.id).collect()
    }

    pub(crate) fn last_seq(&self, id: RunId) -> u64 {
        let known = self.known.iter().find(|known| known.run.id == id);
        known.and_then(|known| known.log.keys().next_back().copied()).unwrap_or(0)
    }

    fn find(&mut self, id: RunId) -> Option<&mut Known> {
        self.known.iter_mut().find(|known| known.run.id == id)
    }

    pub(crate) fn start(&mut self, run: Run, terms: &StartOptions) -> Result<StartOutcome, StoreError> {
        let same = |known: &&Known| known.run.process == run.process;
        let of_key = |known: &&Known| terms.idempotency_key.is_some() && known.key == terms.idempotency_key;
        let mut standing = self.known.iter().filter(same).find(of_key);
        if standing.is_none() && terms.exclusive {
            let rank = |known: &&Known| match known.run.status {
                Running => 0,
                Cancelling => 1,
                Paused => 2,
                _ => 3,
            };
            standing = self.known.iter().filter(same).filter(|known| !is_over(&known.run)).min_by_key(rank);
        }
        if let Some(known) = standing {
            return Ok(StartOutcome::new(known.run.clone(), true));
        }
        let waiting = || self.known.iter().filter(|known| known.run.status == Queued);
        if waiting().count() >= terms.max_queued {
            return Err(StoreError::Full(terms.max_queued));
        }
        if waiting().filter(same).count() >= terms.max_queued_per_process {
            return Err(StoreError::ProcessFull(terms.max_queued_per_process));
        }
        let of_actor = waiting().filter(|known| known.run.actor == run.actor).count();
        if run.actor.is_some() && of_actor >= terms.max_queued_per_actor {
            return Err(StoreError::ActorFull(terms.max_queued_per_actor));
        }
        let number = self.numbers.entry(run.process.clone()).or_default();
        *number += 1;
        let mut run = run;
        run.number = *number;
        let key = terms.idempotency_key.clone();
        let log = BTreeMap::new();
        self.known.push(Known {
            run: run.clone(),
            key,
            epoch: 0,
            claim: None,
            asked: None,
            given_up: None,
            log,
            lease: None,
        });
        Ok(StartOutcome::new(run, false))
    }

    /// The run whose turn it is.
    fn next(&self, wanted: &ClaimRequest, now: Timestamp) -> Option<usize> {
        let process_of = |run: &Run| wanted.processes.iter().find(|process| process.process == run.process);
        let dead = |known: &Known| is_held(&known.run) && !matches!(known.lease, Some((_, true)));
        let abandoned = self.known.iter().position(|known| dead(known) && process_of(&known.run).is_some());
        if abandoned.is_some() {
            return abandoned;
        }
        let has_place = |run: &Run| {
            let Some(process) = process_of(run) else { return false };
            let key = |run: &Run| (run.process.clone(), run.bookkeeping.concurrency_key.clone());
            let held = self.known.iter().filter(|known| is_held(&known.run) && key(&known.run) == key(run));
            held.count() < process.concurrency
        };
        let due = |known: &Known| {
            let set_back = |at: Timestamp| at.duration_since(now) > jiff::SignedDuration::from_secs(60);
            known.run.due_at.is_none_or(|due| due <= now) || known.given_up.is_some_and(set_back)
        };
        let waiting = self.known.iter().enumerate();
        let waiting =
            waiting.filter(|(_, known)| known.run.status == Queued && due(known) && has_place(&known.run));
        waiting.min_by_key(|(n, known)| (-i32::from(known.run.priority), *n)).map(|(n, _)| n)
    }

    pub(crate) fn claim(&mut self, wanted: &ClaimRequest, now: Timestamp) -> Option<Claim> {
        let n = self.next(wanted, now)?;
        let known = &mut self.known[n];
        let run = &mut known.run;
        let resumable =
            wanted.processes.iter().any(|process| process.process == run.process && process.resumable);
        let abandoned = is_held(run);
        let resumable = resumable
            && !(abandoned && run.bookkeeping.resumable == Some(false) && run.bookkeeping.cursor.is_none());
        if !abandoned || (resumable && run.status == Running && !run.pausing) {
            run.bookkeeping.crashes += u32::from(abandoned);
            run.attempt += 1;
            run.status = Running;
            run.due_at = None;
            known.given_up = None;
            run.bookkeeping.claimed = Some((now, run.elapsed_ms));
            if run.started_at.is_none() {
                run.started_at = Some(now.max(run.created_at));
            }
        }
        run.stalled = false;
        if !abandoned {
            run.bookkeeping.resumable = Some(resumable);
        }
        known.claim = Some(wanted.claim);
        known.epoch += 1;
        known.lease = Some((known.epoch, wanted.lease > Duration::ZERO));
        let lease = Lease::new(run.id, known.epoch, wanted.claim);
        let last_seq = known.log.keys().next_back().copied().unwrap_or(0);
        Some(Claim::new(lease, known.run.clone(), last_seq).abandoned(abandoned))
    }

    /// After a claim that could not be written: an expired lease is forgotten.
    pub(crate) fn failed_claim(&mut self, wanted: &ClaimRequest, now: Timestamp) {
        if let Some(n) = self.next(wanted, now) {
            self.known[n].lease = None;
        }
    }

    /// True if this is the latest lease, and the run is held.
    pub(crate) fn holds(&self, lease: Lease) -> bool {
        let is = |known: &Known| known.was_last_held_by(lease);
        self.known.iter().any(|known| is(known) && is_held(&known.run))
    }

    fn held(&mut self, lease: Lease) -> Option<&mut Known> {
        self.find(lease.run).filter(|known| is_held(&known.run) && known.was_last_held_by(lease))
    }

    pub(crate) fn heartbeat(&mut self, lease: Lease, duration: Duration) -> Heartbeat {
        let Some(known) = self.held(lease) else { return Heartbeat::Lost };
        if !matches!(known.lease, Some((epoch, _)) if epoch == lease.epoch) {
            return Heartbeat::Lost;
        }
        known.lease = Some((lease.epoch, duration > Duration::ZERO));
        known.asked.map_or(Heartbeat::Held, Heartbeat::Requested)
    }

    fn write(&mut self, lease: Lease, batch: Batch, last: bool) -> Result<&mut Known, StoreError> {
        let known = self.held(lease).ok_or(StoreError::Fenced)?;
        for line in batch.lines {
            known.log.entry(line.seq).or_insert(line);
        }
        if let Some(omit) = batch.omit {
            known.log.retain(|seq, line| {
                !omit.lines.contains(seq) || omit.keep.is_some_and(|keep| line.level >= keep)
            });
        }
        let run = &mut known.run;
        let news = [
            batch.progress.is_some(),
            batch.files.is_some(),
            batch.failed_items.is_some(),
            batch.cursor.is_some(),
            batch.stalled.is_some(),
            last,
        ];
        // The elapsed time is written with other changes.
        if news.contains(&true) {
            run.elapsed_ms = batch.elapsed_ms;
        }
        if let Some(progress) = batch.progress {
            run.progress = progress;
        }
        if let Some(files) = batch.files {
            run.files = files;
        }
        if let Some(failed_items) = batch.failed_items {
            run.failed_items = failed_items;
        }
        if let Some(stalled) = batch.stalled {
            run.stalled = stalled;
        }
        if let Some(cursor) = batch.cursor {
            let moved = run.bookkeeping.cursor.as_ref() != Some(&cursor);
            run.bookkeeping.crashes = if moved { 0 } else { run.bookkeeping.crashes };
            run.bookkeeping.cursor = Some(cursor);
        }
        Ok(known)
    }

    pub(crate) fn append(&mut self, lease: Lease, batch: Batch) -> Result<(), StoreError> {
        self.write(lease, batch, false).map(drop)
    }

    pub(crate) fn finish(
        &mut self,
        lease: Lease,
        batch: Batch,
        outcome: Outcome,
        now: Timestamp,
    ) -> Result<Run, StoreError> {
        // Its answer was lost, and it is repeated.
        let same = |run: &Run| match &outcome {
            Outcome::Succeeded(result) => {
                run.status == Succeeded && *result == run.result.clone().unwrap_or_default()
            }
            Outcome::Failed(failure) => run.status == Failed && run.error.as_ref() == Some(&failure.message),
            Outcome::Interrupted(error) => run.status == Interrupted && run.error.as_ref() == Some(error),
            Outcome::Cancelled => run.status == Cancelled,
            _ => false,
        };
        if let Some(known) =
            self.find(lease.run).filter(|known| known.was_last_held_by(lease) && same(&known.run))
        {
            return Ok(known.run.clone());
        }
        let known = self.write(lease, batch, true)?;
        known.end(outcome, now);
        Ok(known.run.clone())
    }

    pub(crate) fn release(
        &mut self,
        lease: Lease,
        batch: Batch,
        to: Release,
        now: Timestamp,
    ) -> Result<Run, StoreError> {
        let given_up = |known: &&mut Known| {
            known.was_last_held_by(lease) && [Queued, Paused, Cancelled].contains(&known.run.status)
        };
        if let Some(known) = self.find(lease.run).filter(given_up) {
            return Ok(known.run.clone());
        }
        let known = self.write(lease, batch, true)?;
        if known.run.status == Cancelling {
            known.end(Outcome::Cancelled, now);
            return Ok(known.run.clone());
        }
        known.run.status = if known.run.pausing || to == Release::Paused { Paused } else { Queued };
        if let Release::Retry(wait) = to {
            known.run.due_at = Some(now + wait);
            known.run.bookkeeping.failures += 1;
            known.given_up = Some(now);
        }
        known.run.bookkeeping.crashes = 0;
        known.clear_lease_state();
        Ok(known.run.clone())
    }

    pub(crate) fn control(
        &mut self,
        id: RunId,
        control: Control,
        now: Timestamp,
    ) -> Result<Option<Run>, StoreError> {
        let Some(known) = self.find(id) else { return Ok(None) };
        let run = &mut known.run;
        let steers = matches!(control, Control::Pause | Control::Resume);
        let refused = match run.status {
            _ if !steers => None,
            Succeeded | Failed | Cancelled | Interrupted => Some(ControlRefused::Ended),
            Cancelling => Some(ControlRefused::Cancelling),
            Running if control == Control::Pause && run.bookkeeping.resumable != Some(true) => {
                Some(ControlRefused::NoCursor)
            }
            Running if control == Control::Resume && !run.pausing => Some(ControlRefused::NotPaused),
            Queued if control == Control::Resume => Some(ControlRefused::Queued),
            _ => None,
        };
        if let Some(refused) = refused {
            return Err(StoreError::Refused(refused));
        }
        match (run.status, control) {
            (Queued | Paused, Control::Cancel | Control::ForceCancel) => known.end(Outcome::Cancelled, now),
            (Running | Cancelling, Control::ForceCancel) => {
                // Within half a minute, the clock tells for how long it has run.
                let (at, before) = run.bookkeeping.claimed.unwrap();
                let worked = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(0) + before;
                run.elapsed_ms = worked.max(run.elapsed_ms).min(run.elapsed_ms + 30_000);
                known.end(Outcome::Cancelled, now);
                // The holder did not end it.
                known.claim = None;
            }
            (Running, Control::Cancel) => {
                (run.status, run.pausing) = (Cancelling, false);
                known.asked = Some(control);
            }
            (Queued, Control::Pause) => run.status = Paused,
            (Running, Control::Pause) => {
                run.pausing = true;
                known.asked = Some(control);
            }
            (Paused, Control::Resume) => {
                (run.status, run.due_at) = (Queued, None);
                known.given_up = None;
            }
            (Running, Control::Resume) => {
                run.pausing = false;
                known.asked = None;
            }
            _ => {}
        }
        Ok(Some(known.run.clone()))
    }

    pub(crate) fn log(&self, id: RunId, filter: &LogFilter) -> Vec<LogLine> {
        let Some(known) = self.known.iter().find(|known| known.run.id == id) else { return Vec::new() };
        let contains = |line: &LogLine| {
            let wanted = filter.contains.as_deref().unwrap_or("").to_ascii_lowercase();
            line.text.to_ascii_lowercase().contains(&wanted)
        };
        let lines = known.log.values().filter(|line| line.seq > filter.after);
        let lines = lines.filter(|line| filter.level.is_none_or(|level| line.level >= level));
        lines.filter(|line| contains(line)).take(filter.limit).cloned().collect()
    }

    pub(crate) fn tail(&self, id: RunId, limit: usize) -> Vec<LogLine> {
        let all = self.log(id, &LogFilter::after(0, usize::MAX));
        all[all.len().saturating_sub(limit)..].to_vec()
    }

    /// Those that are gone.
    pub(crate) fn prune(&mut self, retention: &Retention, now: Timestamp) -> Vec<RunId> {
        let mut gone = Vec::new();
        let all = self.runs(&RunFilter::default().limit(usize::MAX));
        for (n, run) in all.iter().enumerate().filter(|(_, run)| is_over(run)) {
            let newer =
                all[..n].iter().filter(|newer| is_over(newer) && newer.process == run.process).count();
            let old = retention.older_than.is_some_and(|age| run.finished_at.unwrap() < now - age);
            if old || retention.newest.is_some_and(|newest| newer >= newest) {
                gone.push(run.id);
            }
        }
        self.known.retain(|known| !gone.contains(&known.run.id));
        gone
    }
}
