//! How an application's runtime is set up: what it is given, what it opens.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::grants::AccessGrants;
use super::readiness::Probed;
use super::{Inner, Processes, schedules};
use crate::assets::Assets;
use crate::branding::Branding;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::parameter::States;
use crate::rate::Rate;
use crate::registry::Registry;
use crate::runner::{Runner, Settings};
use crate::store::{Deadlines, Store};
use crate::texts::LanguageSettings;
use crate::uploads::Uploads;
use crate::viewers::Viewers;

mod access;
mod durations;
mod error;
mod languages;
mod look;
#[cfg(feature = "prometheus")]
mod metrics;
mod origins;
mod share;

use access::Admission;
pub(super) use access::Admitted;
pub use error::BuildError;
pub(crate) use origins::Origins;
use share::Sharing;

/// The names a server on this machine is reached by.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The folder for everything that is kept, unless `PROCESS_DATA` or the builder names another.
const DATA: &str = "process-data";
/// How long runs may take to come to an end when the program is asked to stop, unless the builder says
/// otherwise. Less than the 30 s after which Kubernetes kills, with time left to end what still runs.
const GRACE: Duration = Duration::from_secs(20);

/// How many may look for lines of a log at the same time. Others are told to come back.
const MAX_SEARCHES: usize = 64;

/// Collects what the processes need, and starts the runtime.
///
/// ```no_run
/// # struct Catalog;
/// # impl Catalog { fn open() -> Self { Self } }
/// let processes = process_runtime::builder()
///     .state(Catalog::open())
///     .data_dir("/var/lib/shop")
///     .hosts(["shop.example.org"])
///     .allow_anonymous() // or `authorize`, which says who may
///     .build()?;
/// let app = axum::Router::<()>::new().nest("/processes", processes.router());
/// # Ok::<(), process_runtime::BuildError>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    states: States,
    store: Option<Arc<dyn Store>>,
    data: Option<PathBuf>,
    hosts: Option<Vec<String>>,
    mounted_at: Option<String>,
    grace: Option<Duration>,
    settings: Settings,
    registry: Option<Registry>,
    languages: LanguageSettings,
    branding: Branding,
    layout: Option<Layout>,
    without_schedules: bool,
    admission: Admission,
    origins: Origins,
    sharing: Sharing,
    #[cfg(feature = "prometheus")]
    metrics_route: bool,
}

