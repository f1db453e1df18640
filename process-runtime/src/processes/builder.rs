//! Sets up an application's runtime: the settings of the builder, and what it opens from them.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{fmt, io};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;

use super::grants::AccessGrants;
use super::readiness::Probed;
use super::{Inner, Processes, schedules};
use crate::assets::Assets;
use crate::branding::Branding;
use crate::home::Home;
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
mod store;

use access::Admission;
pub(super) use access::Admitted;
pub use error::BuildError;
pub(crate) use origins::Origins;
use share::Sharing;

/// The host names under which a server on this machine is reached.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The default data folder, if neither the builder nor `PROCESS_DATA` names one.
const DATA: &str = "process-data";
/// The default time that runs have to end at a shutdown. It is less than the 30 s after which Kubernetes kills a
/// program, to leave time to stop the runs that are still active.
const GRACE: Duration = Duration::from_secs(20);

/// The maximum number of concurrent log searches. Others are asked to retry later.
const MAX_SEARCHES: usize = 64;

/// Collects the settings of the runtime and starts it.
///
/// ```no_run
/// # struct Catalog;
/// # impl Catalog { fn open() -> Self { Self } }
/// let processes = process_runtime::builder()
///     .state(Catalog::open())
///     .data_dir("/var/lib/shop")
///     .hosts(["shop.example.org"])
///     .allow_anonymous() // or `authorize`, which checks permissions
///     .build()?;
/// let app = axum::Router::<()>::new().nest("/processes", processes.router());
/// # Ok::<(), process_runtime::BuildError>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    states: States,
    store: Option<Arc<dyn Store>>,
    node_name: Option<String>,
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
    metrics: metrics::MetricsSettings,
}

