//! Execution: claims runs, gives each a thread of its own, and ends it whatever its body does.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::feeds::Feeds;
use crate::limits::Limits;
use crate::parameter::States;
use crate::process::BoxFuture;
use crate::progress::{Progress, Stop};
use crate::registry::Registry;
use crate::run::Run;
use crate::store::{
    ClaimId, ClaimRequest, ClaimTarget, Lease, NodeId, StartOptions, StartOutcome, Store, StoreError,
};
use crate::uploads::{Removed, Uploads};

pub(crate) mod body;
mod claims;
mod execution;
pub(crate) mod fitting;
#[cfg(feature = "metrics")]
mod gauges;
mod housekeeping;
mod lease;
mod omission;
mod publisher;
mod secrets;
mod supervise;
mod timing;
mod verdict;

pub(crate) use secrets::Secrets;
pub(crate) use verdict::INTERRUPTED;

/// How long bodies may take to leave when they are stopped, before the program ends without them.
const LEAVE: Duration = Duration::from_secs(2);

/// What an application may say about how its runs are executed.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// For how long a run is held without a sign of life.
    pub(crate) lease: Duration,
    /// How many runs are executed here at the same time.
    pub(crate) max_running: usize,
    /// The shortest time between two progress events of a run.
    pub(crate) progress_every: Duration,
    /// A run that says nothing for so long is shown as stalled.
    pub(crate) stalled_after: Duration,
    /// Ended runs are removed after this time.
    pub(crate) retain_for: Option<Duration>,
    /// Of each process so many ended runs are kept.
    pub(crate) retain_last: Option<usize>,
    /// How much a run may report.
    pub(crate) limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            max_running: 100,
            progress_every: Duration::from_secs(1) / 20,
            stalled_after: Duration::from_secs(5 * 60),
            retain_for: Some(Duration::from_secs(90 * 24 * 60 * 60)),
            retain_last: None,
            limits: Limits::DEFAULT,
        }
    }
}

/// How far this node is on its way to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It claims runs and executes them.
    Working,
    /// It claims nothing more; what runs may end, or stop where it can go on.
    Draining,
    /// What still runs is stopped.
    Stopping,
}

/// What every execution needs.
struct Inner {
    store: Arc<dyn Store>,
    registry: Registry,
    /// What is claimed here: made once of all that is registered. Each claim has a name of its own.
    wanted: ClaimRequest,
    states: States,
    feeds: Arc<Feeds>,
    /// Runs have their files in folders under this one.
    files: PathBuf,
    uploads: Arc<Uploads>,
    secrets: Secrets,
    settings: Settings,
    phase: watch::Sender<Phase>,
    /// Where bodies find timers, sockets and spawned tasks. Each body keeps it alive.
    bodies: Arc<Background>,
    /// By lease: a run that was given up may be claimed again before whatever executed it has gone.
    running: Mutex<HashMap<Lease, Running>>,
    /// A place became free.
    freed: Notify,
}

