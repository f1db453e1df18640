//! Owns execution: claims runs, gives each a thread of its own, and ends it whatever its body does.
//! Refuses to know HTTP, and how runs come into the store.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, watch};

use crate::feeds::Feeds;
use crate::parameter::States;
use crate::progress::{Progress, Stop};
use crate::registry::Registry;
use crate::run::{Run, RunId};
use crate::store::{Claim, Claimable, Hint, Started, Store, StoreError, Terms, Wanted};
use crate::uploads::{Removed, Uploads};

pub(crate) mod body;
mod omission;
mod pump;
mod secrets;

pub(crate) use omission::LogLimits;
pub(crate) use secrets::Secrets;

/// What a viewer reads when the program that executed a run went away.
pub(crate) const INTERRUPTED: &str = "the program stopped before the run ended";

/// For how long a run is held without a sign of life.
const LEASE: Duration = Duration::from_secs(30);
/// How long the claim loop waits for a hint before it looks by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many runs of one process are executed at the same time.
const CONCURRENCY: usize = 1;

/// What every execution needs.
struct Shared {
    store: Arc<dyn Store>,
    registry: Registry,
    states: States,
    feeds: Arc<Feeds>,
    /// Runs have their files in folders under this one.
    files: PathBuf,
    uploads: Arc<Uploads>,
    secrets: Secrets,
    log_limits: LogLimits,
    /// Where bodies find timers, sockets and spawned tasks. Each body keeps it alive.
    bodies: Arc<Background>,
    running: Mutex<HashMap<RunId, Running>>,
    /// A place became free.
    freed: Notify,
}

/// A run that is executed here.
struct Running {
    route: String,
    /// Makes its heart beat now.
    nudge: Arc<Notify>,
    /// Known as soon as its body has been started.
    progress: Option<Progress>,
}

/// Executes the runs of this node until it is dropped.
///
/// Two tokio runtimes of its own: one small one for claims, heartbeats and news, and one that drives
/// timers, sockets and spawned tasks of the bodies. Each body is polled on a thread of its own, so a loop
/// without an await, or a blocking call, holds up nothing but itself.
pub(crate) struct Runner {
    feeds: Arc<Feeds>,
    stop: watch::Sender<bool>,
    shared: Arc<Shared>,
    control: Background,
}

/// Where futures find timers, sockets and spawned tasks. It may be dropped anywhere, in async code too.
pub(crate) struct Background {
    handle: Handle,
    /// `None` when it is somebody else's.
    own: Option<Runtime>,
}

impl Background {
    /// A runtime of our own, which ends with this value.
    pub(crate) fn of(runtime: Runtime) -> Self {
        Self { handle: runtime.handle().clone(), own: Some(runtime) }
    }

    /// The runtime this is called in, if there is one.
    pub(crate) fn current() -> Option<Self> {
        Some(Self { handle: Handle::try_current().ok()?, own: None })
    }

    /// Stops its tasks, if it is our own, and waits for those that are at work. Blocks.
    pub(crate) fn stop(mut self, patience: Duration) {
        if let Some(runtime) = self.own.take() {
            runtime.shutdown_timeout(patience);
        }
    }

    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle.block_on(future)
    }
}

impl std::fmt::Debug for Background {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.own.is_some() { "Background" } else { "Background(of somebody else)" })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.own.take() {
            runtime.shutdown_background();
        }
    }
}

