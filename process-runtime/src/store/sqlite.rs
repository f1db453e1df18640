//! The embedded store: runs and logs in one SQLite file that only one operating system process can open at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use self::check::Check;
use self::damage::Db;
use self::leases::Leases;
use self::reader::{Kind, Reader};
use self::upkeep::Upkeep;
use self::worker::Writer;
use super::{
    Batch, Cause, Claim, ClaimRequest, Control, Heartbeat, Lease, LogFilter, LogSlice, Notification, Pruned,
    Release, Retention, RunCounts, RunFilter, RunSlice, StartOptions, StartOutcome, StatusCount, Store,
    StoreError,
};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId};

mod changes;
mod check;
mod clock;
mod columns;
mod damage;
mod groups;
mod leases;
mod lines;
mod list;
mod mark;
mod migrate;
mod open;
mod options;
mod presence;
mod prune;
mod reader;
mod records;
mod upkeep;
mod worker;

pub use check::Checked;
pub use clock::Clock;
pub use options::{OpenError, Synchronous};

/// How many notifications a slow receiver may miss before it gets an error about missed ones.
const HINTS: usize = 1_024;

/// A store for runs and logs in a SQLite file, with a write-ahead log and one writer that commits in groups.
///
/// Every record carries a checksum. A damaged record is reported once in the operator's log, and left out of all
/// answers. After opening the file, the store [checks](Self::checked) all of it in the background. If the structure
/// of the file turns out to be damaged, the store takes the file out of use: every operation then returns
/// [`StoreError::Damaged`], and nothing more is written.
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
// Fields drop in this order: the writer last, so that its connection is the last one and cleans up.
pub struct SqliteStore {
    file: PathBuf,
    check: Check,
    reader: Reader,
    /// For heartbeats only, so that they never wait behind other reads.
    heartbeat: Reader,
    leases: Arc<Leases>,
    clock: Clock,
    hints: broadcast::Sender<Notification>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store in `folder`, and creates both if they do not exist.
    ///
    /// Every run that an earlier program held can be claimed immediately: as long as this store has the folder open,
    /// no other holder can be alive.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be written, if another operating system process has it open, if the file
    /// is not a store of this or an older format, or if data that was committed to it is missing.
    pub fn open(folder: impl AsRef<Path>, synchronous: Synchronous) -> Result<Self, OpenError> {
        let open::Opened { file, writer, readers, heartbeat, checker, mark, presence, lock } =
            open::open(folder.as_ref(), synchronous)?;
        let named = |error| OpenError::new(&file, error);
        let reader = Reader::start("process-reader", readers).map_err(named)?;
        let heartbeat = Reader::start("heartbeat-reads", vec![heartbeat]).map_err(named)?;
        let upkeep = Upkeep::of(&file);
        let writer = Writer::start(writer, mark, presence, lock, upkeep).map_err(named)?;
        let check = Check::start(checker).map_err(named)?;
        let (hints, _) = broadcast::channel(HINTS);
        let (leases, clock) = (Arc::default(), Clock::default());
        Ok(Self { file, check, reader, heartbeat, leases, clock, hints, writer })
    }

    /// Waits for the result of the check of the whole file that began when it was opened.
    ///
    /// You do not have to wait for the check, and it does not delay other operations. Until it is done, a file with a
    /// damaged structure may return fewer runs than it contains.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Damaged`] if the structure of the file is damaged. The file is then out of use.
    pub async fn checked(&self) -> Result<Checked, StoreError> {
        self.check.done().await
    }

