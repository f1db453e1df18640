//! One run from the side of the program that started it: looking and waiting.

use super::Processes;
use crate::run::{Run, RunId};
use crate::store::StoreError;

/// One run, from the side of the program that started it.
#[derive(Debug, Clone)]
pub struct RunHandle {
    pub(super) processes: Processes,
    pub(super) id: RunId,
}

impl RunHandle {
    /// The run's id.
    pub fn id(&self) -> RunId {
        self.id
    }

    /// The run as it is now; `None` if there is no such run.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn run(&self) -> Result<Option<Run>, StoreError> {
        let feed = self.processes.feeds().open(self.id).await?;
        Ok(feed.map(|feed| feed.run()))
    }

    /// Waits until the run has ended, and gives it; `None` if there is no such run, or the runtime was
    /// shut down first.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
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
    /// A run that was started at any time, by its id.
    pub fn handle(&self, id: RunId) -> RunHandle {
        RunHandle { processes: self.clone(), id }
    }
}
