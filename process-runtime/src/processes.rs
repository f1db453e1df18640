//! Owns the application's side of the runtime: the builder, the handle to all processes, starting and waiting.
//! Refuses to know HTTP.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::feed::{Due, Viewer};
use crate::feeds::Feeds;
use crate::parameter::{InputError, States};
use crate::process::Process;
use crate::registry::{MissingState, Registry, RegistryError};
use crate::run::{Run, RunId};
use crate::runner::Runner;
use crate::store::{Control, Started, Store, StoreError};

/// The names a server on this machine is reached by.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// The folder for everything that is kept, unless `PROCESS_DATA` or the builder names another.
const DATA: &str = "process-data";

/// Collects what the processes need, and starts the runtime.
///
/// ```no_run
/// # struct Catalog;
/// # impl Catalog { fn open() -> Self { Self } }
/// let processes = process_runtime::builder()
///     .state(Catalog::open())
///     .data("/var/lib/shop")
///     .hosts(["shop.example.org"])
///     .build()?;
/// let app = axum::Router::<()>::new().nest("/processes", processes.router());
/// # Ok::<(), process_runtime::StartupError>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    states: States,
    store: Option<Arc<dyn Store>>,
    data: Option<PathBuf>,
    hosts: Option<Vec<String>>,
    mounted_at: Option<String>,
    registry: Option<Registry>,
}

impl Builder {
    /// Shares a value with the processes that take `State<T>`. Each type once; the last one counts.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that the application keeps using too.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.insert(value);
        self
    }

    /// Keeps runs in this store, instead of SQLite in the data folder.
    pub fn store(mut self, store: impl Into<Arc<dyn Store>>) -> Self {
        self.store = Some(store.into());
        self
    }

    /// Keeps everything in this folder, which is made if it does not exist. Without it, the environment's
    /// `PROCESS_DATA` counts, and without that the folder `process-data` where the program was started.
    pub fn data(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data = Some(folder.into());
        self
    }

    /// Answers requests for these host names only, with any port. Without it, the environment's
    /// `PROCESS_HOSTS` counts (names with commas between), and without that the names of this machine's
    /// loopback, which keeps pages of other sites from reaching a development server.
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

    /// Mounts these processes, instead of all that were linked in.
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Opens the store and starts to execute runs.
    ///
    /// # Errors
    ///
    /// When no process or several for one route were found, a process takes state that was not given, or
    /// the data folder cannot be used. The message says what to do.
    pub fn build(self) -> Result<Processes, StartupError> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::collect().map_err(StartupError::Registry)?,
        };
        let missing = registry.missing_states(&self.states);
        if !missing.is_empty() {
            return Err(StartupError::MissingStates(missing));
        }
        let data =
            self.data.unwrap_or_else(|| std::env::var_os("PROCESS_DATA").unwrap_or(DATA.into()).into());
        let store = match self.store {
            Some(store) => store,
            None => default_store(&data)?,
        };
        let files = data.join("files");
        let runner = Runner::start(Arc::clone(&store), registry.clone(), self.states, files.clone());
        let runner = runner.map_err(|error| StartupError::Runtime(error.to_string()))?;
        Ok(Processes(Arc::new(Inner {
            registry,
            store,
            runner,
            files,
            hosts: self.hosts.unwrap_or_else(default_hosts),
            mounted_at: self.mounted_at,
        })))
    }
}

fn default_hosts() -> Vec<String> {
    match std::env::var("PROCESS_HOSTS") {
        Ok(hosts) => hosts.split(',').map(|host| host.trim().to_ascii_lowercase()).collect(),
        Err(_) => LOOPBACK.map(str::to_owned).into(),
    }
}

#[cfg(feature = "sqlite")]
fn default_store(data: &Path) -> Result<Arc<dyn Store>, StartupError> {
    use crate::store::sqlite::{SqliteStore, Synchronous};
    match SqliteStore::open(data, Synchronous::Full) {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => Err(StartupError::Data(error.to_string())),
    }
}

#[cfg(not(feature = "sqlite"))]
fn default_store(_: &Path) -> Result<Arc<dyn Store>, StartupError> {
    Err(StartupError::NoStore)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, data, hosts, mounted_at, .. } = self;
        let mut shown = f.debug_struct("Builder");
        shown.field("states", states).field("data", data).field("hosts", hosts);
        shown.field("mounted_at", mounted_at).finish_non_exhaustive()
    }
}

