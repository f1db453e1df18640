//! An ended run with a long log, in a store that was closed.

use std::path::Path;

use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{Batch, Store};
use process_runtime::{
    RunId,
    run::{Level, LogLine, Outcome},
};

use crate::conformance::held;

/// A run of `count` with this many lines of this length.
pub async fn long_log(folder: &Path, lines: u64, bytes: usize) -> RunId {
    let store = SqliteStore::open(folder, Synchronous::Normal).unwrap();
    let claim = held(&store, "count").await;
    let at = jiff::Timestamp::UNIX_EPOCH;
    let line = |seq| LogLine { seq, at, level: Level::Info, text: "x".repeat(bytes), styles: Vec::new() };
    for first in (1..=lines).step_by(1_000) {
        let lines = (first..first + 1_000).filter(|seq| *seq <= lines).map(line).collect();
        store.append(claim.lease, Batch::default().lines(lines)).await.unwrap();
    }
    store.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    claim.run.id
}
