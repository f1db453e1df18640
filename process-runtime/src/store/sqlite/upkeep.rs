//! Keeps the files of the store small between two groups of writes: truncates the write-ahead log (checkpoint), and
//! returns free pages to the disk a few at a time (incremental vacuum).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::damage::{Db, Failure};
use crate::text::OneLine;

/// How long the write-ahead log may get, in bytes, before readers are waited for so that it can begin anew. By itself
/// SQLite writes it back as often as it can, and readers may keep it from that.
const LOG: u64 = 16 << 20;
/// How long it may stay when nothing else is to be done.
const LOG_AT_REST: u64 = 8 << 20;
/// How long readers are waited for then; and whoever else might hold up a write, as ever.
const PATIENCE: Duration = Duration::from_millis(100);
const USUAL_PATIENCE: Duration = Duration::from_secs(5);
/// When there is work as soon as nothing else is to be done: at first, and while there is more of it; and how often there
/// is in any case.
const IDLE: Duration = Duration::from_millis(100);
const SOON: Duration = Duration::from_millis(10);
const BUSY: Duration = Duration::from_secs(1);
/// So many pages that nothing uses are kept, for what is written next.
const SPARE: i64 = 1_024;
/// How many pages are given back at a time: a few milliseconds of work.
const STEP: i64 = 256;

/// Keeps the files of a store small.
pub(super) struct Upkeep {
    log: PathBuf,
    /// How soon there is work, if nothing else is to be done.
    due: Option<Duration>,
    worked: Instant,
    /// The log is not cut off before it is longer than this.
    patience: u64,
    /// Pages were given back, which the file is shorter by as soon as the log is written back.
    gave_back: bool,
}

impl Upkeep {
    pub(super) fn of(file: &Path) -> Self {
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into(), due: Some(IDLE), worked: Instant::now(), patience: LOG, gave_back: false }
    }

    /// How soon there is work, if nothing else is to be done.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// A group was written.
    pub(super) fn wrote(&mut self, db: &Db) {
        self.due = Some(IDLE);
        let length = self.log_length();
        if length > self.patience {
            cut_log(db);
            // Where readers are in its way, it is tried again later, and not each time.
            self.patience = if self.log_length() < length { LOG } else { length.saturating_add(LOG / 4) };
        }
        if self.worked.elapsed() >= BUSY {
            self.work(db);
        }
    }

    /// Does a little.
    pub(super) fn work(&mut self, db: &Db) {
        self.worked = Instant::now();
        match give_back(db) {
            Ok(given) if given > 0 => (self.due, self.gave_back) = (Some(SOON), true),
            Ok(_) => {
                if std::mem::take(&mut self.gave_back) || self.log_length() > LOG_AT_REST {
                    cut_log(db);
                }
                let is_cut = self.log_length() <= LOG_AT_REST;
                self.due = (!is_cut).then_some(BUSY);
            }
            Err(failure) => {
                // On a full disk, say. What is written next makes it be tried again.
                self.due = None;
                tracing::warn!("pages could not be given back: {}", OneLine(db.damage.answer(failure)));
            }
        }
    }

    fn log_length(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }
}

/// Checkpoints the whole write-ahead log and truncates it.
fn cut_log(db: &Db) {
    let cut = || {
        db.busy_timeout(PATIENCE)?;
        let cut = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        db.busy_timeout(USUAL_PATIENCE)?;
        cut
    };
    if let Err(error) = cut() {
        tracing::warn!("the write-ahead log could not be cut off: {}", OneLine(&error));
    }
}

/// Gives some pages back that nothing uses, and says how many.
fn give_back(db: &Db) -> Result<i64, Failure> {
    db.damage.refuse()?;
    let number = |pragma| db.query_row(pragma, [], |row| row.get::<_, i64>(0));
    // Only a file that knows who refers to each page can move them.
    if number("PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(0);
    }
    let pages = (number("PRAGMA freelist_count")? - SPARE).clamp(0, STEP);
    if pages > 0 {
        // It gives a row for each page.
        let mut step = db.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
        let mut given = step.query([])?;
        while given.next()?.is_some() {}
    }
    Ok(pages)
}

/// What `PRAGMA auto_vacuum` says of a file whose pages are given back when that is asked for.
pub(super) const INCREMENTAL: i64 = 2;
