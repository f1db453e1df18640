//! Owns what may be asked of a run, and why it is refused: cancel, pause, resume, retry.
//! Refuses to know who asks, and how a body is stopped.

use std::fmt;

use super::{Given, Processes, RunHandle, StartError};
use crate::run::{Run, RunId, RunStatus};
use crate::store::{Control, StoreError};
use crate::uploads::Source;

impl Processes {
    /// Asks something of a run. Gives it as it is then; `None` if there is no such run.
    pub(crate) async fn control(&self, id: RunId, control: Control) -> Result<Option<Run>, ControlError> {
        let Some(run) = self.store().run(id).await.map_err(ControlError::Store)? else { return Ok(None) };
        if let Some(reason) = self.refuses(&run, control) {
            return Err(ControlError::Refused(reason));
        }
        let run = self.store().control(id, control).await.map_err(ControlError::Store)?;
        if run.as_ref().is_some_and(|run| run.status.is_terminal()) {
            self.0.runner.secrets().forget(id);
        }
        Ok(run)
    }

    /// Why this cannot be asked of the run as it is.
    fn refuses(&self, run: &Run, control: Control) -> Option<&'static str> {
        let resumable = || self.registry().get(&run.process).is_some_and(|process| process.is_resumable());
        match (control, run.status) {
            // Asked twice, or a moment too late: what was wanted is so.
            (Control::Cancel | Control::Force, _) => None,
            (_, status) if status.is_terminal() => Some("the run has ended"),
            (Control::Pause, RunStatus::Running) if !resumable() => Some(
                "its process has no cursor, so it could not go on from where it is: it can only be cancelled",
            ),
            (_, RunStatus::Cancelling) => Some("the run is being cancelled"),
            (Control::Resume, RunStatus::Queued) => Some("the run is not paused: it waits for its turn"),
            (Control::Resume, RunStatus::Running) if !run.pausing => Some("the run is not paused"),
            _ => None,
        }
    }

    /// Starts a run that takes the place of an ended one: with its input and files, and from its cursor,
    /// unless it is to begin `anew`. Asking again gives the same new run.
    pub(crate) async fn retry(&self, id: RunId, anew: bool) -> Result<Option<Run>, ControlError> {
        let Some(old) = self.store().run(id).await.map_err(ControlError::Store)? else { return Ok(None) };
        let refused = |reason| Err(ControlError::Refused(reason));
        if !old.status.is_terminal() {
            return refused("the run has not ended");
        }
        if old.status == RunStatus::Succeeded {
            return refused("the run has succeeded: start a new one");
        }
        let Some(process) = self.registry().get(&old.process) else {
            return refused("its process is not there any more");
        };
        let cursor = old.books.cursor.filter(|_| !anew);
        let signature = old.books.signature.as_ref();
        if cursor.is_some() && signature.is_some_and(|then| *then != process.signature()) {
            return refused("its process has changed since it was started: retry it from the start");
        }
        let mut values = old.input;
        self.uploads().locate(&process.fields(), id, &mut values);
        // No start can have such a key. Without a cursor, both ways of asking ask for the same.
        let key = format!("\u{1}retry {id}{}", if cursor.is_some() { "" } else { " from the start" });
        let given = Given {
            values,
            key: Some(key),
            confirmed: true,
            priority: Some(old.priority),
            actor: old.actor,
            goes_on: Some((id, cursor)),
            ..Given::default()
        };
        let started = self.start(process, given, Source::Program).await.map_err(ControlError::Start)?;
        Ok(Some(started.run))
    }
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
        self.processes.control(self.id, Control::Force).await
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
    /// When the run is not paused, and when the store cannot be written.
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
        let run = self.processes.retry(self.id, false).await?;
        Ok(run.map(|run| self.processes.handle(run.id)))
    }

    /// Like [`retry`](Self::retry), but from the start.
    ///
    /// # Errors
    ///
    /// The same, but for the cursor.
    pub async fn retry_from_start(&self) -> Result<Option<RunHandle>, ControlError> {
        let run = self.processes.retry(self.id, true).await?;
        Ok(run.map(|run| self.processes.handle(run.id)))
    }
}

/// Why a run was not changed as it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum ControlError {
    /// It makes no sense for the run as it is; the text says why.
    Refused(&'static str),
    /// The run that was to take its place could not be started.
    Start(StartError),
    /// The store could not read or write.
    Store(StoreError),
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => f.write_str(reason),
            Self::Start(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ControlError {}