    /// Limits the file to this many pages, to simulate a full disk. For tests.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: Option<u32>) -> Result<(), StoreError> {
        let pages = pages.unwrap_or(i32::MAX as u32);
        self.writer
            .run(move |db| Ok(db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?))
            .await
    }

    /// Sets the clock from which the store takes the time of day.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Returns the path of the database file. SQLite keeps its `-wal` and `-shm` files beside it, and the store a
    /// `-mark` file that records how much was committed.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Sends notifications after the last write of a holder.
    fn released(&self, lease: Lease) {
        self.leases.end(lease);
        self.hint(Notification::Changed(lease.run));
        // It is queued again, or another run can use its slot.
        self.hint(Notification::Queued);
    }

    fn hint(&self, hint: Notification) {
        // There may be no receiver yet; notifications are only hints.
        let _ = self.hints.send(hint);
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn start(&self, run: Run, terms: StartOptions) -> BoxFuture<'_, Result<StartOutcome, StoreError>> {
        Box::pin(async move {
            // A caller that got an error may start the run again.
            let started = self.writer.run_if_wanted(move |db| changes::start(db, run, terms)).await?;
            if !started.existing {
                self.hint(Notification::Queued);
            }
            Ok(started)
        })
    }

    // The time is taken when a write has its turn, so that a later write never sees an earlier time.
    fn claim(&self, wanted: ClaimRequest) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        let (leases, clock) = (Arc::clone(&self.leases), self.clock.clone());
        Box::pin(async move {
            let claim = move |db: &_| changes::claim(db, &leases, &wanted, clock.now());
            let claim = self.writer.run(claim).await?;
            if let Some(claim) = &claim {
                self.hint(Notification::Changed(claim.run.id));
            }
            Ok(claim)
        })
    }

    // Writes nothing, so it does not wait for the writer: a slow or full disk costs no lease. If the control request
    // cannot be read, the lease still holds, since no other program can have the file open.
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        Box::pin(async move {
            if !self.leases.extend(lease, duration) {
                return Ok(Heartbeat::Lost);
            }
            match self.heartbeat.run(Kind::Lookup, move |db| records::load(db, lease.run)).await {
                Ok(record) => Ok(record.map_or(Heartbeat::Lost, |record| record.heartbeat(lease))),
                Err(StoreError::Unavailable(_) | StoreError::Busy) => Ok(Heartbeat::Held),
                Err(error) => Err(error),
            }
        })
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.writer.run_weighing(batch.size(), move |db| changes::append(db, lease, batch)).await?;
            self.hint(Notification::Changed(lease.run));
            Ok(())
        })
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        let (clock, size) = (self.clock.clone(), batch.size());
        Box::pin(async move {
            let finish = move |db: &_| changes::finish(db, lease, batch, outcome, clock.now());
            self.writer.run_weighing(size, finish).await.inspect(|_| self.released(lease))
        })
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        let (clock, size) = (self.clock.clone(), batch.size());
        Box::pin(async move {
            let release = move |db: &_| changes::release(db, lease, batch, to, clock.now());
            self.writer.run_weighing(size, release).await.inspect(|_| self.released(lease))
        })
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        let clock = self.clock.clone();
        Box::pin(async move {
            let request = move |db: &Db| changes::request(db, id, control, clock.now());
            let Some((run, changed)) = self.writer.run(request).await? else { return Ok(None) };
            if run.status.is_terminal() {
                self.leases.forget(id);
            }
            // A repeated request notifies the holder again.
            self.hint(Notification::Requested(id));
            if changed {
                self.hint(Notification::Changed(id));
                self.hint(Notification::Queued);
            }
            Ok(Some(run))
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        let load = move |db: &_| Ok(records::load(db, id)?.map(|record| record.run));
        Box::pin(self.reader.run(Kind::Lookup, load))
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>> {
        // With such a filter, any number of the lines read may not match.
        let picks = filter.contains.is_some() || filter.level.is_some();
        let kind = if picks { Kind::Scan } else { Kind::Lookup };
        Box::pin(self.reader.run(kind, move |db| lines::slice(db, id, &filter)))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(Kind::Lookup, move |db| lines::tail(db, id, limit)))
    }

    fn run_slice(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunSlice, StoreError>> {
        Box::pin(self.reader.run(list::kind(&filter), move |db| list::slice(db, &filter)))
    }

    fn count_runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<RunCounts, StoreError>> {
        Box::pin(async move {
            let asked = filter.clone();
            match self.reader.run(Kind::Scan, move |db| list::counts(db, &asked)).await? {
                Some(counts) => Ok(counts),
                None => super::list::count(self, filter).await,
            }
        })
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        let now = self.clock.now();
        Box::pin(async move {
            // Selected outside the writer. Runs that have ended by then stay ended.
            let candidates =
                self.reader.run(Kind::Lookup, move |db| prune::candidates(db, &retention, now)).await?;
            if candidates.is_empty() {
                return Ok(Pruned::default());
            }
            self.writer.run(move |db| prune::remove(db, &candidates)).await
        })
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        let clock = self.clock.clone();
        Box::pin(self.reader.run(Kind::Scan, move |db| records::counts(db, clock.now())))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        // SQLite writes a row even if its values do not change.
        Box::pin(self.writer.run(|db| Ok(db.execute("UPDATE mark SET commits = commits", []).map(drop)?)))
    }

    fn is_exclusive(&self) -> bool {
        true
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.checked().await.map(drop) })
    }

    fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.hints.subscribe()
    }
}
