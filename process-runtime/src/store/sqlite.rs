//! Owns the embedded store: runs and logs in one SQLite file that one process at a time may open.
//! Refuses to know what runs do; it keeps the promises of [`Store`] and nothing more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;

use self::check::Check;
use self::damage::Db;
use self::leases::Leases;
use self::upkeep::Upkeep;
use self::worker::{Reader, Writer};
use super::{
    Batch, Claim, Control, Heartbeat, Hint, Lease, LogFilter, LogSlice, Pruned, Record, Release, Retention,
    RunFilter, Started, StatusCount, Store, StoreError, Terms, Wanted,
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
mod mark;
mod migrate;
mod open;
mod prune;
mod records;
mod upkeep;
mod worker;

pub use check::Checked;
pub use clock::Clock;
pub use open::{OpenError, Synchronous};

/// How many hints a slow listener may miss before it is told that it missed some.
const HINTS: usize = 1_024;

/// Runs and logs in a SQLite file: write-ahead log, one writer that commits in groups.
///
/// Every record carries a checksum: one that is damaged is reported to the log, once, and left out. After the
/// file was opened, all of it is [checked](Self::checked) in the background; when its structure turns out to be
/// damaged, it is taken out of use: every operation is then answered with [`StoreError::Damaged`], and nothing
/// is written any more.
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
// Dropped from the top down: the writer last, so that its connection is the last one and clears up.
pub struct SqliteStore {
    file: PathBuf,
    check: Check,
    reader: Reader,
    leases: Arc<Leases>,
    clock: Clock,
    hints: broadcast::Sender<Hint>,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the store in `folder`, and makes both if they do not exist.
    ///
    /// Whatever the last process held is free to be claimed: while this one has the folder, no other
    /// holder can be alive.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written, another process has it open, the file is not a store of this or
    /// an older format, or what was committed to it is missing.
    pub fn open(folder: impl AsRef<Path>, synchronous: Synchronous) -> Result<Self, OpenError> {
        let open::Opened { file, writer, readers, checker, mark, lock } =
            open::open(folder.as_ref(), synchronous)?;
        let named = |error| OpenError::new(&file, error);
        let reader = Reader::start(readers).map_err(named)?;
        let writer = Writer::start(writer, mark, lock, Upkeep::of(&file)).map_err(named)?;
        let check = Check::start(checker).map_err(named)?;
        let (hints, _) = broadcast::channel(HINTS);
        let (leases, clock) = (Arc::default(), Clock::default());
        Ok(Self { file, check, reader, leases, clock, hints, writer })
    }

    /// What the check of the whole file has found that began when it was opened: waits until that is known.
    ///
    /// Nobody has to wait for it, and it holds nobody up. But until it is done, a file whose structure is
    /// damaged may give fewer runs than there are.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] when the structure of the file is damaged; it is out of use then.
    pub async fn checked(&self) -> Result<Checked, StoreError> {
        self.check.done().await
    }

    /// Lets the file not grow beyond this many pages, as on a full disk. For tests.
    #[doc(hidden)]
    pub async fn limit_pages(&self, pages: Option<u32>) -> Result<(), StoreError> {
        let pages = pages.unwrap_or(i32::MAX as u32);
        self.writer
            .run(move |db| Ok(db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?))
            .await
    }

    /// Takes the time of day from this clock.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The file it keeps everything in (with SQLite's own `-wal` and `-shm` beside it, and a
    /// `-mark` that notes down how much was committed).
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The last write of a holder.
    fn let_go(
        &self,
        lease: Lease,
        batch: Batch,
        last: impl FnOnce(&mut Record) + Send + 'static,
    ) -> BoxFuture<'_, Result<Run, StoreError>> {
        let size = batch.size();
        Box::pin(async move {
            let write = move |db: &Db| changes::let_go(db, lease, batch, last);
            let run = self.writer.run_weighing(size, write).await?;
            self.leases.let_go(lease);
            self.hint(Hint::Changed(lease.run));
            // It waits again, or has left its place to another.
            self.hint(Hint::Queued);
            Ok(run)
        })
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
            let started = self.writer.run(move |db| changes::start(db, run, terms)).await?;
            if !started.existing {
                self.hint(Hint::Queued);
            }
            Ok(started)
        })
    }

    // The time is taken when a write has its turn: of two, the later never sees the earlier time.
    fn claim(&self, wanted: Wanted) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        let (leases, clock) = (Arc::clone(&self.leases), self.clock.clone());
        // But leases are looked at by the time of the call: should the whole program stand still from here on,
        // its own have not passed by.
        let called = Instant::now();
        Box::pin(async move {
            let claim = move |db: &_| changes::claim(db, &leases, &wanted, (clock.now(), called));
            let claim = self.writer.run(claim).await?;
            if let Some(claim) = &claim {
                self.hint(Hint::Changed(claim.run.id));
            }
            Ok(claim)
        })
    }

    // Writes nothing, so it does not wait for the writer: a slow or full disk costs nobody the lease.
    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        Box::pin(async move {
            let Some(record) = self.reader.run(move |db| records::load(db, lease.run)).await? else {
                return Ok(Heartbeat::Lost);
            };
            match record.heartbeat(lease) {
                held if held != Heartbeat::Lost && self.leases.extend(lease, duration) => Ok(held),
                _ => Ok(Heartbeat::Lost),
            }
        })
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.writer.run_weighing(batch.size(), move |db| changes::append(db, lease, batch)).await?;
            self.hint(Hint::Changed(lease.run));
            Ok(())
        })
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        let clock = self.clock.clone();
        self.let_go(lease, batch, move |record| record.finish(outcome, clock.now()))
    }

    fn release(&self, lease: Lease, batch: Batch, to: Release) -> BoxFuture<'_, Result<Run, StoreError>> {
        let clock = self.clock.clone();
        self.let_go(lease, batch, move |record| record.release(to, clock.now()))
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        let clock = self.clock.clone();
        Box::pin(async move {
            let request = move |db: &Db| changes::request(db, id, control, clock.now());
            let Some((run, changed)) = self.writer.run(request).await? else { return Ok(None) };
            if run.status.is_terminal() {
                self.leases.forget(id);
            }
            // Asking again makes the holder listen again.
            self.hint(Hint::Requested(id));
            if changed {
                self.hint(Hint::Changed(id));
                self.hint(Hint::Queued);
            }
            Ok(Some(run))
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| Ok(records::load(db, id)?.map(|record| record.run))))
    }

    fn log_slice(&self, id: RunId, filter: LogFilter) -> BoxFuture<'_, Result<LogSlice, StoreError>> {
        Box::pin(self.reader.run(move |db| lines::slice(db, id, &filter)))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(move |db| lines::tail(db, id, limit)))
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| records::list(db, &filter)))
    }

    fn prune(&self, retention: Retention) -> BoxFuture<'_, Result<Pruned, StoreError>> {
        Box::pin(async move {
            // Looked for beside the writer. What has ended by then stays so.
            let candidates = self.reader.run(move |db| prune::candidates(db, &retention)).await?;
            if candidates.is_empty() {
                return Ok(Pruned::default());
            }
            self.writer.run(move |db| prune::remove(db, &candidates)).await
        })
    }

    fn counts(&self) -> BoxFuture<'_, Result<Vec<StatusCount>, StoreError>> {
        let clock = self.clock.clone();
        Box::pin(self.reader.run(move |db| records::counts(db, clock.now())))
    }

    fn probe(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        // A row that becomes what it was is written all the same.
        Box::pin(self.writer.run(|db| Ok(db.execute("UPDATE mark SET commits = commits", []).map(drop)?)))
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async { self.checked().await.map(drop) })
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
