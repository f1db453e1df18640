//! What may be asked of a run, and why it is refused: cancel, pause, resume, retry.

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
    /// Asks something of a run. Gives it as it is then; `None` if there is no such run.
    pub(crate) async fn control(&self, id: RunId, control: Control) -> Result<Option<Run>, ControlError> {
        if control == Control::Resume
            && let Some(refusal) = self.refuses_resume(id).await?
        {
            return Err(ControlError::Refused(refusal));
        }
        let run = self.store().control(id, control).await.map_err(|error| match error {
            StoreError::Refused(refused) => ControlError::Refused(Refusal::of(refused)),
            error => ControlError::Store(error),
        })?;
        if run.as_ref().is_some_and(|run| run.status.is_terminal()) {
            self.0.runner.secrets().forget(id);
        }
        Ok(run)
    }

    /// Why a paused run cannot go on in this program; what else may be asked of a run is for the store to say.
    async fn refuses_resume(&self, id: RunId) -> Result<Option<Refusal>, ControlError> {
        let run = self.store().run(id).await.map_err(ControlError::Store)?;
        let paused = run.filter(|run| run.status == RunStatus::Paused);
        Ok(paused.and_then(|run| refuses_resume(self.registry().get(&run.process)?, &run)))
    }

    /// Starts a run that takes the place of an ended one: with its input and files, and from its cursor,
    /// unless it is to begin `anew`. Asking again gives the same new run. Nobody's name leaves the name it had.
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
        let cursor = old.books.cursor.filter(|_| !anew);
        let mut values = old.input;
        self.uploads().locate(&process.fields(), id, &mut values);
        // Without a cursor, both ways of asking ask for the same.
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

/// Why a paused run cannot go on, with its process as it is now. Its secrets are where nobody can look.
pub(crate) fn refuses_resume(process: &Process, run: &Run) -> Option<Refusal> {
    let misfits = process.misfits(&run.input, |field| !field.shape.has_secret());
    Refusal::of_input(&misfits).or_else(|| refuses_cursor(process, run))
}

/// Why an ended run cannot be retried, with its process as it is now; from its cursor, or `anew`. Its secrets are gone.
pub(crate) fn refuses_retry(process: &Process, run: &Run, anew: bool) -> Option<Refusal> {
    let misfits = process.misfits(&run.input, |_| true);
    Refusal::of_input(&misfits).or_else(|| refuses_cursor(process, run).filter(|_| !anew))
}

fn refuses_cursor(process: &Process, run: &Run) -> Option<Refusal> {
    let why = process.misfit_of_cursor(run.books.cursor.as_ref()?)?;
    Some(Refusal(Message::new("refused.changed").with("why", why)))
}

impl RunHandle {
    /// Asks the run to stop. Gives it as it is then; `None` if there is no such run. One that has ended
    /// stays as it is.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn cancel(&self) -> Result<Option<Run>, ControlError> {
        self.processes.control(self.id, Control::Cancel).await
    }

    /// Ends the run at once, as cancelled, even if its body does not stop: for a run that hangs. Its body is
    /// told to stop too, but nobody waits for it, and the next run of the process may begin before it does.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn force_cancel(&self) -> Result<Option<Run>, ControlError> {
        self.processes.control(self.id, Control::Kill).await
    }

    /// Asks the run to stop at its next save of the cursor, or not to begin. It keeps its place in the
    /// history and gives up its place among the running, until it is [resumed](Self::resume).
    ///
    /// # Errors
    ///
    /// When the run has ended or is being cancelled, when it is running and its process has no cursor, and
    /// when the store cannot be written.
    pub async fn pause(&self) -> Result<Option<Run>, ControlError> {
        self.processes.control(self.id, Control::Pause).await
    }

    /// Lets a paused run go on from its cursor, as soon as there is a place for it.
    ///
    /// # Errors
    ///
    /// When the run is not paused, when its process has changed so that the input or the cursor do not fit, and when
    /// the store cannot be written.
    pub async fn resume(&self) -> Result<Option<Run>, ControlError> {
        self.processes.control(self.id, Control::Resume).await
    }

    /// Starts a run that takes the place of this one, which has failed, or was cancelled or interrupted: with
    /// the same input and files, from the cursor that was saved last. Asking again gives the same new run.
    ///
    /// # Errors
    ///
    /// When the run has not ended or has succeeded, when its process has changed so that the input or the
    /// cursor do not fit, when there was a secret in the input, and when the store cannot be written.
    pub async fn retry(&self) -> Result<Option<RunHandle>, ControlError> {
        let run = self.processes.retry(self.id, false, None).await?;
        Ok(run.map(|run| self.processes.handle(run.id)))
    }

    /// Like [`retry`](Self::retry), but from the start.
    ///
    /// # Errors
    ///
    /// The same, but for the cursor.
    pub async fn retry_from_start(&self) -> Result<Option<RunHandle>, ControlError> {
        let run = self.processes.retry(self.id, true, None).await?;
        Ok(run.map(|run| self.processes.handle(run.id)))
    }
}

/// Why something makes no sense for a run as it is. Its text is in English; pages say it in their language.
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

    /// With the first of these errors.
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

/// Why a run was not changed as it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// It makes no sense for the run as it is, for this reason.
    Refused(Refusal),
    /// The run that was to take its place could not be started.
    Start(StartError),
    /// The store could not read or write.
    Store(StoreError),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => reason.fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ControlError {}
