//! The integrity check of the whole file after it was opened: its structure and every checksum. It repairs nothing and
//! blocks no other operation.
//!
//! With a damaged index, SQLite omits rows silently, and no checksum of a row reveals it. So a separate thread reads
//! the whole file once, on a connection of its own that delays neither readers nor the writer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::InterruptHandle;
use tokio::sync::watch;

use super::StoreError;
use super::damage::{Db, Failure, Slice};
use super::{lines, records};
use crate::text::OneLine;

/// How many rows are read between two checks of the stop flag.
const SLICE: usize = 1_000;

/// The result of the integrity check that runs after the file was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// The number of runs.
    pub runs: u64,
    /// The number of log lines.
    pub lines: u64,
    /// The number of runs and log lines with a wrong checksum. Each was reported, and is left out of answers.
    pub damaged: u64,
}

/// A check that is in progress or done. Dropping it stops the check.
pub(super) struct Check {
    stop: Arc<AtomicBool>,
    interrupt: InterruptHandle,
    thread: Option<JoinHandle<()>>,
    result: watch::Receiver<Option<Result<Checked, StoreError>>>,
}

impl Check {
    pub(super) fn start(db: Db) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let interrupt = db.get_interrupt_handle();
        let (sender, result) = watch::channel(None);
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("process-check".into()).spawn(move || {
            let checked = check(&db, &stopped).map_err(|failure| db.damage.answer(failure));
            match &checked {
                Err(error) if !stopped.load(Ordering::Relaxed) => {
                    tracing::error!("could not check the store: {}", OneLine(&error));
                }
                _ => {}
            }
            sender.send_replace(Some(checked));
        })?;
        Ok(Self { stop, interrupt, thread: Some(thread), result })
    }

    /// Waits for the result.
    pub(super) async fn done(&self) -> Result<Checked, StoreError> {
        let mut result = self.result.clone();
        let gone = || StoreError::Unavailable("the integrity check ended without a result".into());
        let known = result.wait_for(Option::is_some).await.map_err(|_| gone())?;
        known.clone().unwrap_or_else(|| Err(gone()))
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return };
        // An interrupt that arrives between two statements is lost, so it is repeated.
        while !thread.is_finished() {
            self.interrupt.interrupt();
            std::thread::sleep(Duration::from_micros(200));
        }
        let _ = thread.join();
    }
}

fn check(db: &Db, stop: &AtomicBool) -> Result<Checked, Failure> {
    let structure: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if structure != "ok" {
        return Err(db.damage.quarantine(structure.into()).into());
    }
    let (runs, damaged_runs) = through(stop, i64::MIN, |after| records::check(db, after, SLICE))?;
    let (lines, damaged_lines) = through(stop, (i64::MIN, i64::MIN), |after| lines::check(db, after, SLICE))?;
    Ok(Checked { runs, lines, damaged: damaged_runs + damaged_lines })
}

/// Checks a whole table. Returns the number of rows and the number of damaged ones.
fn through<K: Copy>(
    stop: &AtomicBool,
    mut after: K,
    slice: impl Fn(K) -> Result<Slice<K>, Failure>,
) -> Result<(u64, u64), Failure> {
    let (mut all, mut bad) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let Slice { last, rows, damaged } = slice(after)?;
        all += rows;
        bad += damaged;
        match last {
            Some(last) => after = last,
            None => return Ok((all, bad)),
        }
    }
    Err(StoreError::Unavailable("the store was closed during the integrity check".into()).into())
}
