//! The transitions of a run: which changes are allowed, identically for every engine.

use std::time::Duration;

use jiff::Timestamp;

use super::{Batch, ClaimId, ClaimRequest, Control, ControlRefused, Heartbeat, Lease, Release, StoreError};
use crate::run::{Outcome, Run, RunStatus};

/// A run, with the data that only its store needs.
///
/// An engine loads a record, calls one of these methods to change it, and stores it: so all engines follow the same
/// rules.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// The run.
    pub run: Run,
    /// How many times it was claimed or taken from a holder.
    pub epoch: u64,
    /// The last claim. It stays here after its holder gave the run up.
    pub claim: Option<ClaimId>,
    /// The control request that its holder has not carried out yet.
    pub control: Option<Control>,
    /// The idempotency key of its start: a start of the same process with the same key returns this run.
    pub idempotency_key: Option<String>,
    /// When its holder released it for a retry.
    pub released_at: Option<Timestamp>,
}

/// A clock that is behind by more than this was set back. Smaller differences occur between the clocks of two
/// machines.
const SET_BACK: Duration = Duration::from_secs(60);

/// A holder stores the elapsed time of a silent run with its heartbeats for viewers, so this is much longer than what is
/// not stored.
const MAX_UNSTORED_MS: u64 = 30_000;

impl Record {
    /// Creates the record of a run that was just accepted. An engine that loads a record sets the other members.
    pub fn new(run: Run, idempotency_key: Option<String>) -> Self {
        Self { run, epoch: 0, claim: None, control: None, idempotency_key, released_at: None }
    }

    /// Returns true if the record has a holder. The holder may have died.
    pub fn is_held(&self) -> bool {
        matches!(self.run.status, RunStatus::Running | RunStatus::Cancelling)
    }

    /// Returns true if the lease is the latest one and the run has not ended.
    pub fn is_held_by(&self, lease: Lease) -> bool {
        self.is_held() && self.was_last_held_by(lease)
    }

    /// Returns true if the next claim is the second in a row without progress: the run may be what crashes its
    /// program.
    pub fn is_suspect(&self) -> bool {
        self.is_held() && self.run.bookkeeping.crashes > 0
    }

    fn was_last_held_by(&self, lease: Lease) -> bool {
        (self.run.id, self.epoch, self.claim) == (lease.run, lease.epoch, Some(lease.claim))
    }

    /// Checks that the lease is the latest one and that the run has not ended.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`] otherwise.
    pub fn check(&self, lease: Lease) -> Result<(), StoreError> {
        if self.is_held_by(lease) { Ok(()) } else { Err(StoreError::Fenced) }
    }

    /// Returns true if this holder already stored this outcome, and its answer was lost.
    pub fn has_finished(&self, lease: Lease, outcome: &Outcome) -> bool {
        let run = &self.run;
        let same = match outcome {
            Outcome::Succeeded(result) => {
                run.result.as_ref() == Some(result).filter(|result| !result.is_null())
            }
            Outcome::Failed(failure) => {
                run.error.as_ref() == Some(&failure.message) && run.causes == failure.causes
            }
            Outcome::Interrupted(error) => run.error.as_ref() == Some(error),
            Outcome::Cancelled => true,
        };
        self.was_last_held_by(lease) && run.status == outcome.status() && same
    }

    /// Returns true if this holder already released the run, and its answer was lost. A control request may have
    /// cancelled the run in that release or since.
    pub fn has_released(&self, lease: Lease) -> bool {
        let given_up =
            !self.is_held() && (!self.run.status.is_terminal() || self.run.status == RunStatus::Cancelled);
        self.was_last_held_by(lease) && given_up
    }