/// A run that is executed here.
struct Running {
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
    shared: Arc<Inner>,
    control: Background,
    /// Takes up runs.
    claims: JoinHandle<()>,
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
        settings: Settings,
    ) -> io::Result<Self> {
        let control = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("process-runner")
            .enable_all()
            .build()?;
        let bodies = Builder::new_multi_thread().thread_name("process-bodies").enable_all().build()?;
        let claimable = registry.iter().map(|process| ClaimTarget {
            process: process.route(),
            concurrency: usize::try_from(process.policy.concurrency).unwrap_or(usize::MAX),
            resumable: process.is_resumable(),
        });
        let wanted = ClaimRequest {
            processes: claimable.collect(),
            // Where somebody else may have the store open, somebody else may have their processes.
            orphans: store.is_exclusive(),
            suspects: true,
            lease: settings.lease,
            node: NodeId::new(),
            claim: ClaimId::new(),
        };
        let shared = Arc::new(Inner {
            feeds: Feeds::new(Arc::clone(&store), control.handle().clone()),
            store,
            registry,
            wanted,
            states,
            files,
            uploads,
            secrets: Secrets::default(),
            settings,
            phase: watch::Sender::new(Phase::Working),
            bodies: Arc::new(Background::of(bodies)),
            running: Mutex::default(),
            freed: Notify::new(),
        });
        let spawn = |what, task: fn(Arc<Inner>) -> BoxFuture<'static, ()>| {
            let shared = Arc::clone(&shared);
            control.spawn(supervise::supervised(what, move || task(Arc::clone(&shared))))
        };
        let claims = spawn("claiming runs", |shared| Box::pin(claims::claim_runs(shared)));
        spawn("passing on requests", |shared| Box::pin(claims::pass_on_requests(shared)));
        spawn("removing old runs", |shared| Box::pin(housekeeping::run_maintenance(shared)));
        #[cfg(feature = "metrics")]
        spawn("counting runs", |shared| Box::pin(gauges::keep(shared)));
        Ok(Self { shared, control: Background::of(control), claims })
    }

    /// The live side of the runs.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.shared.feeds
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
        terms: StartOptions,
        secrets: Map<String, Value>,
        files: Option<Removed>,
    ) -> Result<StartOutcome, StoreError> {
        let shared = Arc::clone(&self.shared);
        let stored = async move {
            let id = run.id;
            if !secrets.is_empty() {
                shared.secrets.keep(id, secrets);
            }
            let started = shared.store.start(run, terms).await;
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

    /// Does this beside executing runs, until it is shut down.
    pub(crate) fn spawn_while_working<F: Future<Output = ()> + Send + 'static>(
        &self,
        what: &'static str,
        begin: impl Fn() -> F + Send + Sync + 'static,
    ) {
        let mut phase = self.shared.phase.subscribe();
        self.control.handle.spawn(async move {
            tokio::select! {
                _ = phase.wait_for(|phase| *phase > Phase::Working) => {}
                () = supervise::supervised(what, begin) => {}
            }
        });
    }

    /// True as long as it takes up runs, and nobody has asked it to stop.
    pub(crate) fn is_working(&self) -> bool {
        !self.is_shutting_down() && !self.claims.is_finished()
    }

    /// True since it was asked to stop.
    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.shared.phase.borrow() > Phase::Working
    }

    /// Brings the figures about runs up to date.
    #[cfg(feature = "prometheus")]
    pub(crate) async fn refresh_gauges(&self) {
        gauges::refresh(&self.shared).await;
    }

    /// Claims nothing more, ends every stream, and tells what runs that it should come to an end.
    pub(crate) fn shut_down(&self) {
        self.enter(Phase::Draining);
        self.shared.feeds.close();
    }

    /// Shuts down, and waits for what runs: until all of it has ended or stopped, and at most for `grace`.
    /// What runs then is stopped, with an end that says so, or for another start where it can go on.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.shut_down();
        if !self.idle_within(grace).await {
            self.enter(Phase::Stopping);
            if !self.idle_within(LEAVE).await {
                let left = self.shared.running.lock().len();
                tracing::error!("{left} runs did not stop, and are left as they are");
            }
        }
    }

    /// How many runs are executed here.
    pub(crate) fn running(&self) -> usize {
        self.shared.running.lock().len()
    }

    /// Phases only follow each other: what is stopped is not drained again.
    fn enter(&self, next: Phase) {
        self.shared.phase.send_if_modified(|phase| {
            let later = next > *phase;
            *phase = next.max(*phase);
            later
        });
    }

    async fn idle_within(&self, patience: Duration) -> bool {
        let idle = async {
            while self.running() > 0 {
                // Somebody else may have taken the wake-up: never wait for it alone.
                let _ = timeout(Duration::from_millis(50), self.shared.freed.notified()).await;
            }
        };
        timeout(patience, idle).await.is_ok()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shut_down();
        // Nobody is left who could store an end: the runs stay as they are in the store, and whoever opens
        // it next finds them abandoned. Their bodies are stopped, so that no thread is left behind.
        let running = std::mem::take(&mut *self.shared.running.lock());
        running
            .into_values()
            .filter_map(|run| run.progress)
            .for_each(|progress| progress.stop(Stop::LeaseLost));
    }
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("feeds", self.feeds()).finish_non_exhaustive()
    }
}

impl Inner {
    /// How many of the places for runs are taken. A body that did not stop when its run was ended keeps its place: its
    /// thread is still there. Where panics abort, every body that is stopped leaves its thread behind, parked.
    fn taken(&self) -> usize {
        let bodies = if cfg!(panic = "unwind") { Arc::strong_count(&self.bodies) - 1 } else { 0 };
        self.running.lock().len().max(bodies)
    }
}
