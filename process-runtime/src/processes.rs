//! The application's handle to all processes: which there are, their runs, and stopping them.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::access::{Authorize, Signer};
use crate::assets::Assets;
use crate::branding::Brand;
use crate::feeds::Feeds;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::rate::Rate;
use crate::registry::Registry;
use crate::run::RunId;
use crate::runner::Runner;
use crate::store::Store;
use crate::texts::Languages;
use crate::uploads::Uploads;
use crate::viewers::Viewers;

mod builder;
mod control;
mod events;
mod from_code;
mod grants;
mod handle;
mod key;
mod readiness;
mod schedules;
mod share;
mod start;

pub(crate) use builder::Origins;
pub use builder::{BuildError, Builder};
pub use control::{ControlError, Refusal};
pub(crate) use control::{refuses_resume, refuses_retry};
pub use events::{RunEvent, RunEvents};
pub use from_code::{Start, start};
pub(crate) use grants::{AccessGrant, AccessGrants, GrantStatus};
pub use handle::RunHandle;
pub(crate) use key::{Key, MAX_KEY};
pub use start::StartError;
pub(crate) use start::{StartRequest, check};

/// The handle to all processes and their runs. Cheap to clone; runs are executed until the last clone goes.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    runner: Runner,
    files: PathBuf,
    uploads: Arc<Uploads>,
    limits: Limits,
    /// How often somebody may start.
    rate: Rate,
    viewers: Arc<Viewers>,
    downloads: Arc<Semaphore>,
    searches: Semaphore,
    grace: Duration,
    hosts: Vec<String>,
    admitted: builder::Admitted,
    origins: Origins,
    /// Of links that show one run.
    signer: Option<Signer>,
    grants: Arc<AccessGrants>,
    mounted_at: Option<String>,
    assets: Assets,
    languages: Languages,
    brand: Brand,
    layout: Option<Layout>,
    probed: readiness::Probed,
    #[cfg(feature = "prometheus")]
    exporter: Option<crate::meters::exporter::Exporter>,
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

    /// Claims no more runs, ends every stream, and lets what is running know: a run with a cursor stops at
    /// its next save, to go on after the next start, and any process can ask `shutting_down()`.
    pub fn shut_down(&self) {
        self.0.runner.shut_down();
    }

    /// Shuts down, and waits until nothing is running any more. What still runs after `grace` is stopped:
    /// runs with a cursor go on after the next start, others end as interrupted.
    ///
    /// [`serve`](crate::serve) does this. An application with a server of its own calls it when it is asked
    /// to stop.
    pub async fn drain(&self, grace: Duration) {
        self.0.runner.drain(grace).await;
    }

    /// How many runs are executed here at this moment.
    pub fn running(&self) -> usize {
        self.0.runner.running()
    }

    /// All figures as Prometheus reads them, brought up to date; `None` when the builder was not told to
    /// [record](Builder::metrics_route) them.
    #[cfg(feature = "prometheus")]
    pub async fn metrics(&self) -> Option<String> {
        let exporter = self.0.exporter.as_ref()?;
        self.0.runner.refresh_gauges().await;
        Some(exporter.render())
    }

    /// What the builder was told about the time to drain.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.0.grace
    }

    /// How much may be asked of the server.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn rate(&self) -> &Rate {
        &self.0.rate
    }

    /// Who has a stream open.
    pub(crate) fn viewers(&self) -> &Arc<Viewers> {
        &self.0.viewers
    }

    /// The places for downloads.
    pub(crate) fn downloads(&self) -> &Arc<Semaphore> {
        &self.0.downloads
    }

    /// The places for those who look for lines of a log.
    pub(crate) fn searches(&self) -> &Semaphore {
        &self.0.searches
    }

    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        self.0.runner.feeds()
    }

    pub(crate) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    /// The application's say in who may, if it has one.
    pub(crate) fn authorize(&self) -> Option<&Authorize> {
        self.0.admitted.authorize.as_ref()
    }

    /// True when somebody has said who may, be it everybody.
    pub(crate) fn has_access_policy(&self) -> bool {
        self.0.admitted.anonymous || self.authorize().is_some()
    }

    /// Where requests may come from, beside our own pages.
    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// The streams that are open to visitors of whom the application is asked.
    pub(crate) fn grants(&self) -> &Arc<AccessGrants> {
        &self.0.grants
    }

    pub(crate) fn mounted_at(&self) -> Option<&str> {
        self.0.mounted_at.as_deref()
    }

    pub(crate) fn languages(&self) -> &Languages {
        &self.0.languages
    }

    /// What pages load.
    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn brand(&self) -> &Brand {
        &self.0.brand
    }

    /// What pages are put into, if the application has a layout of its own.
    pub(crate) fn layout(&self) -> Option<&Layout> {
        self.0.layout.as_ref()
    }

    /// Where a run keeps its files.
    pub(crate) fn folder_of(&self, id: RunId) -> PathBuf {
        self.0.files.join(id.to_string())
    }

    /// Where the files that are given to runs are kept.
    pub(crate) fn uploads(&self) -> &Arc<Uploads> {
        &self.0.uploads
    }
}
