//! The life of a run: which changes are allowed, as every engine makes them.

use std::time::Duration;

use jiff::Timestamp;

use super::{Batch, ClaimId, Control, ControlRefused, Heartbeat, Lease, Release, StoreError};
use crate::run::{Outcome, Run, RunStatus};

/// A run, with what only its store knows of it.
///
/// An engine loads a record, has one of these methods change it, and stores it: the rules are the same
/// everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The run.
    pub run: Run,
    /// How often it has been claimed, and taken from a holder.
    pub epoch: u64,
    /// Who claimed it last. Whoever gave it up since is still named here.
    pub claim: Option<ClaimId>,
    /// What was asked of it, and its holder has not done yet.
    pub control: Option<Control>,
    /// The key of its start: the same key, for the same process, gives this run.
    pub idempotency_key: Option<String>,
    /// When its holder gave it up to be tried again.
    pub released_at: Option<Timestamp>,
}

/// A clock that is so much behind has been set back. Less is told from the clocks of two machines.
const SET_BACK: Duration = Duration::from_secs(60);

impl Record {
    /// A run that was just accepted.
    pub fn new(run: Run, idempotency_key: Option<String>) -> Self {
        Self { run, epoch: 0, claim: None, control: None, idempotency_key, released_at: None }
    }

    /// True when it is executed, as far as the record tells: its holder may have died.
    pub fn is_held(&self) -> bool {
        matches!(self.run.status, RunStatus::Running | RunStatus::Cancelling)
    }

    /// True when the lease is the one that was given last, and the run goes on.
    pub fn is_held_by(&self, lease: Lease) -> bool {
        self.is_held() && self.was_last_held_by(lease)
    }

    /// True when whoever takes it over is the second in a row to do so without progress: it may be what ends programs.
    pub fn is_suspect(&self) -> bool {
        self.is_held() && self.run.books.crashes > 0
    }

    fn was_last_held_by(&self, lease: Lease) -> bool {
        (self.run.id, self.epoch, self.claim) == (lease.run, lease.epoch, Some(lease.claim))
    }

    /// An error unless the lease is the one that was given last, and the run goes on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fenced`].
    pub fn check(&self, lease: Lease) -> Result<(), StoreError> {
        if self.is_held_by(lease) { Ok(()) } else { Err(StoreError::Fenced) }
    }

    /// True when this very end was stored already, by the holder that asks for it: its answer was lost.
    pub fn has_finished(&self, lease: Lease, outcome: &Outcome) -> bool {
        let run = &self.run;
        let same = match outcome {
            Outcome::Succeeded(result) => {
                run.result.as_ref() == Some(result).filter(|result| !result.is_null())
            }
            Outcome::Failed(error) | Outcome::Interrupted(error) => run.error.as_ref() == Some(error),
            Outcome::Cancelled => true,
        };
        self.was_last_held_by(lease) && run.status == outcome.status() && same
    }

    /// True when it was given up already, by the holder that does so again: its answer was lost. What was asked of the
    /// run may have cancelled it then or since.
    pub fn has_released(&self, lease: Lease) -> bool {
        let given_up =
            !self.is_held() && (!self.run.status.is_terminal() || self.run.status == RunStatus::Cancelled);
        self.was_last_held_by(lease) && given_up
    }

