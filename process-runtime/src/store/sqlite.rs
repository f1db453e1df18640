//! Owns the embedded store: runs and logs in one SQLite file that one process at a time may open.
//! Refuses to know what runs do; it keeps the promises of [`Store`] and nothing more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use self::leases::Leases;
use self::worker::{Reader, Writer};
use super::{
    Batch, Claim, Control, Heartbeat, Hint, Lease, LogFilter, Pruned, Record, Release, Retention, RunFilter,
    Started, Store, StoreError, Terms, Wanted,
};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

mod changes;
mod clock;
mod leases;
mod lines;
mod migrate;
mod open;
mod prune;
mod records;
mod worker;

pub use clock::Clock;
pub use open::{OpenError, Synchronous};

/// How many hints a slow listener may miss before it is told that it missed some.
const HINTS: usize = 1_024;

/// Runs and logs in a SQLite file: write-ahead log, one writer that commits in groups.
///
/// ```
/// use process_runtime::store::sqlite::{SqliteStore, Synchronous};
///
/// # let folder = std::env::temp_dir().join(format!("doc-sqlite-{}", std::process::id()));
/// let store = SqliteStore::open(&folder, Synchronous::Full)?;
/// assert!(store.file().ends_with("runs.sqlite3"));
/// # drop(store);
/// # std::fs::remove_dir_all(folder).ok();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteStore {
    file: PathBuf,
    writer: Writer,
    reader: Reader,
    leases: Arc<Leases>,
    clock: Clock,
    hints: broadcast::Sender<Hint>,
}

impl SqliteStore {
    /// Opens the store in `folder`, and makes both if they do not exist.
    ///
    /// Whatever the last process held is free to be claimed: while this one has the folder, no other
    /// holder can be alive.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, another process has it open, or the file is not a store of
    /// this or an older format.
    pub fn open(folder: impl AsRef<Path>, synchronous: Synchronous) -> Result<Self, OpenError> {
        let opened = open::open(folder.as_ref(), synchronous)?;
        let reader = Reader::start(opened.readers).map_err(|error| OpenError::new(&opened.file, error))?;
        let writer =
            Writer::start(opened.writer, opened.lock).map_err(|error| OpenError::new(&opened.file, error))?;
        let (hints, _) = broadcast::channel(HINTS);
        let (leases, clock) = (Arc::default(), Clock::default());
        Ok(Self { file: opened.file, writer, reader, leases, clock, hints })
    }

    /// Takes the time of day from this clock.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The file it keeps everything in (with SQLite's own `-wal` and `-shm` beside it).
    pub fn file(&self) -> &Path {
        &self.file
    }

    fn hint(&self, hint: Hint) {
        // Nobody may be listening yet; a hint is never the truth.
        let _ = self.hints.send(hint);
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn start(&self, run: Run, terms: Terms) -> BoxFuture<'_, Result<Started, StoreError>> {
        Box::pin(async move {
            let started = self.writer.run(move |db| changes::start(db, run, &terms)).await?;
            if !started.existing {
                self.hint(Hint::Queued);
            }
            Ok(started)
        })
    }

    fn claim(&self, wanted: Wanted) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        // By the time of the call: should the whole program stand still from here on, its own leases have not
        // passed by.
        let (leases, now) = (Arc::clone(&self.leases), (self.clock.now(), Instant::now()));
        Box::pin(self.writer.run(move |db| changes::claim(db, &leases, &wanted, now)))
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        let leases = Arc::clone(&self.leases);
        Box::pin(self.writer.run(move |db| {
            let Some(record) = records::load(db, lease.run)? else { return Ok(Heartbeat::Lost) };
            let heartbeat = record.heartbeat(lease);
            if heartbeat != Heartbeat::Lost {
                leases.hold(lease, duration);
            }
            Ok(heartbeat)
        }))
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.writer.run(move |db| changes::append(db, lease, batch)).await?;
            self.hint(Hint::Changed(lease.run));
            Ok(())
        })
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        let now = self.clock.now();
        Box::pin(async move {
            let last = move |record: &mut Record| record.finish(outcome, now);
            let run = self.writer.run(move |db| changes::let_go(db, lease, batch, last)).await?;
            self.leases.let_go(lease);
            self.hint(Hint::Changed(lease.run));
            Ok(run)
        })
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        let now = self.clock.now();
        Box::pin(async move {
            let last = move |record: &mut Record| record.release(to, now);
            let run = self.writer.run(move |db| changes::let_go(db, lease, batch, last)).await?;
            self.leases.let_go(lease);
            self.hint(Hint::Changed(lease.run));
            self.hint(Hint::Queued);
            Ok(run)
        })
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        let now = self.clock.now();
        Box::pin(async move {
            let run = self.writer.run(move |db| changes::request(db, id, control, now)).await?;
            self.hint(Hint::Requested(id));
            // A resumed run waits for a place; one that was forced to its end has left one.
            self.hint(Hint::Queued);
            Ok(run)
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| Ok(records::load(db, id)?.map(|record| record.run))))
    }

    fn log(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(move |db| lines::find(db, id, &filter)))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(move |db| lines::tail(db, id, limit)))
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| records::list(db, &filter)))
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(self.writer.run(move |db| prune::prune(db, &retention)))
    }

    fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }
}

impl From<SqliteStore> for Arc<dyn Store> {
    fn from(store: SqliteStore) -> Self {
        Arc::new(store)
    }
}
