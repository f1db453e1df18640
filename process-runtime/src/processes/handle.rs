//! A handle to one run for the program that started it: reading the run and waiting for its end.

use std::fmt;
use std::sync::Arc;

use super::Processes;
use crate::feed::Feed;
use crate::run::{Run, RunId};
use crate::store::StoreError;

/// A handle to one run, for the program that started it.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub(super) processes: Processes,
    pub(super) id: RunId,
}

impl RunHandle {
    /// Returns the id of the run.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Returns the current state of the run.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such run, or if the store cannot be read.
    pub async fn run(&self) -> Result<Run, RunError> {
        Ok(self.feed().await?.run())
    }

    /// Waits until the run has ended, and returns it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such run, if the runtime shuts down first, or if the store cannot be read.
    pub async fn wait(&self) -> Result<Run, RunError> {
        let feed = self.feed().await?;
        let mut events = feed.subscribe();
        while !feed.is_over() {
            events.next().await;
        }
        let run = feed.run();
        if run.status.is_terminal() { Ok(run) } else { Err(RunError::ShutDown) }
    }

    pub(super) async fn feed(&self) -> Result<Arc<Feed>, RunError> {
        self.processes.feeds().open(self.id).await?.ok_or(RunError::NotFound(self.id))
    }
}

/// The reason why a run could not be read or followed.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// There is no run with this id: it never started, or it was removed.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The runtime shut down before the run ended.
    #[error("the runtime shut down before the run ended")]
    ShutDown,
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Processes {
    /// Returns a handle to the run with this id, whenever it was started.
    pub fn handle(&self, id: RunId) -> RunHandle {
        RunHandle { processes: self.clone(), id }
    }
}