    /// True when nothing keeps it waiting but its place in the queue.
    ///
    /// A clock that was set back may not keep it waiting for hours: once the clock shows less than when the
    /// run was given up, nobody can tell for how long it has waited, and it goes on.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let set_back = |at: Timestamp| at > Self::latest_release(now);
        self.run.due_at.is_none_or(|due| due <= now) || self.released_at.is_some_and(set_back)
    }

    /// A run that was given up later than this, by the clock that shows `now`, was given up before the clock
    /// was set back.
    pub fn latest_release(now: Timestamp) -> Timestamp {
        now.saturating_add(SET_BACK).unwrap_or(Timestamp::MAX)
    }

    /// Gives it to a new holder: a queued one, or one whose holder has died. True for the latter.
    pub fn claim(&mut self, claim: ClaimId, resumable: bool, now: Timestamp) -> bool {
        let abandoned = self.is_held();
        let run = &mut self.run;
        // Counted before its body runs: nobody may find out afterwards that it did.
        let resumable = if abandoned { resumable && run.books.could_go_on() } else { resumable };
        let goes_on = resumable && run.status == RunStatus::Running && !run.pausing;
        if abandoned && goes_on {
            run.books.crashes += 1;
        }
        if !abandoned || goes_on {
            run.status = RunStatus::Running;
            run.attempt += 1;
            run.due_at = None;
            self.released_at = None;
            run.started_at.get_or_insert(now.max(run.created_at));
        }
        if !abandoned {
            run.books.resumable = Some(resumable);
        }
        // What it said after its cursor was saved is done again, and counted again.
        if resumable && run.status != RunStatus::Cancelling {
            run.go_back_to_cursor();
        }
        run.stalled = false;
        self.epoch += 1;
        self.claim = Some(claim);
        abandoned
    }

    /// What its holder is told.
    pub fn heartbeat(&self, lease: Lease) -> Heartbeat {
        match self.control {
            _ if !self.is_held_by(lease) => Heartbeat::Lost,
            Some(control) => Heartbeat::Requested(control),
            None => Heartbeat::Held,
        }
    }

    /// Writes down what is new, but for the log. False when nothing was.
    pub fn add(&mut self, batch: Batch) -> bool {
        let Batch { progress, files, failed_items, cursor, stalled, elapsed_ms, .. } = batch;
        let run = &mut self.run;
        let changed = [progress.is_some(), files.is_some(), failed_items.is_some(), cursor.is_some()];
        let changed = changed.contains(&true) || stalled.is_some();
        run.elapsed_ms = elapsed_ms;
        run.progress = progress.unwrap_or_else(|| std::mem::take(&mut run.progress));
        run.files = files.unwrap_or_else(|| std::mem::take(&mut run.files));
        run.failed_items = failed_items.unwrap_or_else(|| std::mem::take(&mut run.failed_items));
        run.stalled = stalled.unwrap_or(run.stalled);
        if let Some(cursor) = cursor {
            if run.books.cursor.as_ref().is_none_or(|before| before.value != cursor.value) {
                run.books.crashes = 0;
            }
            run.books.cursor = Some(cursor);
        }
        changed
    }

    /// Ends it. Nothing changes it after that.
    pub fn finish(&mut self, outcome: Outcome, now: Timestamp) {
        self.let_go();
        let run = &mut self.run;
        run.status = outcome.status();
        // A clock that was set back lets no run end before it began.
        run.finished_at = Some(now.max(run.created_at).max(run.started_at.unwrap_or(run.created_at)));
        run.due_at = None;
        match outcome {
            Outcome::Succeeded(result) => {
                // Read back as JSON, null is nothing: so it is from the beginning.
                run.result = Some(result).filter(|result| !result.is_null());
                // Nothing is left to go on with.
                run.books.cursor = None;
            }
            Outcome::Failed(error) | Outcome::Interrupted(error) => run.error = Some(error),
            Outcome::Cancelled => {}
        }
    }

    /// Takes it back from its holder, to go on later.
    pub fn release(&mut self, to: Release, now: Timestamp) {
        let asked = self.control;
        if asked == Some(Control::Cancel) {
            return self.finish(Outcome::Cancelled, now);
        }
        self.let_go();
        let run = &mut self.run;
        run.books.crashes = 0;
        if let Release::Retry(wait) = to {
            run.books.failures += 1;
            run.due_at = Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX));
            self.released_at = Some(now);
        }
        let pause = asked == Some(Control::Pause) || to == Release::Paused;
        run.status = if pause { RunStatus::Paused } else { RunStatus::Queued };
    }

    /// Does what was asked of it, or writes it down for its holder. False when it is so already.
    ///
    /// # Errors
    ///
    /// When it makes no sense for the run as it is.
    pub fn request(&mut self, control: Control, now: Timestamp) -> Result<bool, ControlRefused> {
        use RunStatus::{Cancelling, Paused, Queued, Running};
        match (control, self.run.status) {
            (Control::Cancel | Control::Kill, Queued | Paused) => self.finish(Outcome::Cancelled, now),
            (Control::Cancel, Running) => {
                self.run.status = Cancelling;
                self.run.pausing = false;
                self.control = Some(Control::Cancel);
            }
            (Control::Kill, Running | Cancelling) => {
                self.finish(Outcome::Cancelled, now);
                // Whoever holds it is fenced.
                self.epoch += 1;
            }
            // Asked twice, or a moment too late: what was wanted is so.
            (Control::Cancel | Control::Kill, _) => return Ok(false),
            (_, status) if status.is_terminal() => return Err(ControlRefused::Ended),
            (_, Cancelling) => return Err(ControlRefused::Cancelling),
            (Control::Pause, Queued) => self.run.status = Paused,
            (Control::Pause, Running) if self.run.books.resumable != Some(true) => {
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
            (Control::Pause, _) | (Control::Resume, _) => return Ok(false),
        }
        Ok(true)
    }

    fn let_go(&mut self) {
        self.control = None;
        self.released_at = None;
        self.run.pausing = false;
        self.run.stalled = false;
    }
}
