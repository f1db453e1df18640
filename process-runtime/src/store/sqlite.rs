//! Owns the embedded store: runs and logs in one SQLite file that one process at a time may open.
//! Refuses to know what runs do; it keeps the promises of [`Store`] and nothing more.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::broadcast;

use self::records::Record;
use self::worker::{Reader, Writer};
use super::{Batch, Claim, Control, Heartbeat, Hint, Lease, RunFilter, Started, Store, StoreError, conclude};
use crate::process::BoxFuture;
use crate::run::{LogLine, Outcome, Run, RunId, RunStatus};

mod open;
mod records;
mod worker;

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
        records::free_all(&opened.writer).map_err(|error| OpenError::new(&opened.file, error))?;
        let reader = Reader::start(opened.readers).map_err(|error| OpenError::new(&opened.file, error))?;
        let writer =
            Writer::start(opened.writer, opened.lock).map_err(|error| OpenError::new(&opened.file, error))?;
        let (hints, _) = broadcast::channel(HINTS);
        Ok(Self { file: opened.file, writer, reader, hints })
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
    fn start(&self, run: Run, key: Option<String>) -> BoxFuture<'_, Result<Started, StoreError>> {
        Box::pin(async move {
            let started = self.writer.run(move |db| start(db, run, key.as_deref())).await?;
            if !started.existing {
                self.hint(Hint::Queued);
            }
            Ok(started)
        })
    }

    fn claim(
        &self,
        processes: Vec<String>,
        lease: Duration,
    ) -> BoxFuture<'_, Result<Option<Claim>, StoreError>> {
        Box::pin(self.writer.run(move |db| claim(db, &processes, lease)))
    }

    fn heartbeat(&self, lease: Lease, duration: Duration) -> BoxFuture<'_, Result<Heartbeat, StoreError>> {
        Box::pin(self.writer.run(move |db| heartbeat(db, lease, duration)))
    }

    fn append(&self, lease: Lease, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.writer.run(move |db| append(db, lease, batch, None).map(drop)).await?;
            self.hint(Hint::Changed(lease.run));
            Ok(())
        })
    }

    fn finish(&self, lease: Lease, batch: Batch, outcome: Outcome) -> BoxFuture<'_, Result<Run, StoreError>> {
        Box::pin(async move {
            let run = self.writer.run(move |db| append(db, lease, batch, Some(outcome))).await?;
            self.hint(Hint::Changed(lease.run));
            Ok(run)
        })
    }

    fn control(&self, id: RunId, control: Control) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(async move {
            let run = self.writer.run(move |db| request(db, id, control)).await?;
            self.hint(Hint::Requested(id));
            Ok(run)
        })
    }

    fn run(&self, id: RunId) -> BoxFuture<'_, Result<Option<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| Ok(records::load(db, id)?.map(|record| record.run))))
    }

    fn log(&self, id: RunId, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(move |db| records::lines_after(db, id, after, limit)))
    }

    fn log_tail(&self, id: RunId, limit: usize) -> BoxFuture<'_, Result<Vec<LogLine>, StoreError>> {
        Box::pin(self.reader.run(move |db| records::last_lines(db, id, limit)))
    }

    fn runs(&self, filter: RunFilter) -> BoxFuture<'_, Result<Vec<Run>, StoreError>> {
        Box::pin(self.reader.run(move |db| records::list(db, &filter)))
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

fn start(db: &Connection, run: Run, key: Option<&str>) -> Result<Started, StoreError> {
    if let Some(key) = key {
        if let Some(id) = records::run_of_key(db, &run.process, key)? {
            if let Some(record) = records::load(db, id)? {
                return Ok(Started { run: record.run, existing: true });
            }
        }
    }
    let record = Record::new(run);
    records::insert(db, &record, key)?;
    Ok(Started { run: record.run, existing: false })
}

fn claim(db: &Connection, processes: &[String], lease: Duration) -> Result<Option<Claim>, StoreError> {
    let now = Timestamp::now();
    let Some(mut record) = records::first_claimable(db, processes, now)? else { return Ok(None) };
    let abandoned = record.run.status != RunStatus::Queued;
    if !abandoned {
        record.run.status = RunStatus::Running;
        record.run.attempt += 1;
        record.run.started_at.get_or_insert(now);
    }
    record.epoch += 1;
    record.hold(now, lease);
    records::update(db, &record)?;
    let last_seq = records::last_seq(db, record.run.id)?;
    let lease = Lease { run: record.run.id, epoch: record.epoch };
    Ok(Some(Claim { lease, run: record.run, last_seq, abandoned }))
}

/// The record, if the lease is still the valid one.
fn held(db: &Connection, lease: Lease) -> Result<Option<Record>, StoreError> {
    let record = records::load(db, lease.run)?;
    Ok(record.filter(|record| record.epoch == lease.epoch && !record.run.status.is_terminal()))
}

fn heartbeat(db: &Connection, lease: Lease, duration: Duration) -> Result<Heartbeat, StoreError> {
    let Some(mut record) = held(db, lease)? else { return Ok(Heartbeat::Lost) };
    record.hold(Timestamp::now(), duration);
    records::update(db, &record)?;
    Ok(record.control.map_or(Heartbeat::Held, Heartbeat::Requested))
}

fn append(db: &Connection, lease: Lease, batch: Batch, outcome: Option<Outcome>) -> Result<Run, StoreError> {
    let Some(mut record) = held(db, lease)? else { return Err(StoreError::Fenced) };
    records::add_lines(db, lease.run, &batch.lines)?;
    let changed = batch.progress.is_some() || batch.files.is_some() || outcome.is_some();
    if changed {
        let run = &mut record.run;
        run.elapsed_ms = batch.elapsed_ms;
        if let Some(progress) = batch.progress {
            run.progress = progress;
        }
        if let Some(files) = batch.files {
            run.files = files;
        }
        if let Some(outcome) = outcome {
            conclude(run, outcome, Timestamp::now());
            record.control = None;
            record.lease_until = 0;
        }
        records::update(db, &record)?;
    }
    Ok(record.run)
}

fn request(db: &Connection, id: RunId, control: Control) -> Result<Option<Run>, StoreError> {
    let Some(mut record) = records::load(db, id)? else { return Ok(None) };
    match (control, record.run.status) {
        (Control::Cancel, RunStatus::Queued | RunStatus::Paused) => {
            conclude(&mut record.run, Outcome::Cancelled, Timestamp::now());
            // Whoever might have held it is fenced.
            record.epoch += 1;
            records::update(db, &record)?;
        }
        (Control::Cancel, RunStatus::Running) => {
            record.run.status = RunStatus::Cancelling;
            record.control = Some(control);
            records::update(db, &record)?;
        }
        // Already on its way, or over.
        (Control::Cancel, _) => {}
    }
    Ok(Some(record.run))
}
