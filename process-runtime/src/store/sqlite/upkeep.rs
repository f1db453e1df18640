//! Keeps the files of the store small between two groups of writes: truncates the write-ahead log (checkpoint), and
//! returns free pages to the disk a few at a time (incremental vacuum).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::damage::{Db, Failure};
use crate::text::OneLine;

/// The longest write-ahead log, in bytes, before the writer waits for readers to truncate it. SQLite checkpoints as
/// often as it can, but readers can prevent that.
const LOG: u64 = 16 << 20;
/// The longest write-ahead log while the store is idle.
const LOG_AT_REST: u64 = 8 << 20;
/// How long the writer waits for readers: the longer, the longer the log already is. Then, for any other lock.
const PATIENCE: Duration = Duration::from_millis(100);
const MAX_PATIENCE: Duration = Duration::from_secs(2);
const USUAL_PATIENCE: Duration = Duration::from_secs(5);
/// The delay until maintenance starts when the store is idle, and the interval between two runs of it in any case.
const IDLE: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_millis(10);
const BUSY: Duration = Duration::from_secs(1);
/// How many free pages the file keeps, for the next writes.
const SPARE: i64 = 1_024;
/// How many pages are returned at a time: a few milliseconds of work.
const STEP: i64 = 256;

/// The maintenance of the files.
pub(super) struct Upkeep {
    log: PathBuf,
    /// The delay until the next maintenance, if the store is idle.
    due: Option<Duration>,
    worked: Instant,
    /// The write-ahead log is not truncated while it is shorter than this.
    patience: u64,
    /// Pages were returned; the file shrinks at the next checkpoint.
    gave_back: bool,
}

impl Upkeep {
    pub(super) fn of(file: &Path) -> Self {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), due: Some(IDLE), worked: Instant::now(), patience: LOG, gave_back: false }
    }

    /// The delay until the next maintenance, if the store is idle.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Called after each group of writes.
    pub(super) fn wrote(&mut self, db: &Db) {
        self.due = Some(IDLE);
        let length = self.log_length();
        if length > self.patience {
            cut_log(db, length);
            // If readers prevented it, it is tried again later, and not after every group.
            self.patience = if self.log_length() < length { LOG } else { length.saturating_add(LOG / 4) };
        }
        if self.worked.elapsed() >= BUSY {
            self.work(db);
        }
    }

    /// Does one step of maintenance.
    pub(super) fn work(&mut self, db: &Db) {
        self.worked = Instant::now();
        match give_back(db) {
            Ok(given) if given > 0 => (self.due, self.gave_back) = (Some(SOON), true),
            Ok(_) => {
                if std::mem::take(&mut self.gave_back) || self.log_length() > LOG_AT_REST {
                    cut_log(db, self.log_length());
                }
                let is_cut = self.log_length() <= LOG_AT_REST;
                self.due = (!is_cut).then_some(BUSY);
            }
            Err(failure) => {
                // For example on a full disk. The next write schedules another attempt.
                self.due = None;
                tracing::warn!("could not return free pages: {}", OneLine(db.damage.answer(failure)));
            }
        }
    }

    fn log_length(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }
}

/// Checkpoints the whole write-ahead log of this length, and truncates it.
fn cut_log(db: &Db, length: u64) {
    let times = u32::try_from(length / LOG).unwrap_or(u32::MAX).max(1);
    let patience = PATIENCE.saturating_mul(times).min(MAX_PATIENCE);
    let cut = || {
        db.busy_timeout(patience)?;
        let cut = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        db.busy_timeout(USUAL_PATIENCE)?;
        cut
    };
    if let Err(error) = cut() {
        tracing::warn!("could not truncate the write-ahead log: {}", OneLine(&error));
    }
}

/// Returns some free pages to the disk. Returns how many.
fn give_back(db: &Db) -> Result<i64, Failure> {
    db.damage.refuse()?;
    let number = |pragma| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
    // Only a file with `auto_vacuum` stores the references that moving a page needs.
    if number("PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(0);
    }
    let pages = (number("PRAGMA freelist_count")? - SPARE).clamp(0, STEP);
    if pages > 0 {
        // The statement returns a row for each page.
        let mut step = db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut given = step.query([])?;
        while given.next()?.is_some() {}
    }
    Ok(pages)
}

/// The value of `PRAGMA auto_vacuum` for incremental vacuum.
pub(super) const INCREMENTAL: i64 = 2;