impl Builder {
    /// Shares a value with the processes that take `State<T>`. Each type once; the last one counts.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.state_arc(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that the application keeps using too.
    pub fn state_arc<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.insert(value);
        self
    }

    /// Keeps runs in this store, instead of SQLite in the data folder.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Keeps everything in this folder, which is made if it does not exist. Without it, the environment's
    /// `PROCESS_DATA` counts, and without that the folder `process-data` where the program was started.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Answers requests for these host names only, with any port. Without it, the environment's
    /// `PROCESS_HOSTS` counts (names with commas between), and without that the names of this machine's
    /// loopback, which keeps pages of other sites from reaching a development server.
    ///
    /// With a host that others can reach, say who may: [`authorize`](Self::authorize), or
    /// [`allow_anonymous`](Self::allow_anonymous).
    pub fn hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.hosts = Some(hosts.into_iter().map(|host| host.into().to_ascii_lowercase()).collect());
        self
    }

    /// The path under which browsers reach the router, where a proxy in front changes it.
    /// Otherwise it is found out from each request.
    pub fn mounted_at(mut self, path: impl Into<String>) -> Self {
        self.mounted_at = Some(path.into().trim_end_matches('/').to_owned());
        self
    }

    /// How much a stranger may ask of the server, and a process may report: each limit that is to be another than
    /// [`Limits`] says.
    ///
    /// ```
    /// use process_runtime::Limits;
    ///
    /// let builder = process_runtime::builder();
    /// let builder = builder.limits(Limits::default().max_queued(100).max_viewers_per_run(500));
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// How many runs are executed here at the same time, of all processes together; 100 without it. Each has
    /// a thread of its own. How many of one process, its `concurrency` says. With 0 runs are started and shown here,
    /// and wait for whoever executes them.
    pub fn max_running(mut self, runs: usize) -> Self {
        self.settings.max_running = runs;
        self
    }

    /// Removes runs, with their logs and files, so long after their end; 90 days without it. `None` keeps
    /// them whatever their age.
    pub fn retain_for(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.settings.retain_for = age.into();
        self
    }

    /// Keeps so many ended runs of each process, the newest, and removes the others with their logs and
    /// files. Without it only their age counts.
    pub fn retain_last(mut self, newest: usize) -> Self {
        self.settings.retain_last = Some(newest);
        self
    }

    /// How many progress events a run has in a second at most, from 1 to 1,000; 20 without it, and what is outside
    /// counts as the nearest of these.
    ///
    /// A process may report as often as it likes: the first report after a pause is shown at once, of those that
    /// follow closely the latest, and the last one always. Log lines do not wait for it.
    pub fn max_progress_rate(mut self, per_second: u32) -> Self {
        self.settings.progress_every = Duration::from_secs(1) / per_second.clamp(1, 1_000);
        self
    }

    /// A running run that reports nothing for so long is shown as stalled; 5 minutes without it.
    pub fn stalled_after(mut self, silence: Duration) -> Self {
        self.settings.stalled_after = silence;
        self
    }

    /// For how long what a node holds stays its own without a heartbeat; 30 seconds without it, and at least 100 ms.
    /// Another node takes up its runs then. The embedded store has one node, which takes up at once what the program
    /// before it has left, and loses none of its own however long it cannot write.
    pub fn lease(mut self, duration: Duration) -> Self {
        self.settings.lease = duration;
        self
    }

    /// How long runs may take to come to an end when the program is asked to stop; 20 seconds without it.
    pub fn shutdown_timeout(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Mounts these processes, instead of all that were linked in.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Whether processes with a `schedule` are started here at their times; they are without it. Of several nodes
    /// that share a store, one that does so is enough, and more do no harm.
    pub fn run_schedules(mut self, started: bool) -> Self {
        self.without_schedules = !started;
        self
    }

    /// Opens the store and starts to execute runs.
    ///
    /// # Errors
    ///
    /// When no process or several for one route were found, a process takes state that was not given, one with a
    /// schedule has a field without a default, others can reach the processes and nobody has said who may, a duration is
    /// too short, a text, a colour or a logo cannot be used, or the data folder cannot.
    /// The message says what to do.
    pub fn build(self) -> Result<Processes, BuildError> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::collect().map_err(BuildError::Registry)?,
        };
        let hosts = self.hosts.unwrap_or_else(default_hosts);
        let admitted = self.admission.check(&hosts)?;
        let settings = durations::checked(self.settings)?;
        let origins = self.origins.checked()?;
        let missing = registry.missing_states(&self.states);
        if !missing.is_empty() {
            return Err(BuildError::MissingStates(missing));
        }
        let languages = self.languages.read().map_err(BuildError::Languages)?;
        let brand = self.branding.checked().map_err(BuildError::Branding)?;
        let scheduled = schedules::all(&registry).map_err(BuildError::Schedules)?;
        let data =
            self.data.unwrap_or_else(|| std::env::var_os("PROCESS_DATA").unwrap_or(DATA.into()).into());
        // Without a say in who may, nobody needs a link.
        let signer = match &admitted.authorize {
            Some(_) => self.sharing.signer(&data)?,
            None => None,
        };
        let store = match self.store {
            Some(store) => store,
            None => default_store(&data)?,
        };
        #[cfg(feature = "prometheus")]
        let exporter = if self.metrics_route { Some(metrics::exporter()?) } else { None };
        let store: Arc<dyn Store> = Deadlines::of(store);
        #[cfg(feature = "metrics")]
        let store: Arc<dyn Store> = crate::measured::Measured::of(store, registry.clone());
        let files = data.join("files");
        let uploads = Arc::new(Uploads::open(&data).map_err(|error| BuildError::Data(error.to_string()))?);
        let folders = (files.clone(), Arc::clone(&uploads));
        let limits = settings.limits;
        let runner = Runner::start(Arc::clone(&store), registry.clone(), self.states, folders, settings);
        let runner = runner.map_err(|error| BuildError::Runtime(error.to_string()))?;
        let inner = Arc::new(Inner {
            registry,
            store,
            runner,
            files,
            uploads,
            limits,
            rate: Rate::new(&limits),
            viewers: Viewers::new(limits),
            searches: Semaphore::new(MAX_SEARCHES),
            downloads: Arc::new(Semaphore::new(limits.max_downloads.min(Semaphore::MAX_PERMITS))),
            hosts,
            grants: AccessGrants::new(admitted.recheck),
            admitted,
            origins,
            signer,
            mounted_at: self.mounted_at,
            assets: Assets::new(&languages, &brand),
            languages,
            brand,
            layout: self.layout,
            grace: self.grace.unwrap_or(GRACE).min(durations::LONGEST),
            probed: Probed::default(),
            #[cfg(feature = "prometheus")]
            exporter,
        });
        if !self.without_schedules {
            let processes = Arc::downgrade(&inner);
            let keep = move || schedules::keep(Weak::clone(&processes), scheduled.clone());
            inner.runner.spawn_while_working("starting by schedule", keep);
        }
        Ok(Processes(inner))
    }
}

fn default_hosts() -> Vec<String> {
    match std::env::var("PROCESS_HOSTS") {
        Ok(hosts) => hosts.split(',').map(|host| host.trim().to_ascii_lowercase()).collect(),
        Err(_) => LOOPBACK.map(str::to_owned).into(),
    }
}

#[cfg(feature = "sqlite")]
fn default_store(data: &Path) -> Result<Arc<dyn Store>, BuildError> {
    use crate::store::sqlite::{SqliteStore, Synchronous};
    match SqliteStore::open(data, Synchronous::Full) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(BuildError::Data(error.to_string())),
    }
}

#[cfg(not(feature = "sqlite"))]
fn default_store(_: &Path) -> Result<Arc<dyn Store>, BuildError> {
    Err(BuildError::NoStore)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, data, hosts, mounted_at, .. } = self;
        let mut shown = f.debug_struct("Builder");
        shown.field("states", states).field("data", data).field("hosts", hosts);
        shown.field("mounted_at", mounted_at).finish_non_exhaustive()
    }
}
