//! A handle to one run for the program that started it: reading the run and waiting for its end.

use super::Processes;
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

    /// Returns the current state of the run, or `None` if there is no such run.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    pub async fn run(&self) -> Result<Option<Run>, StoreError> {
        let feed = self.processes.feeds().open(self.id).await?;
        Ok(feed.map(|feed| feed.run()))
    }

    /// Waits until the run has ended, and returns it. Returns `None` if there is no such run, or if the runtime
    /// shuts down first.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read.
    pub async fn wait(&self) -> Result<Option<Run>, StoreError> {
        let Some(feed) = self.processes.feeds().open(self.id).await? else { return Ok(None) };
        let mut news = feed.subscribe();
        while !feed.is_over() {
            news.next().await;
        }
        Ok(Some(feed.run()).filter(|run| run.status.is_terminal()))
    }
}

impl Processes {
    /// Returns a handle to the run with this id, whenever it was started.
    pub fn handle(&self, id: RunId) -> RunHandle {
        RunHandle { processes: self.clone(), id }
    }
}
