//! The store's files stay small: free pages are returned to the disk, and the write-ahead log stays short.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use process_runtime::run::{Level, LogLine, Outcome};
use process_runtime::store::sqlite::SqliteStore;
use process_runtime::store::{Lease, LogFilter, Retention, RunFilter, StartOptions, Store};
use process_tests::conformance::{batch_of, claimable, line, run_of, wanted};
use rusqlite::Connection;

use super::{folder, open};

const MIB: u64 = 1 << 20;

fn length(folder: &Path, name: &str) -> u64 {
    std::fs::metadata(folder.join(name)).map_or(0, |file| file.len())
}

/// This many lines of a thousand bytes each.
fn thousands(numbers: std::ops::RangeInclusive<u64>) -> Vec<LogLine> {
    numbers.map(|n| line(n, Level::Info, &"x".repeat(1_000))).collect()
}

async fn held(store: &SqliteStore) -> Lease {
    store.start(run_of("count"), StartOptions::default()).await.unwrap();
    store.claim(wanted(vec![claimable("count")])).await.unwrap().unwrap().lease
}

/// An ended run with 20 MB of log.
async fn fill(store: &SqliteStore) {
    let lease = held(store).await;
    for thousand in 0..20 {
        let lines = thousands(thousand * 1_000 + 1..=thousand * 1_000 + 1_000);
        store.append(lease, batch_of(lines)).await.unwrap();
    }
    store.finish(lease, batch_of(Vec::new()), Outcome::Cancelled).await.unwrap();
}

async fn remove_all(store: &SqliteStore) {
    let all = Retention::default().newest(0);
    while store.prune(all.clone()).await.unwrap().more {}
    assert_eq!(store.runs(RunFilter::default().limit(9)).await.unwrap(), []);
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} does not happen within a minute");
}

#[tokio::test]
async fn file_shrinks_after_pruning() {
    let folder = folder();
    let store = open(folder.path());
    fill(&store).await;
    remove_all(&store).await;
    // Some free pages are kept for later writes.
    let file = || length(folder.path(), "runs.sqlite3");
    until("shrinking", || file() < 6 * MIB).await;
    fill(&store).await;
    assert_eq!(store.checked().await.unwrap().damaged, 0);
}

#[tokio::test]
async fn older_file_learns_to_shrink() {
    for name in ["format-1.sqlite3", "format-2.sqlite3"] {
        let folder = folder();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
        std::fs::copy(golden, folder.path().join("runs.sqlite3")).unwrap();
        let mode = |folder: &Path| -> i64 {
            let db = Connection::open(folder.join("runs.sqlite3")).unwrap();
            db.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)).unwrap()
        };
        assert_eq!(mode(folder.path()), 0, "{name}");
        let store = open(folder.path());
        fill(&store).await;
        let before = store.runs(RunFilter::default().limit(99)).await.unwrap();
        assert!(before.len() > 1);
        drop(store);
        assert_eq!(mode(folder.path()), 2, "{name}");
        let store = open(folder.path());
        assert_eq!(store.runs(RunFilter::default().limit(99)).await.unwrap(), before);
        while store.prune(Retention::default().newest(0)).await.unwrap().more {}
        let file = || length(folder.path(), "runs.sqlite3");
        until("shrinking", || file() < 6 * MIB).await;
    }
}

#[tokio::test]
async fn wal_stays_short_beside_readers() {
    let folder = folder();
    let store = Arc::new(open(folder.path()));
    let lease = held(&store).await;
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let filter = LogFilter::default().contains("nothing has it".to_owned());
                loop {
                    store.log(lease.run, filter.clone()).await.unwrap();
                }
            })
        })
        .collect();
    let log = || length(folder.path(), "runs.sqlite3-wal");
    for thousand in 0..120 {
        let lines = thousands(thousand * 1_000 + 1..=thousand * 1_000 + 1_000);
        store.append(lease, batch_of(lines)).await.unwrap();
        assert!(log() < 64 * MIB, "{} bytes of write-ahead log", log());
    }
    readers.iter().for_each(|reader| reader.abort());
    until("cutting off", || log() <= 8 * MIB).await;
}
