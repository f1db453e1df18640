//! The application's handle to all processes and their runs, and to shut them down.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::access::{Authorize, Signer};
use crate::assets::Assets;
use crate::branding::Brand;
use crate::feeds::Feeds;
use crate::home::Home;
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
mod question;
mod readiness;
mod schedule_notes;
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
pub use handle::{RunError, RunHandle};
pub(crate) use key::{Key, MAX_KEY};
pub(crate) use schedule_notes::{ScheduleNote, ScheduleNotes};
pub use start::StartError;
pub(crate) use start::{StartRequest, check};

/// A handle to all processes and their runs. It is cheap to clone. The runtime executes runs until you drop the
/// last clone.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    runner: Runner,
    files: PathBuf,
    uploads: Arc<Uploads>,
    limits: Limits,
    /// The rate limit of starts.
    rate: Rate,
    viewers: Arc<Viewers>,
    downloads: Arc<Semaphore>,
    searches: Semaphore,
    grace: Duration,
    hosts: Vec<String>,
    admitted: builder::Admitted,
    origins: Origins,
    /// Signs share links.
    signer: Option<Signer>,
    grants: Arc<AccessGrants>,
    mounted_at: Option<String>,
    assets: Assets,
    languages: Languages,
    brand: Brand,
    layout: Option<Layout>,
    probed: readiness::Probed,
    schedule_notes: ScheduleNotes,
    #[cfg(feature = "prometheus")]
    exporter: Option<crate::meters::exporter::Exporter>,
    #[cfg(feature = "prometheus")]
    metrics_route: bool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("registry", &self.registry).field("runner", &self.runner).finish()
    }
}

impl Processes {
    /// Returns the registry of all mounted processes.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Returns the store that keeps the runs.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// Starts a shutdown: this node claims no more runs, ends every stream and notifies active runs. A run with a
    /// cursor stops at its next save and resumes when a program starts again. Any process can check
    /// [`shutting_down()`](crate::shutting_down).
    pub fn shut_down(&self) {
        self.0.runner.shut_down();
    }

    /// Shuts down, and waits until no run is active on this node. The runtime stops the runs that are still active
    /// after `grace`: runs with a cursor resume when a program starts again, other runs end as interrupted.
    ///
    /// [`serve`](crate::serve) calls this for you. If your application has its own server, call it when the
    /// application is to stop.
    pub async fn drain(&self, grace: Duration) {
        self.0.runner.drain(grace).await;
    }

    /// Returns the number of runs that this node is executing.
    pub fn running(&self) -> usize {
        self.0.runner.running()
    }

    /// Returns all metrics in the Prometheus text format, with gauges refreshed. Returns `None` if you called
    /// neither [`Builder::record_metrics`] nor [`Builder::metrics_route`].
    #[cfg(feature = "prometheus")]
    pub async fn metrics(&self) -> Option<String> {
        let exporter = self.0.exporter.as_ref()?;
        self.0.runner.refresh_gauges().await;
        Some(exporter.render())
    }

    /// Whether the builder enables the metrics route.
    #[cfg(feature = "prometheus")]
    pub(crate) fn has_metrics_route(&self) -> bool {
        self.0.metrics_route
    }

    /// The time that the builder sets for draining.
    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.0.grace
    }

    /// The limits on requests and reports.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The scheduled starts that started nothing.
    pub(crate) fn schedule_notes(&self) -> &ScheduleNotes {
        &self.0.schedule_notes
    }

    pub(crate) fn rate(&self) -> &Rate {
        &self.0.rate
    }

    /// The viewers that have a stream open.
    pub(crate) fn viewers(&self) -> &Arc<Viewers> {
        &self.0.viewers
    }

    /// The permits for concurrent downloads.
    pub(crate) fn downloads(&self) -> &Arc<Semaphore> {
        &self.0.downloads
    }

    /// The permits for concurrent log searches.
    pub(crate) fn searches(&self) -> &Semaphore {
        &self.0.searches
    }

    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        self.0.runner.feeds()
    }

    pub(crate) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    /// The application's `authorize` hook, if it has one.
    pub(crate) fn authorize(&self) -> Option<&Authorize> {
        self.0.admitted.authorize.as_ref()
    }

    /// True when the application has an `authorize` hook or allows anonymous access.
    pub(crate) fn has_access_policy(&self) -> bool {
        self.0.admitted.anonymous || self.authorize().is_some()
    }

    /// The trusted origins, and whether forwarded headers are trusted.
    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }

    /// The open streams whose visitors the application authorizes.
    pub(crate) fn grants(&self) -> &Arc<AccessGrants> {
        &self.0.grants
    }

    pub(crate) fn mounted_at(&self) -> Option<&str> {
        self.0.mounted_at.as_deref()
    }

    pub(crate) fn languages(&self) -> &Languages {
        &self.0.languages
    }

    /// The files that pages load.
    pub(crate) fn assets(&self) -> &Assets {
        &self.0.assets
    }

    pub(crate) fn brand(&self) -> &Brand {
        &self.0.brand
    }

    /// The application's own layout of pages, if it has one.
    pub(crate) fn layout(&self) -> Option<&Layout> {
        self.0.layout.as_ref()
    }

    /// The folder in which a run keeps its artifacts.
    pub(crate) fn folder_of(&self, id: RunId) -> PathBuf {
        self.0.files.join(id.to_string())
    }

    /// This node's data folder, if several nodes share the store.
    pub(crate) fn home(&self) -> Option<&Home> {
        self.0.runner.home()
    }

    /// The store of uploaded files.
    pub(crate) fn uploads(&self) -> &Arc<Uploads> {
        &self.0.uploads
    }
}
