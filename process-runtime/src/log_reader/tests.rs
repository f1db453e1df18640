//! A log is read without gaps wherever its lines are, and each omitted range is returned once.

use serde_json::Map;

use super::*;
use crate::run::{Level, Run};
use crate::store::sqlite::{SqliteStore, Synchronous};
use crate::store::{Batch, ClaimRequest, ClaimTarget, Lease, NodeId, StartOptions, TrimLog};

struct Kept {
    folder: std::path::PathBuf,
    store: Arc<dyn Store>,
    lease: Lease,
    feed: Arc<Feed>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn line(seq: u64) -> LogLine {
    LogLine {
        seq,
        at: jiff::Timestamp::UNIX_EPOCH,
        level: Level::Info,
        text: "x".repeat(1_000),
        styles: Vec::new(),
    }
}

impl Kept {
    async fn new() -> Self {
        let folder = std::env::temp_dir().join(RunId::new().to_string());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder, Synchronous::Normal).unwrap());
        store.start(Run::queued("a", "A", Map::new()), StartOptions::default()).await.unwrap();
        let process = ClaimTarget::new("a").concurrency(1).resumable(true);
        let wanted = ClaimRequest::new(NodeId::new(), std::time::Duration::from_secs(60))
            .processes(vec![process])
            .suspects(true);
        let claim = store.claim(wanted).await.unwrap().unwrap();
        let feed = Feed::new(claim.run.clone(), 0);
        feed.execute_here(claim.run, 0);
        Self { folder, store, lease: claim.lease, feed }
    }

    /// Adds lines to the feed, and stores a part of them.
    async fn say(&self, numbers: std::ops::RangeInclusive<u64>, stored: u64) {
        self.feed.publish(|_| (), numbers.map(line).collect::<Vec<_>>());
        let lines = self.feed.unstored(stored, usize::MAX);
        self.store.append(self.lease, Batch { lines, ..Batch::default() }).await.unwrap();
        self.feed.stored(stored);
    }

    async fn omit(&self, lines: std::ops::RangeInclusive<u64>) {
        let omit = Some(TrimLog { lines, keep: None });
        self.store.append(self.lease, Batch { omit, ..Batch::default() }).await.unwrap();
    }

    fn reader(&self, after: u64) -> LogReader {
        LogReader::new(Arc::clone(&self.store), Arc::clone(&self.feed), after)
    }
}

/// All entries, as line numbers and omitted ranges.
async fn all(reader: &mut LogReader) -> (Vec<u64>, Vec<(u64, u64)>) {
    let (mut numbers, mut gaps) = (Vec::new(), Vec::new());
    loop {
        let entries = reader.next(20_000).await.unwrap();
        if entries.is_empty() {
            return (numbers, gaps);
        }
        assert!(entries.len() <= 21, "{} at a time", entries.len());
        let (lines, omitted) = apart(&entries);
        numbers.extend(lines.iter().map(|line| line.seq));
        gaps.extend(omitted.iter().map(|omitted| (omitted.after, omitted.lines)));
    }
}

#[tokio::test]
async fn lines_come_from_store_then_feed() {
    let kept = Kept::new().await;
    kept.say(1..=3_000, 2_500).await;
    let mut reader = kept.reader(0);
    assert_eq!(all(&mut reader).await, ((1..=3_000).collect(), vec![]));
    kept.say(3_001..=3_010, 2_600).await;
    assert_eq!(all(&mut reader).await, ((3_001..=3_010).collect(), vec![]));
    assert_eq!(all(&mut kept.reader(2_990)).await.0, (2_991..=3_010).collect::<Vec<_>>());
}

#[tokio::test]
async fn omitted_lines_are_reported_once() {
    let kept = Kept::new().await;
    kept.say(1..=3_000, 3_000).await;
    kept.omit(1..=5).await;
    kept.omit(100..=1_999).await;
    let (numbers, gaps) = all(&mut kept.reader(0)).await;
    assert_eq!(gaps, [(0, 5), (99, 1_900)]);
    assert!(numbers.into_iter().eq((6..=99).chain(2_000..=3_000)));
    assert_eq!(all(&mut kept.reader(500)).await.1, [(500, 1_499)]);
    // Lines in memory are read from the feed, though the store has omitted them.
    kept.omit(2_900..=2_950).await;
    assert_eq!(all(&mut kept.reader(2_500)).await.0, (2_501..=3_000).collect::<Vec<_>>());
    // As one finds it later.
    let ended = Feed::new(kept.feed.run(), 3_000);
    let mut later = LogReader::new(Arc::clone(&kept.store), ended, 2_500);
    assert_eq!(all(&mut later).await.1, [(2_899, 51)]);
}

#[tokio::test]
async fn omitted_tail_is_reported() {
    let kept = Kept::new().await;
    kept.say(1..=30, 30).await;
    kept.omit(21..=30).await;
    let ended = Feed::new(kept.feed.run(), 30);
    let mut reader = LogReader::new(Arc::clone(&kept.store), ended, 0);
    assert_eq!(all(&mut reader).await, ((1..=20).collect(), vec![(20, 10)]));
}

#[tokio::test]
async fn lost_lines_are_read_again() {
    let kept = Kept::new().await;
    kept.say(1..=30, 20).await;
    let mut reader = kept.reader(0);
    assert_eq!(all(&mut reader).await.0.len(), 30);
    kept.feed.executed_elsewhere();
    assert_eq!(all(&mut reader).await, (vec![], vec![]));
    kept.feed.publish(|_| (), (21..=25).map(line).collect::<Vec<_>>());
    assert_eq!(all(&mut reader).await, ((21..=25).collect(), vec![]));
}

#[tokio::test]
async fn search_reports_no_gaps() {
    let kept = Kept::new().await;
    kept.say(1..=50, 50).await;
    kept.omit(10..=19).await;
    for (filter, expected) in [
        (LogFilter::default(), 41),
        (LogFilter { level: Some(Level::Info), ..LogFilter::default() }, 40),
        (LogFilter { contains: Some("y".into()), ..LogFilter::default() }, 0),
    ] {
        let mut log = StoredLog::new(Arc::clone(&kept.store), kept.lease.run, filter);
        let mut entries = Vec::new();
        loop {
            let some = log.next(7, usize::MAX).await.unwrap();
            if some.is_empty() {
                break;
            }
            entries.extend(some);
        }
        assert_eq!(entries.len(), expected);
    }
}
