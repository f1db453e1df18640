//! Owns the application's handle to all processes: which there are, their runs, and stopping them.
//! Refuses to know HTTP.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::feeds::Feeds;
use crate::registry::Registry;
use crate::run::{Run, RunId};
use crate::runner::Runner;
use crate::store::{Control, Store, StoreError};
use crate::uploads::Uploads;

mod builder;
mod events;
mod from_code;
mod handle;
mod start;

pub use builder::{Builder, StartupError};
pub use events::{RunEvent, RunEvents};
pub use from_code::{Start, start};
pub use handle::RunHandle;
pub use start::StartError;
pub(crate) use start::{Given, check};

/// The handle to all processes and their runs. Cheap to clone; runs are executed until the last clone goes.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    runner: Runner,
    files: PathBuf,
    uploads: Arc<Uploads>,
    max_upload: u64,
    /// How many runs may wait at the same time.
    max_waiting: usize,
    hosts: Vec<String>,
    mounted_at: Option<String>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("registry", &self.registry).field("runner", &self.runner).finish()
    }
}

impl Processes {
    /// Every process that is mounted.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// The store behind it.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Claims no more runs and ends every stream; what is running goes on until the program ends.
    pub fn shut_down(&self) {
        self.0.runner.shut_down();
    }

    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        self.0.runner.feeds()
    }

    pub(crate) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    pub(crate) fn mounted_at(&self) -> Option<&str> {
        self.0.mounted_at.as_deref()
    }

    /// Where a run keeps its files.
    pub(crate) fn folder_of(&self, id: RunId) -> PathBuf {
        self.0.files.join(id.to_string())
    }

    /// Where the files that are given to runs are kept.
    pub(crate) fn uploads(&self) -> &Arc<Uploads> {
        &self.0.uploads
    }

    /// What the files of one start may have together, in bytes.
    pub(crate) fn max_upload(&self) -> u64 {
        self.0.max_upload
    }

    /// Asks a run to stop. Gives it as it is then; `None` if there is no such run.
    pub(crate) async fn cancel(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        let run = self.0.store.control(id, Control::Cancel).await?;
        if run.as_ref().is_some_and(|run| run.status.is_terminal()) {
            self.0.runner.secrets().forget(id);
        }
        Ok(run)
    }
}
