//! The store for several machines: runs and logs in a PostgreSQL database that any number of nodes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc};
use tokio_util::task::AbortOnDropHandle;

use self::damage::Damage;
use self::pool::{Held, Pool};
use self::session::Target;
use super::{
    Batch, Cause, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, NodeId, Notification,
    Pruned, Release, Retention, RunCounts, RunFilter, RunSlice, StartOptions, StartOutcome, StatusCount,
    Store, StoreError,
};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

mod changes;
mod claims;
mod damage;
mod error;
mod hints;
mod lines;
mod list;
mod migrate;
mod options;
mod pool;
mod prune;
mod rows;
mod session;

pub use error::ConnectError;
pub use options::PgOptions;

/// How many notifications a slow receiver may miss before it gets an error about missed ones.
const HINTS: usize = 1_024;
/// How many connections write, and how many read.
const WRITERS: usize = 4;
const READERS: usize = 4;

/// A store for runs and logs in a PostgreSQL database, which any number of nodes share: any node can start, execute,
/// show and control any run.
///
/// The tables are in a schema of their own, `process` unless [`PgOptions::schema`] names another one, and are created by
/// the first connection. Nodes tell each other about changes by LISTEN and NOTIFY. Every record carries a checksum. A
/// damaged record is reported once in the operator's log, and left out of all answers.
///
/// ```no_run
/// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// use process_runtime::store::postgres::PgStore;
///
/// let store = PgStore::connect("postgres://app:secret@db.example.org/app").await?;
/// let processes = process_runtime::builder().store(store).build_async().await?;
/// # Ok(())
/// # }
/// ```
pub struct PgStore {
    shared: Arc<Shared>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

struct Shared {
    name: String,
    /// Where operations and connections run, whoever calls.
    runtime: Handle,
    /// For claims and heartbeats only, so that they never wait behind other work.
    leases: Arc<Pool>,
    writers: Arc<Pool>,
    readers: Arc<Pool>,
    damage: Damage,
    hints: broadcast::Sender<Notification>,
    /// For the other nodes.
    sent: mpsc::UnboundedSender<Notification>,
}

impl PgStore {
    /// Connects to the database at this URL, such as `postgres://user:password@host:5432/database`, and creates the
    /// tables if they do not exist. [`PgOptions`] has more settings.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is invalid, if the server cannot be reached or refuses the connection, if its
    /// settings could lose data, or if a newer version of this crate has changed the tables.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        PgOptions::new(url).connect().await
    }

    fn new(target: &Arc<Target>, listen_to: Arc<Target>) -> Self {
        let own = NodeId::new();
        let (hints, _) = broadcast::channel(HINTS);
        let (sent, queue) = mpsc::unbounded_channel();
        let hinting = Pool::new(target, 1);
        let sending = hints::send(Arc::clone(&hinting), target.schema.clone(), own, queue);
        let listening = hints::listen(listen_to, hinting, own, hints.clone());
        let shared = Shared {
            name: target.name.clone(),
            runtime: target.runtime.clone(),
            leases: Pool::new(target, 2),
            writers: Pool::new(target, WRITERS),
            readers: Pool::new(target, READERS),
            damage: Damage::default(),
            hints,
            sent,
        };
        let spawned = |task| AbortOnDropHandle::new(task);
        let tasks = [spawned(target.runtime.spawn(sending)), spawned(target.runtime.spawn(listening))];
        Self { shared: Arc::new(shared), _tasks: tasks }
    }

    /// Runs an operation on a connection of this pool. Once it has begun, it is run to its end, even if the caller stops
    /// waiting: so no connection is left in the middle of one.
    async fn on<T: Send + 'static, F: Future<Output = Result<T, StoreError>> + Send + 'static>(
        &self,
        pool: &Arc<Pool>,
        operation: impl FnOnce(Held, Arc<Shared>) -> F + Send,
    ) -> Result<T, StoreError> {
        let held = pool.session().await?;
        let ended = self.shared.runtime.spawn(operation(held, Arc::clone(&self.shared))).await;
        ended.unwrap_or_else(|gone| Err(StoreError::Unavailable(Cause::of(gone))))
    }
}