impl Runner {
    /// Starts to execute.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        registry: Registry,
        states: States,
        (files, uploads): (PathBuf, Arc<Uploads>),
        log_limits: LogLimits,
    ) -> io::Result<Self> {
        let control = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("process-runner")
            .enable_all()
            .build()?;
        let bodies = Builder::new_multi_thread().thread_name("process-bodies").enable_all().build()?;
        let feeds = Feeds::new(Arc::clone(&store), control.handle().clone());
        let shared = Arc::new(Shared {
            store,
            registry,
            states,
            feeds: Arc::clone(&feeds),
            files,
            uploads,
            secrets: Secrets::default(),
            log_limits,
            bodies: Arc::new(Background::of(bodies)),
            running: Mutex::default(),
            freed: Notify::new(),
        });
        let (stop, stopped) = watch::channel(false);
        control.spawn(claim_runs(Arc::clone(&shared), stopped));
        control.spawn(pass_on_requests(Arc::clone(&shared)));
        control.spawn(clear_up(Arc::clone(&shared)));
        Ok(Self { feeds, stop, shared, control: Background::of(control) })
    }

    /// The live side of the runs.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.feeds
    }

    /// The secrets of the runs that were started here.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.shared.secrets
    }

    /// Stores a run with what it has brought along. What was begun is brought to its end, even if nobody
    /// waits for it any more: a run that is stored must find its files.
    pub(crate) async fn enqueue(
        &self,
        run: Run,
        key: Option<String>,
        secrets: Map<String, Value>,
        files: Option<Removed>,
    ) -> Result<Started, StoreError> {
        let shared = Arc::clone(&self.shared);
        let stored = async move {
            let id = run.id;
            if !secrets.is_empty() {
                shared.secrets.keep(id, secrets);
            }
            let started = shared.store.start(run, Terms { idempotency_key: key, ..Terms::default() }).await;
            match &started {
                Ok(started) if started.run.id == id => files.into_iter().for_each(Removed::for_good),
                // Nobody will ask for what this start had brought along: the folder removes itself.
                _ => shared.secrets.forget(id),
            }
            started
        };
        let gone = || StoreError::Unavailable("the runner has stopped".into());
        self.control.handle.spawn(stored).await.unwrap_or_else(|_| Err(gone()))
    }

    /// Claims nothing more, and ends every stream.
    pub(crate) fn shut_down(&self) {
        self.stop.send_replace(true);
        self.feeds.close();
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shut_down();
        // Nobody is left who could store an end: the runs stay as they are in the store, and whoever opens
        // it next finds them abandoned. Their bodies are stopped, so that no thread is left behind.
        let running = std::mem::take(&mut *self.shared.running());
        running
            .into_values()
            .filter_map(|run| run.progress)
            .for_each(|progress| progress.stop(Stop::LeaseLost));
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("feeds", &self.feeds).finish_non_exhaustive()
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, HashMap<RunId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The processes that have a free place.
    fn claimable(&self) -> Vec<Claimable> {
        let running = self.running();
        let free = |route: &String| running.values().filter(|run| run.route == *route).count() < CONCURRENCY;
        let wanted = |process| Claimable { process, concurrency: CONCURRENCY, resumable: false };
        self.registry.iter().map(|process| process.route()).filter(free).map(wanted).collect()
    }
}

/// Takes one run after the other, as long as there are free places.
async fn claim_runs(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut hints = shared.store.hints();
    while !*stopped.borrow_and_update() {
        let claimable = shared.claimable();
        if !claimable.is_empty() {
            match shared.store.claim(Wanted { processes: claimable, lease: LEASE }).await {
                Ok(Some(claim)) => {
                    begin(&shared, claim);
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!("no run could be claimed: {error}"),
            }
        }
        let look_again = tokio::time::sleep(LOOK_AGAIN);
        tokio::pin!(look_again);
        loop {
            tokio::select! {
                () = &mut look_again => break,
                () = shared.freed.notified() => break,
                _ = stopped.changed() => break,
                hint = hints.recv() => match hint {
                    Ok(Hint::Queued) | Err(RecvError::Lagged(_)) => break,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }
}

/// Executes a claimed run in the background.
fn begin(shared: &Arc<Shared>, claim: Claim) {
    let id = claim.run.id;
    let nudge = Arc::new(Notify::new());
    let running = Running { route: claim.run.process.clone(), nudge: Arc::clone(&nudge), progress: None };
    shared.running().insert(id, running);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        pump::execute(&shared, claim, nudge).await;
        shared.secrets.forget(id);
        shared.running().remove(&id);
        shared.freed.notify_one();
    });
}

/// Makes the heart of a run beat as soon as something is asked of it.
async fn pass_on_requests(shared: Arc<Shared>) {
    let mut hints = shared.store.hints();
    loop {
        match hints.recv().await {
            Ok(Hint::Requested(id)) => {
                if let Some(running) = shared.running().get(&id) {
                    running.nudge.notify_one();
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => shared.running().values().for_each(|run| run.nudge.notify_one()),
            Err(RecvError::Closed) => return,
        }
    }
}

/// Removes files whose run was never stored: the program was killed between the two.
async fn clear_up(shared: Arc<Shared>) {
    for (run, folder) in shared.uploads.found() {
        if let Ok(None) = shared.store.run(*run).await {
            tracing::info!(%run, "removing the files of a start that did not happen");
            if let Err(error) = tokio::fs::remove_dir_all(folder).await {
                tracing::error!(%run, "the files could not be removed: {error}");
            }
        }
    }
}