impl Builder {
    /// Shares a value with the processes that take a [`State<T>`](crate::State) parameter. The builder keeps one
    /// value for each type; a later value replaces an earlier one.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.state_arc(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that your application keeps using as well.
    pub fn state_arc<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.insert(value);
        self
    }

    /// Sets the store that keeps runs. Default: the environment variable `PROCESS_STORE`, such as
    /// `postgres://user:password@host:5432/database` (feature `postgres`), or else SQLite in the data folder.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the name of this node, which people see on the pages of the runs that it executes if several nodes share the
    /// store. Default: the environment variable `PROCESS_NODE`, or else a part of the id that the data folder has.
    pub fn node_name(mut self, name: impl Into<String>) -> Self {
        self.node_name = Some(name.into());
        self
    }

    /// Sets the folder that holds all data. The runtime creates it if it does not exist. Default: the environment
    /// variable `PROCESS_DATA`, or else the folder `process-data` in the program's working directory.
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Sets the host names for which the server answers requests, with any port. Default: the environment variable
    /// `PROCESS_HOSTS` (names separated by commas), or else the loopback names of this machine. The loopback names
    /// keep pages of other sites from reaching a development server.
    ///
    /// If you set a host that others can reach, also set the permissions: call [`authorize`](Self::authorize) or
    /// [`allow_anonymous`](Self::allow_anonymous).
    pub fn hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.hosts = Some(hosts.into_iter().map(|host| host.into().to_ascii_lowercase()).collect());
        self
    }

    /// Sets the path under which browsers reach the router. You need this only if a proxy in front changes the
    /// path. By default, the runtime derives the path from each request.
    pub fn mounted_at(mut self, path: impl Into<String>) -> Self {
        self.mounted_at = Some(path.into().trim_end_matches('/').to_owned());
        self
    }

    /// Sets the limits on what clients may request of the server and what a process may report. Default:
    /// [`Limits::default()`](Limits).
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

    /// Sets how many runs this node executes at the same time, across all processes. Default: 100. Each run has its
    /// own thread. The `concurrency` of a process limits the runs of that process. With 0, this node accepts and
    /// shows runs but executes none: they stay queued until another node claims them.
    pub fn max_running(mut self, runs: usize) -> Self {
        self.settings.max_running = runs;
        self
    }

    /// Sets the retention: how long after its end a run is removed, with its log and files. Default: 90 days. With
    /// `None`, runs are kept regardless of age.
    pub fn retain_for(mut self, age: impl Into<Option<Duration>>) -> Self {
        self.settings.retain_for = age.into();
        self
    }

    /// Sets how many ended runs of each process are kept. The runtime keeps the newest and removes the others with
    /// their logs and files. Default: no limit, so that only [`retain_for`](Self::retain_for) applies.
    pub fn retain_last(mut self, newest: usize) -> Self {
        self.settings.retain_last = Some(newest);
        self
    }

    /// Sets the maximum number of progress events per second for each run, from 1 to 1,000. Default: 20. Values
    /// outside that range are clamped.
    ///
    /// A process may report as often as it likes. The first report after a pause is sent immediately. Reports that
    /// follow in quick succession are conflated: viewers receive the latest, and always the last one. The rate does
    /// not delay log lines.
    pub fn max_progress_rate(mut self, per_second: u32) -> Self {
        self.settings.progress_every = Duration::from_secs(1) / per_second.clamp(1, 1_000);
        self
    }

    /// Sets how long a running run may report nothing before pages show it as stalled. Default: 5 minutes.
    pub fn stalled_after(mut self, silence: Duration) -> Self {
        self.settings.stalled_after = silence;
        self
    }

    /// Sets the duration of a lease: how long a node keeps what it has claimed without a heartbeat. Default: 30
    /// seconds; minimum: 100 ms. When a lease expires, another node takes over its runs. The embedded store has a
    /// single node. That node takes over the runs of the previous program immediately, and loses none of its own
    /// however long it cannot write.
    pub fn lease(mut self, duration: Duration) -> Self {
        self.settings.lease = duration;
        self
    }

    /// Sets how long runs may take to end when the program shuts down. Default: 20 seconds.
    pub fn shutdown_timeout(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Sets the processes to mount. Default: all processes that are linked into the program.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Sets whether this node starts processes that have a `schedule`. Default: true. If several nodes share a
    /// store, one node that starts schedules is enough; more than one do no harm.
    pub fn run_schedules(mut self, started: bool) -> Self {
        self.without_schedules = !started;
        self
    }

    /// Opens the store and starts to execute runs.
    ///
    /// This blocks the thread: it creates folders, reads and writes files, and migrates a store of an older format, which
    /// can take minutes. In async code that has other things to do meanwhile, use [`build_async`](Self::build_async).
    ///
    /// # Errors
    ///
    /// Returns a [`BuildError`], whose message states how to fix the problem, if:
    ///
    /// - the registry contains no process, or several processes claim one route;
    /// - a process takes state that you did not provide;
    /// - a process with a schedule has a field without a default;
    /// - others can reach the processes and you have set neither [`authorize`](Self::authorize) nor
    ///   [`allow_anonymous`](Self::allow_anonymous);
    /// - a duration is too short;
    /// - a text, a colour, a logo, a secret or an origin is invalid;
    /// - the crate was built without a store and you did not provide one;
    /// - the runtime cannot use the data folder, install the metrics recorder or start its threads.
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
        let languages = self.languages.read().map_err(|why| BuildError::Languages(why.into()))?;
        let brand = self.branding.checked().map_err(BuildError::Branding)?;
        let scheduled = schedules::all(&registry).map_err(BuildError::Schedules)?;
        let data =
            self.data.unwrap_or_else(|| std::env::var_os("PROCESS_DATA").unwrap_or(DATA.into()).into());
        // Without an `authorize` hook, no share links are needed.
        let signer = match &admitted.authorize {
            Some(_) => self.sharing.signer(&data)?,
            None => None,
        };
        let store = match self.store {
            Some(store) => store,
            None => store::of_environment(&data)?,
        };
        #[cfg(feature = "prometheus")]
        let exporter = self.metrics.exporter()?;
        let store: Arc<dyn Store> = Deadlines::of(store);
        #[cfg(feature = "metrics")]
        let store: Arc<dyn Store> = crate::measured::Measured::of(store, registry.clone());
        let files = data.join("files");
        let uploads = Arc::new(Uploads::open(&data).map_err(|error| BuildError::Data(error.into()))?);
        let folders = (files.clone(), Arc::clone(&uploads));
        let limits = settings.limits;
        let home = if store.is_exclusive() {
            None
        } else {
            let name =
                self.node_name.or_else(|| std::env::var("PROCESS_NODE").ok()).filter(|name| !name.is_empty());
            Some(Home::of(&data, name).map_err(|error| BuildError::Data(error.into()))?)
        };
        let runner =
            Runner::start(Arc::clone(&store), registry.clone(), self.states, folders, home, settings);
        let runner = runner.map_err(BuildError::Runtime)?;
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
            schedule_notes: super::ScheduleNotes::default(),
            #[cfg(feature = "prometheus")]
            exporter,
            #[cfg(feature = "prometheus")]
            metrics_route: self.metrics.has_route,
        });
        if !self.without_schedules {
            let processes = Arc::downgrade(&inner);
            let keep = move || schedules::keep(Weak::clone(&processes), scheduled.clone());
            inner.runner.spawn_while_working("the loop that starts scheduled runs", keep);
        }
        Ok(Processes(inner))
    }

    /// Does what [`build`](Self::build) does on a thread for blocking work, so that the other tasks of the runtime go on.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before the thread has begun, nothing is opened. If it is dropped later, the thread
    /// completes the build and immediately closes what it opened, as when the last [`Processes`] is dropped. Until then,
    /// the data folder is in use, and another `build` with it returns an error.
    ///
    /// ```standalone_crate
    /// use process_runtime::prelude::*;
    ///
    /// #[process(title = "Count to ten")]
    /// async fn count() {}
    ///
    /// # async fn test() -> Result<(), process_runtime::BuildError> {
    /// # let folder = std::env::temp_dir().join(format!("doc-build-async-{}", std::process::id()));
    /// let processes = process_runtime::builder().data_dir(&folder).build_async().await?;
    /// assert_eq!(processes.registry().iter().count(), 1);
    /// # drop(processes);
    /// # std::fs::remove_dir_all(folder).ok();
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`build`](Self::build).
    pub async fn build_async(self) -> Result<Processes, BuildError> {
        // Outside a tokio runtime there is no such thread, and there are no other tasks.
        let Ok(runtime) = Handle::try_current() else { return self.build() };
        let built = AbortOnDropHandle::new(runtime.spawn_blocking(|| self.build())).await;
        built.unwrap_or_else(|gone| Err(BuildError::Runtime(io::Error::other(gone))))
    }
}

fn default_hosts() -> Vec<String> {
    match std::env::var("PROCESS_HOSTS") {
        Ok(hosts) => hosts.split(',').map(|host| host.trim().to_ascii_lowercase()).collect(),
        Err(_) => LOOPBACK.map(str::to_owned).into(),
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, data, hosts, mounted_at, .. } = self;
        let mut shown = f.debug_struct("Builder");
        shown.field("states", states).field("data", data).field("hosts", hosts);
        shown.field("mounted_at", mounted_at).finish_non_exhaustive()
    }
}
