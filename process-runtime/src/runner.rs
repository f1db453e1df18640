//! Executes runs: claims them, runs each on its own thread, and ends it whatever its body does.

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
use crate::home::Home;
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
mod report;
mod secrets;
mod stage_weights;
mod supervise;
mod timing;
mod verdict;

pub(crate) use secrets::Secrets;
use stage_weights::StageWeights;
pub(crate) use verdict::INTERRUPTED;

/// How long the bodies of stopped runs may take to return before the program ends without them.
const BODY_STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Settings for the execution of runs.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long a lease lasts without a heartbeat.
    pub(crate) lease: Duration,
    /// How many runs execute on this node at the same time.
    pub(crate) max_running: usize,
    /// The shortest time between two progress events of a run.
    pub(crate) progress_every: Duration,
    /// A run that reports nothing for this long is shown as stalled.
    pub(crate) stalled_after: Duration,
    /// Ended runs are removed after this time.
    pub(crate) retain_for: Option<Duration>,
    /// How many ended runs of each process are kept.
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

/// The phases of a node's shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It claims and executes runs.
    Working,
    /// It claims no more runs. Running ones may end, or stop at a save if they can resume.
    Draining,
    /// Runs that still execute are stopped.
    Stopping,
}

/// What every execution shares.
struct Inner {
    store: Arc<dyn Store>,
    registry: Registry,
    /// The request for claims, made once from the registered processes. Each claim has its own id.
    wanted: ClaimRequest,
    states: States,
    feeds: Arc<Feeds>,
    /// The folder with a subfolder of files for each run.
    files: PathBuf,
    uploads: Arc<Uploads>,
    secrets: Secrets,
    /// Set if several nodes share the store: which of them has the files and secrets of a run.
    home: Option<Home>,
    settings: Settings,
    phase: watch::Sender<Phase>,
    /// The runtime for timers, sockets and spawned tasks of bodies. Each body keeps it alive.
    bodies: Arc<Background>,
    /// By lease: a run that was given up can be claimed again while its earlier execution still ends.
    running: Mutex<HashMap<Lease, Running>>,
    /// Notified when a slot becomes free.
    freed: Notify,
    stage_weights: StageWeights,
}

/// A run that this node executes.
struct Running {
    /// Triggers a heartbeat now.
    nudge: Arc<Notify>,
    /// Set once its body has started.
    progress: Option<Progress>,
}

/// Executes the runs of this node until it is dropped.
///
/// It owns two tokio runtimes: a small one for claims, heartbeats and progress, and one for timers, sockets and spawned
/// tasks of bodies. Each body is polled on its own thread, so a loop without an await, or a blocking call, blocks only
/// itself.
pub(crate) struct Runner {
    shared: Arc<Inner>,
    control: Background,
    /// The task that claims runs.
    claims: JoinHandle<()>,
}

/// A runtime for timers, sockets and spawned tasks. It can be dropped anywhere, including in async code.
pub(crate) struct Background {
    handle: Handle,
    /// `None` if it belongs to somebody else.
    own: Option<Runtime>,
}

impl Background {
    /// Wraps a runtime that ends with this value.
    pub(crate) fn of(runtime: Runtime) -> Self {
        Self { handle: runtime.handle().clone(), own: Some(runtime) }
    }

    /// The current runtime, if there is one.
    pub(crate) fn current() -> Option<Self> {
        Some(Self { handle: Handle::try_current().ok()?, own: None })
    }