    /// Returns true if the run only waits for its turn in the queue.
    ///
    /// A clock that was set back must not delay a retry for hours: if the clock shows a time before the release, the
    /// elapsed backoff is unknown, and the run is due.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let set_back = |at: Timestamp| at > Self::latest_release(now);
        self.run.due_at.is_none_or(|due| due <= now) || self.released_at.is_some_and(set_back)
    }

    /// The latest plausible time of a release, for a clock that shows `now`: a later release happened before the
    /// clock was set back.
    pub fn latest_release(now: Timestamp) -> Timestamp {
        now.saturating_add(SET_BACK).unwrap_or(Timestamp::MAX)
    }

    /// Gives the run to a new holder, whether it is queued or its holder has died. Returns true if its holder had
    /// died.
    pub fn claim(&mut self, wanted: &ClaimRequest, resumable: bool, now: Timestamp) -> bool {
        let abandoned = self.is_held();
        let run = &mut self.run;
        // Decided before its body runs, because afterwards it is too late.
        let resumable = if abandoned { resumable && run.bookkeeping.may_resume() } else { resumable };
        let goes_on = resumable && run.status == RunStatus::Running && !run.pausing;
        if abandoned && goes_on {
            run.bookkeeping.crashes += 1;
        }
        if !abandoned || goes_on {
            run.status = RunStatus::Running;
            run.attempt += 1;
            run.due_at = None;
            self.released_at = None;
            run.started_at.get_or_insert(now.max(run.created_at));
            run.bookkeeping.claimed = Some((now, run.elapsed_ms));
        }
        if !abandoned {
            run.bookkeeping.resumable = Some(resumable);
        }
        // The run repeats what it did after the save of its cursor, and counts it again.
        if resumable && run.status != RunStatus::Cancelling {
            run.go_back_to_cursor();
        }
        run.stalled = false;
        self.epoch += 1;
        self.claim = Some(wanted.claim);
        run.node.clone_from(&wanted.node_name);
        run.bookkeeping.home = wanted.home;
        abandoned
    }

    /// Returns the answer to a heartbeat of this lease.
    pub fn heartbeat(&self, lease: Lease) -> Heartbeat {
        match self.control {
            _ if !self.is_held_by(lease) => Heartbeat::Lost,
            Some(control) => Heartbeat::Requested(control),
            None => Heartbeat::Held,
        }
    }

    /// Applies a batch, except for its log lines. Returns false if nothing changed.
    pub fn add(&mut self, batch: Batch) -> bool {
        let Batch { progress, files, failed_items, cursor, stalled, elapsed_ms, .. } = batch;
        let run = &mut self.run;
        let changed = [progress.is_some(), files.is_some(), failed_items.is_some(), cursor.is_some()];
        let changed = changed.contains(&true) || stalled.is_some();
        run.elapsed_ms = elapsed_ms;
        run.progress = progress.unwrap_or_else(|| std::mem::take(&mut run.progress));
        run.files = files.unwrap_or_else(|| std::mem::take(&mut run.files));
        run.bookkeeping.pinned |= run.bookkeeping.home.is_some() && !run.files.is_empty();
        run.failed_items = failed_items.unwrap_or_else(|| std::mem::take(&mut run.failed_items));
        run.stalled = stalled.unwrap_or(run.stalled);
        if let Some(cursor) = cursor {
            if run.bookkeeping.cursor.as_ref().is_none_or(|before| before.value != cursor.value) {
                run.bookkeeping.crashes = 0;
            }
            run.bookkeeping.cursor = Some(cursor);
        }
        changed
    }

    /// Ends the run. No later change is allowed.
    pub fn finish(&mut self, outcome: Outcome, now: Timestamp) {
        self.clear_lease_state();
        let run = &mut self.run;
        run.status = outcome.status();
        // Even if the clock was set back, a run does not end before it began.
        run.finished_at = Some(now.max(run.created_at).max(run.started_at.unwrap_or(run.created_at)));
        run.due_at = None;
        match outcome {
            Outcome::Succeeded(result) => {
                // JSON null reads back as no result, so it is stored as none.
                run.result = Some(result).filter(|result| !result.is_null());
                // All of it is done, unless the run left out steps that it had counted.
                if !run.progress.is_short() {
                    run.progress.percent = Some(100.0);
                }
                // A run that succeeded does not resume.
                run.bookkeeping.cursor = None;
            }
            Outcome::Failed(failure) => (run.error, run.causes) = (Some(failure.message), failure.causes),
            Outcome::Interrupted(error) => run.error = Some(error),
            Outcome::Cancelled => {}
        }
    }

    /// Releases the run from its holder, so that it can resume later.
    pub fn release(&mut self, to: Release, now: Timestamp) {
        let asked = self.control;
        if asked == Some(Control::Cancel) {
            return self.finish(Outcome::Cancelled, now);
        }
        self.clear_lease_state();
        let run = &mut self.run;
        run.bookkeeping.crashes = 0;
        if let Release::Retry(wait) = to {
            run.bookkeeping.failures += 1;
            run.due_at = Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX));
            self.released_at = Some(now);
        }
        let pause = asked == Some(Control::Pause) || to == Release::Paused;
        run.status = if pause { RunStatus::Paused } else { RunStatus::Queued };
    }

    /// Applies a control request, or records it for the holder. Returns false if the run already has the requested
    /// state.
    ///
    /// # Errors
    ///
    /// If the request is not possible for the run in its current state.
    pub fn request(&mut self, control: Control, now: Timestamp) -> Result<bool, ControlRefused> {
        use RunStatus::{Cancelling, Paused, Queued, Running};
        match (control, self.run.status) {
            (Control::Cancel | Control::ForceCancel, Queued | Paused) => self.finish(Outcome::Cancelled, now),
            (Control::Cancel, Running) => {
                self.run.status = Cancelling;
                self.run.pausing = false;
                self.control = Some(Control::Cancel);
            }
            (Control::ForceCancel, Running | Cancelling) => {
                self.count_time_until(now);
                self.finish(Outcome::Cancelled, now);
                // Fences the holder. No claim belongs to the new epoch.
                self.epoch += 1;
                self.claim = None;
            }
            // A repeated or late request: the run already has the requested state.
            (Control::Cancel | Control::ForceCancel, _) => return Ok(false),
            (_, status) if status.is_terminal() => return Err(ControlRefused::Ended),
            (_, Cancelling) => return Err(ControlRefused::Cancelling),
            (Control::Pause, Queued) => self.run.status = Paused,
            (Control::Pause, Running) if self.run.bookkeeping.resumable != Some(true) => {
                return Err(ControlRefused::NoCursor);
            }
            (Control::Pause, Running) if !self.run.pausing => {
                self.run.pausing = true;
                self.control = Some(Control::Pause);
            }
            (Control::Resume, Paused) => {
                self.run.status = Queued;
                self.run.due_at = None;
                self.released_at = None;
            }
            (Control::Resume, Running) if self.run.pausing => {
                self.run.pausing = false;
                self.control = None;
            }
            (Control::Resume, Running) => return Err(ControlRefused::NotPaused),
            (Control::Resume, Queued) => return Err(ControlRefused::Queued),
            (Control::Pause | Control::Resume, _) => return Ok(false),
        }
        Ok(true)
    }

    /// Counts the time that a silent holder has not stored yet, because the run ends without it.
    fn count_time_until(&mut self, now: Timestamp) {
        let run = &mut self.run;
        let Some((at, before)) = run.bookkeeping.claimed else { return };
        let since = u64::try_from(now.duration_since(at).as_millis()).unwrap_or(0);
        // More than that is stored, or the clock was set.
        let latest = run.elapsed_ms.saturating_add(MAX_UNSTORED_MS);
        run.elapsed_ms = before.saturating_add(since).clamp(run.elapsed_ms, latest);
    }

    fn clear_lease_state(&mut self) {
        self.run.bookkeeping.claimed = None;
        self.control = None;
        self.released_at = None;
        self.run.pausing = false;
        self.run.stalled = false;
        // Nothing is left while it does not execute, and it may continue at another rate.
        self.run.progress.estimate = None;
    }
}
