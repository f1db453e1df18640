//! Control of runs: cancel, pause, resume and retry, and the reasons for which each is refused.

use std::fmt;

use super::start::GoesOn;
use super::{Key, Processes, RunHandle, StartError, StartRequest};
use crate::field::FieldErrors;
use crate::process::Process;
use crate::run::{Run, RunId, RunStatus};
use crate::store::{Control, ControlRefused, StoreError};
use crate::texts::Message;
use crate::uploads::Source;

impl Processes {
    /// Sends a control request to a run. Returns the updated run, or `None` if there is no such run.
    pub(crate) async fn control(&self, id: RunId, control: Control) -> Result<Option<Run>, ControlError> {
        if control == Control::Resume
            && let Some(refusal) = self.refuses_resume(id).await?
        {
            return Err(ControlError::Refused(refusal));
        }
        let is_forced = control == Control::ForceCancel;
        if is_forced {
            self.feeds().stop_clock(id, true);
        }
        let run = self.store().control(id, control).await;
        if is_forced && run.is_err() {
            self.feeds().stop_clock(id, false);
        }
        let run = run.map_err(|error| match error {
            StoreError::Refused(refused) => ControlError::Refused(Refusal::of(refused)),
            error => ControlError::Store(error),
        })?;
        if run.as_ref().is_some_and(|run| run.status.is_terminal()) {
            self.0.runner.secrets().forget(id);
        }
        Ok(run)
    }

    /// Why this program cannot resume a paused run. The store checks all other control requests.
    async fn refuses_resume(&self, id: RunId) -> Result<Option<Refusal>, ControlError> {
        let run = self.store().run(id).await.map_err(ControlError::Store)?;
        let paused = run.filter(|run| run.status == RunStatus::Paused);
        Ok(paused.and_then(|run| refuses_resume(self.registry().get(&run.process)?, &run)))
    }

    /// Starts a retry of an ended run, with its input and files, from its cursor or, with `anew`, from the start. A
    /// repeated call returns the same new run. Without an actor, the actor of the ended run is kept.
    pub(crate) async fn retry(
        &self,
        id: RunId,
        anew: bool,
        actor: Option<&str>,
    ) -> Result<Option<Run>, ControlError> {
        let Some(old) = self.store().run(id).await.map_err(ControlError::Store)? else { return Ok(None) };
        let refused = |key| Err(ControlError::Refused(Refusal::new(key)));
        if !old.status.is_terminal() {
            return refused("refused.not_ended");
        }
        if old.status == RunStatus::Succeeded {
            return refused("refused.succeeded");
        }
        let Some(process) = self.registry().get(&old.process) else {
            return refused("refused.no_process");
        };
        if let Some(refusal) = refuses_cursor(process, &old).filter(|_| !anew) {
            return Err(ControlError::Refused(refusal));
        }
        let cursor = old.bookkeeping.cursor.filter(|_| !anew);
        let mut values = old.input;
        self.uploads().locate(&process.fields(), id, &mut values);
        // Without a cursor, both kinds of retry are the same, so they share a key.
        let key = Key::Retry { of: id, from_start: cursor.is_none() };
        let given = StartRequest {
            values,
            key: Some(key),
            confirmed: true,
            priority: Some(old.priority),
            actor: actor.map(str::to_owned).or(old.actor),
            goes_on: Some(GoesOn { run: id, cursor, failed_items: old.failed_items }),
            ..StartRequest::default()
        };
        let started = self.start(process, given, Source::Program).await.map_err(ControlError::Start)?;
        Ok(Some(started.run))
    }
}

/// Why the current version of the process cannot resume a paused run. Its secrets are only in memory and are not
/// checked.
pub(crate) fn refuses_resume(process: &Process, run: &Run) -> Option<Refusal> {
    let mismatches = process.mismatches(&run.input, |field| !field.shape.has_secret());
    Refusal::of_input(&mismatches).or_else(|| refuses_cursor(process, run))
}

/// Why the current version of the process cannot retry an ended run, from its cursor or `anew`. Its secrets are
/// gone.
pub(crate) fn refuses_retry(process: &Process, run: &Run, anew: bool) -> Option<Refusal> {
    let mismatches = process.mismatches(&run.input, |_| true);
    Refusal::of_input(&mismatches).or_else(|| refuses_cursor(process, run).filter(|_| !anew))
}