impl Shared {
    fn hint(&self, hint: Notification) {
        // There may be no receiver yet; notifications are only hints.
        let _ = self.hints.send(hint);
        let _ = self.sent.send(hint);
    }

    /// Sends notifications after the last write of a holder.
    fn released(&self, run: RunId) {
        self.hint(Notification::Changed(run));
        // It is queued again, or another run can use its slot.
        self.hint(Notification::Queued);
    }
}

impl fmt::Debug for PgStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgStore").field("at", &self.shared.name).finish_non_exhaustive()
    }
}

impl Store for PgStore {
    fn start(&self, run: Run, terms: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            let start = async |session: &_| changes::start(session, &shared.damage, run, terms).await;
            let started = held.run(start).await?;
            if !started.existing {
                shared.hint(Notification::Queued);
            }
            Ok(started)
        }))
    }

    fn claim(&self, wanted: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        Box::pin(self.on(&self.shared.leases, move |held, shared| async move {
            let claim =
                held.run(async |session| claims::claim(session, &shared.damage, &wanted).await).await?;
            if let Some(claim) = &claim {
                shared.hint(Notification::Changed(claim.run.id));
            }
            Ok(claim)
        }))
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        Box::pin(self.on(&self.shared.leases, move |held, _| async move {
            held.run(async |session| claims::heartbeat(session, lease, duration).await).await
        }))
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            held.run(async |session| changes::append(session, lease, batch).await).await?;
            shared.hint(Notification::Changed(lease.run));
            Ok(())
        }))
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            let run = held.run(async |session| changes::finish(session, lease, batch, outcome).await).await?;
            shared.released(lease.run);
            Ok(run)
        }))
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            let run = held.run(async |session| changes::release(session, lease, batch, to).await).await?;
            shared.released(lease.run);
            Ok(run)
        }))
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            let changed = held.run(async |session| changes::request(session, id, control).await).await?;
            let Some((run, changed)) = changed else { return Ok(None) };
            // A repeated request notifies the holder again.
            shared.hint(Notification::Requested(id));
            if changed {
                shared.hint(Notification::Changed(id));
                shared.hint(Notification::Queued);
            }
            Ok(Some(run))
        }))
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(self.on(&self.shared.readers, move |held, _| async move {
            let found = held.run(async |session| rows::load(session, id).await).await?;
            Ok(found.map(|found| found.record.run))
        }))
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>> {
        Box::pin(self.on(&self.shared.readers, move |held, shared| async move {
            held.run(async |session| lines::slice(session, &shared.damage, id, &filter).await).await
        }))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.on(&self.shared.readers, move |held, shared| async move {
            held.run(async |session| lines::tail(session, &shared.damage, id, limit).await).await
        }))
    }

    fn run_slice(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunSlice, StoreError>> {
        Box::pin(self.on(&self.shared.readers, move |held, shared| async move {
            held.run(async |session| list::slice(session, &shared.damage, &filter).await).await
        }))
    }

    fn count_runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunCounts, StoreError>> {
        let asked = filter.clone();
        let counted = self.on(&self.shared.readers, move |held, _| async move {
            held.run(async |session| list::counts(session, &asked).await).await
        });
        Box::pin(async move {
            match counted.await? {
                Some(counts) => Ok(counts),
                None => super::list::count(self, filter).await,
            }
        })
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, shared| async move {
            held.run(async |session| prune::prune(session, &shared.damage, &retention).await).await
        }))
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        Box::pin(self.on(&self.shared.readers, move |held, _| async move {
            held.run(async |session| rows::counts(session).await).await
        }))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.on(&self.shared.writers, move |held, _| async move {
            held.run(async |session| session.execute("UPDATE @meta SET probed = @now()", &[]).await.map(drop))
                .await
        }))
    }

    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.shared.hints.subscribe()
    }
}