/// Why the runtime could not start. The message is for the person who starts the program.
#[non_exhaustive]
pub enum StartupError {
    /// The processes that were found cannot be mounted.
    Registry(RegistryError),
    /// Processes take state that was not given.
    MissingStates(Vec<MissingState>),
    /// The data folder cannot be used; the text names it and says why.
    Data(String),
    /// The crate was built without a store, and none was given.
    NoStore,
    /// The threads could not be started.
    Runtime(String),
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::MissingStates(states) => {
                f.write_str("some processes take state that was not given:")?;
                states.iter().try_for_each(|state| write!(f, "\n  {state}"))?;
                f.write_str("\ngive it with process_runtime::builder().state(value), one call a type")
            }
            Self::Data(why) => write!(
                f,
                "the data folder cannot be used: {why} (set PROCESS_DATA to a folder this program may write to)"
            ),
            Self::NoStore => f.write_str(
                "there is no store: enable the feature `sqlite` of process-runtime, or give one with \
                 process_runtime::builder().store(…)",
            ),
            Self::Runtime(why) => write!(f, "the runtime's threads could not be started: {why}"),
        }
    }
}

/// The sentence itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartupError {}

/// The handle to all processes and their runs. Cheap to clone; runs are executed until the last clone goes.
#[derive(Debug, Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    registry: Registry,
    store: Arc<dyn Store>,
    runner: Runner,
    files: PathBuf,
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

    /// A run that was started at any time, by its id.
    pub fn handle(&self, id: RunId) -> RunHandle {
        RunHandle { processes: self.clone(), id }
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

    /// Checks every input and stores the run. Durable when it returns.
    pub(crate) async fn start(
        &self,
        process: &'static Process,
        given: &Map<String, Value>,
        key: Option<String>,
    ) -> Result<Started, StartError> {
        let input = check(process, given).map_err(StartError::Input)?;
        let run = Run::queued(&process.route(), process.title, input);
        self.0.store.start(run, key).await.map_err(StartError::Store)
    }
}

/// Reads every field, and gives all errors at once.
pub(crate) fn check(
    process: &Process,
    given: &Map<String, Value>,
) -> Result<Map<String, Value>, Vec<InputError>> {
    let fields = process.fields();
    let mut input = Map::new();
    let mut errors = Vec::new();
    for field in &fields {
        match field.check(given.get(field.name)) {
            Ok(value) => drop(input.insert(field.name.to_owned(), value)),
            Err(error) => errors.push(error),
        }
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    for name in given.keys().filter(|name| !names.contains(&name.as_str())) {
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let message = format!("there is no such field (the fields are: {known})");
        errors.push(InputError { field: name.clone(), message });
    }
    if errors.is_empty() { Ok(input) } else { Err(errors) }
}

/// Why a run was not started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// These inputs were not accepted.
    Input(Vec<InputError>),
    /// The input is not an object with one entry a field.
    NotAnObject,
    /// The process is not in the registry of these [`Processes`].
    NotMounted,
    /// The store could not keep it.
    Store(StoreError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(errors) => {
                f.write_str("the input was not accepted:")?;
                errors.iter().try_for_each(|error| write!(f, "\n  {error}"))
            }
            Self::NotAnObject => f.write_str("the input must be an object with one entry a field"),
            Self::NotMounted => f.write_str("the process is not mounted here"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

/// Starts a process from Rust: what the generated `start` calls.
#[doc(hidden)]
pub async fn start(
    process: &'static Process,
    processes: &Processes,
    input: impl Serialize,
) -> Result<RunHandle, StartError> {
    if processes.registry().get(&process.route()).is_none_or(|mounted| !std::ptr::eq(mounted, process)) {
        return Err(StartError::NotMounted);
    }
    let given = match serde_json::to_value(input) {
        Ok(Value::Object(given)) => given,
        Ok(Value::Null) => Map::new(),
        Ok(_) | Err(_) => return Err(StartError::NotAnObject),
    };
    let started = processes.start(process, &given, None).await?;
    Ok(processes.handle(started.run.id))
}

/// One run, from the side of the program that started it.
#[derive(Debug, Clone)]
pub struct RunHandle {
    processes: Processes,
    id: RunId,
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
        let (mut viewer, _) = Viewer::open(Arc::clone(&feed));
        loop {
            match viewer.due().await {
                Due::Bytes(_) => {}
                Due::Opening => drop(viewer.reopen()),
                Due::Elsewhere | Due::Nothing => break,
            }
        }
        Ok(Some(feed.run()).filter(|run| run.status.is_terminal()))
    }

    /// Asks the run to stop. Gives it as it is then; `None` if there is no such run.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub async fn cancel(&self) -> Result<Option<Run>, StoreError> {
        self.processes.store().control(self.id, Control::Cancel).await
    }
}