fn refuses_cursor(process: &Process, run: &Run) -> Option<Refusal> {
    let why = process.cursor_mismatch(run.bookkeeping.cursor.as_ref()?)?;
    Some(Refusal(Message::new("refused.changed").with("why", why)))
}

impl RunHandle {
    /// Requests that the run stop. Returns the updated run. A run that has already ended does
    /// not change.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such run, or if the store cannot be written.
    pub async fn cancel(&self) -> Result<Run, ControlError> {
        self.request(Control::Cancel).await
    }

    /// Ends the run immediately as cancelled, even if its body does not stop. Use it for a run that hangs. The
    /// runtime also tells the body to stop but does not wait for it, so the next run of the process may begin while
    /// the old body is still active.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such run, or if the store cannot be written.
    pub async fn force_cancel(&self) -> Result<Run, ControlError> {
        self.request(Control::ForceCancel).await
    }

    /// Pauses the run: a running run stops at its next save of the cursor, and a queued run does not begin. A
    /// paused run keeps its place in the history but does not occupy a slot among the running runs until you
    /// [resume](Self::resume) it.
    ///
    /// # Errors
    ///
    /// Returns an error if the run has ended or is being cancelled, if it is running and its process has no cursor,
    /// or if the store cannot be written.
    pub async fn pause(&self) -> Result<Run, ControlError> {
        self.request(Control::Pause).await
    }

    /// Resumes a paused run from its cursor as soon as a slot is free.
    ///
    /// # Errors
    ///
    /// Returns an error if the run is not paused, if its process has changed so that the input or the cursor does
    /// not fit, or if the store cannot be written.
    pub async fn resume(&self) -> Result<Run, ControlError> {
        self.request(Control::Resume).await
    }

    /// Starts a new run that retries this one, which must have failed, been cancelled or been interrupted. The new
    /// run has the same input and files and continues from the last saved cursor. A repeated call returns the same
    /// new run.
    ///
    /// # Errors
    ///
    /// Returns an error if the run has not ended or has succeeded, if its process has changed so that the input or
    /// the cursor does not fit, if the input contained a secret, or if the store cannot be written.
    pub async fn retry(&self) -> Result<RunHandle, ControlError> {
        let run = self.processes.retry(self.id, false, None).await?;
        run.map(|run| self.processes.handle(run.id)).ok_or(ControlError::NotFound(self.id))
    }

    /// Like [`retry`](Self::retry), but from the start.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`retry`](Self::retry), except for the one about the cursor.
    pub async fn retry_from_start(&self) -> Result<RunHandle, ControlError> {
        let run = self.processes.retry(self.id, true, None).await?;
        run.map(|run| self.processes.handle(run.id)).ok_or(ControlError::NotFound(self.id))
    }

    async fn request(&self, control: Control) -> Result<Run, ControlError> {
        self.processes.control(self.id, control).await?.ok_or(ControlError::NotFound(self.id))
    }
}

/// The reason why a control request does not apply to a run in its current state. `Display` writes it in English;
/// pages translate it.
#[derive(Debug, Clone)]
pub struct Refusal(Message);

impl Refusal {
    fn new(key: &'static str) -> Self {
        Self(Message::new(key))
    }

    fn of(refused: ControlRefused) -> Self {
        Self::new(match refused {
            ControlRefused::Ended => "refused.ended",
            ControlRefused::Cancelling => "refused.cancelling",
            ControlRefused::NoCursor => "refused.no_cursor",
            ControlRefused::NotPaused => "refused.not_paused",
            ControlRefused::Queued => "refused.waits",
        })
    }

    /// The refusal for the first of these errors.
    fn of_input(errors: &FieldErrors) -> Option<Self> {
        let error = errors.iter().next()?;
        let message = Message::new("refused.input").with("field", error.field.clone());
        Some(Self(message.with("why", error.reason())))
    }

    pub(crate) fn message(&self) -> Message {
        self.0.clone()
    }
}

impl PartialEq for Refusal {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl Eq for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The reason why a control request did not change the run.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The request does not apply to the run in its current state.
    #[error("{0}")]
    Refused(Refusal),
    /// There is no run with this id: it never started, or it was removed.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The retry could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