    /// Stops the tasks of an owned runtime, and waits for those that are running. Blocks.
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
    /// Starts to claim and execute runs.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        registry: Registry,
        states: States,
        (files, uploads): (PathBuf, Arc<Uploads>),
        home: Option<Home>,
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
            // If other programs can open the store, its runs may belong to their processes.
            orphans: store.is_exclusive(),
            suspects: true,
            lease: settings.lease,
            node: NodeId::new(),
            claim: ClaimId::new(),
            home: home.as_ref().map(|home| home.id),
            node_name: home.as_ref().map(|home| home.name.clone()),
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
            home,
            settings,
            phase: watch::Sender::new(Phase::Working),
            bodies: Arc::new(Background::of(bodies)),
            running: Mutex::default(),
            freed: Notify::new(),
            stage_weights: StageWeights::default(),
        });
        let spawn = |what, task: fn(Arc<Inner>) -> BoxFuture<'static, ()>| {
            let shared = Arc::clone(&shared);
            control.spawn(supervise::supervised(what, move || task(Arc::clone(&shared))))
        };
        let claims = spawn("the loop that claims runs", |shared| Box::pin(claims::claim_runs(shared)));
        spawn("the loop that passes on control requests", |shared| {
            Box::pin(claims::pass_on_requests(shared))
        });
        spawn("the loop that removes old runs", |shared| Box::pin(housekeeping::run_maintenance(shared)));
        #[cfg(feature = "metrics")]
        spawn("the loop that counts runs", |shared| Box::pin(gauges::keep(shared)));
        Ok(Self { shared, control: Background::of(control), claims })
    }

    /// The live feeds of the runs.
    pub(crate) fn feeds(&self) -> &Arc<Feeds> {
        &self.shared.feeds
    }

    /// This node's data folder, if several nodes share the store.
    pub(crate) fn home(&self) -> Option<&Home> {
        self.shared.home.as_ref()
    }

    /// The secrets of runs that were started here.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.shared.secrets
    }

    /// Stores a run together with its files and secrets. It completes even if the caller stops waiting: a stored run
    /// must find its files.
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
                // Nothing was stored: the secrets go, and the folder removes itself.
                _ => shared.secrets.forget(id),
            }
            started
        };
        let gone = || StoreError::Unavailable("the runner has stopped".into());
        self.control.handle.spawn(stored).await.unwrap_or_else(|_| Err(gone()))
    }

    /// Runs a task beside the executions, until shutdown.
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

    /// True while it claims runs and no shutdown was requested.
    pub(crate) fn is_working(&self) -> bool {
        !self.is_shutting_down() && !self.claims.is_finished()
    }

    /// True after a shutdown was requested.
    pub(crate) fn is_shutting_down(&self) -> bool {
        *self.shared.phase.borrow() > Phase::Working
    }

    /// Updates the gauges of runs.
    #[cfg(feature = "prometheus")]
    pub(crate) async fn refresh_gauges(&self) {
        gauges::refresh(&self.shared).await;
    }

    /// Begins the shutdown: no more claims, every stream ends, and running bodies are asked to stop.
    pub(crate) fn shut_down(&self) {
        self.enter(Phase::Draining);
        self.shared.feeds.close();
    }

    /// Shuts down, and waits at most `grace` for running runs. What still runs then is stopped: it resumes at the next
    /// start if it can, and otherwise fails with an explanation.
    pub(crate) async fn drain(&self, grace: Duration) {
        self.shut_down();
        if !self.idle_within(grace).await {
            self.enter(Phase::Stopping);
            if !self.idle_within(BODY_STOP_TIMEOUT).await {
                let left = self.shared.running.lock().len();
                tracing::error!("{left} runs did not stop in time; they stay as they are in the store");
            }
        }
    }

    /// How many runs this node executes.
    pub(crate) fn running(&self) -> usize {
        self.shared.running.lock().len()
    }

    /// Phases only advance: a node that is stopping does not go back to draining.
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
                // Another waiter may have taken the notification, so this never waits for it alone.
                let _ = timeout(Duration::from_millis(50), self.shared.freed.notified()).await;
            }
        };
        timeout(patience, idle).await.is_ok()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.shut_down();
        // Nothing is left that could store an end. The runs stay as they are in the store, and the next program that
        // opens it finds them abandoned. Their bodies are stopped, so that no thread is left behind.
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
    /// How many slots are in use. A body that did not stop when its run ended still uses its slot, because its thread
    /// still exists. With `panic = "abort"`, every stopped body leaves a parked thread behind.
    fn taken(&self) -> usize {
        let bodies = if cfg!(panic = "unwind") { Arc::strong_count(&self.bodies) - 1 } else { 0 };
        self.running.lock().len().max(bodies)
    }
}
