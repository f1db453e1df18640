//! Which lines of a long log are kept, and that omitted ones are counted.

use super::*;

/// A log as a store keeps it.
struct Kept {
    omission: Omission,
    lines: Vec<LogLine>,
    omits: usize,
    most: usize,
}

impl Kept {
    fn new(head: usize, tail: usize) -> Self {
        let omission = Omission::new(limits(head, tail));
        Self { omission, lines: Vec::new(), omits: 0, most: 0 }
    }

    fn store(&mut self, mut batch: Batch) {
        self.omission.look(&mut batch);
        self.lines.append(&mut batch.lines);
        self.most = self.most.max(self.lines.len());
        if let Some(TrimLog { lines, keep }) = batch.omit {
            self.omits += 1;
            let kept = |line: &LogLine| keep.is_some_and(|keep| line.level >= keep);
            self.lines.retain(|line| !lines.contains(&line.seq) || kept(line));
        }
    }

    fn add(&mut self, lines: impl Iterator<Item = LogLine>, at_once: usize) {
        let lines: Vec<_> = lines.collect();
        for lines in lines.chunks(at_once) {
            self.store(Batch { lines: lines.to_vec(), ..Batch::default() });
        }
    }

    fn numbers(&self) -> Vec<u64> {
        self.lines.iter().map(|line| line.seq).collect()
    }
}

fn limits(head: usize, tail: usize) -> LogLimits {
    LogLimits { head, tail, ..LogLimits::of(&Limits::DEFAULT) }
}

fn line(seq: u64, level: Level) -> LogLine {
    LogLine { seq, at: jiff::Timestamp::UNIX_EPOCH, level, text: String::new(), styles: Vec::new() }
}

fn plain(seq: u64) -> LogLine {
    line(seq, Level::Info)
}

#[test]
fn short_log_is_kept_whole() {
    let mut log = Kept::new(10, 80);
    log.add((1..=99).map(plain), 7);
    assert_eq!((log.numbers(), log.omits), ((1..=99).collect(), 0));
}

#[test]
fn long_log_keeps_head_tail_warnings() {
    for at_once in [1, 7, 64, 5_000] {
        let mut log = Kept::new(10, 80);
        let level = |seq| match seq {
            300 => Level::Warn,
            600 => Level::Error,
            601 => Level::Debug,
            _ => Level::Info,
        };
        log.add((1..=1_000).map(|seq| line(seq, level(seq))), at_once);
        let head_and_warnings: Vec<u64> = (1..=10).chain([300, 600]).collect();
        let numbers = log.numbers();
        let (first, tail) = numbers.split_at(12);
        assert_eq!(first, head_and_warnings, "{at_once} at once");
        assert_eq!(tail.last(), Some(&1_000));
        assert!((80..=90).contains(&tail.len()), "{} at once: {} lines", at_once, tail.len());
        assert!(tail.windows(2).all(|two| two[1] == two[0] + 1));
        assert_eq!(log.omission.gone() as usize, 1_000 - numbers.len());
        assert!(log.most <= 12 + 90 + at_once, "{} at once: {} lines", at_once, log.most);
    }
}

#[test]
fn million_lines_omitted_in_few_steps() {
    let limits = LogLimits::of(&Limits::DEFAULT);
    let mut log = Kept::new(limits.head, limits.tail);
    log.add((1..=200_000).map(plain), 500);
    assert!(log.most <= 50_500 && log.omits <= 32, "{} lines, {} times", log.most, log.omits);
    // Lines that arrive together are omitted together.
    log.add((200_001..=1_000_000).map(plain), 100_000);
    assert!(log.lines.len() <= 50_000 && log.omits <= 40, "{} lines, {} times", log.lines.len(), log.omits);
}

#[test]
fn omission_counts_lines_not_numbers() {
    let mut log = Kept::new(2, 8);
    // If more is logged than the buffer takes, the numbers have gaps.
    log.add((1..=20).map(|seq| plain(seq * 1_000)), 1);
    assert_eq!(
        log.numbers(),
        [1_000, 2_000].into_iter().chain((13..=20).map(|seq| seq * 1_000)).collect::<Vec<_>>()
    );
}

#[test]
fn warnings_are_capped_before_errors() {
    let mut log = Kept::new(0, 800);
    let level = |seq| if seq % 1_000 == 0 { Level::Error } else { Level::Warn };
    log.add((1..=3_000_000).map(|seq| line(seq, level(seq))), 10_000);
    let omitted = log.lines.len() - 900;
    assert!((MAX_ERRORS - 500..=MAX_ERRORS).contains(&omitted), "{omitted}");
    let errors = log.lines.iter().filter(|line| line.level == Level::Error).count();
    assert!(errors >= MAX_ERRORS - MAX_WARNINGS, "{errors}");
    // In order: first all of them, then the errors, then nothing up to the tail.
    assert_eq!(log.lines[5_000].seq, 5_001);
}

#[test]
fn byte_limit_keeps_head_tail_warnings() {
    let long = |seq, level| LogLine { text: "x".repeat(1_000), ..line(seq, level) };
    for at_once in [1, 50, 1_000] {
        let mut log = Kept::new(5_000, 40_000);
        log.omission.limits.bytes = 160_000;
        log.omission.head_bytes_left = 40_000;
        let level = |seq| if seq % 5 == 0 { Level::Warn } else { Level::Info };
        log.add((1..=10_000).map(|seq| long(seq, level(seq))), at_once);
        let numbers = log.numbers();
        assert_eq!(numbers[..40], (1..=40).collect::<Vec<_>>(), "the head");
        assert_eq!(numbers[40..60], (9..=28).map(|seq| seq * 5).collect::<Vec<_>>(), "the first warnings");
        let tail = &numbers[60..];
        assert!((90..=100).contains(&tail.len()), "{at_once} at once: {}", tail.len());
        assert_eq!(log.omission.gone() as usize, 10_000 - numbers.len());
        assert!(tail.last() == Some(&10_000) && tail.windows(2).all(|two| two[1] == two[0] + 1));
    }
}

#[test]
fn no_omission_below_byte_limit() {
    let long = |seq| LogLine { text: "x".repeat(1_000), ..plain(seq) };
    let mut log = Kept::new(5_000, 40_000);
    log.omission = Omission::new(LogLimits { bytes: 160_000, ..limits(5_000, 40_000) });
    log.add((1..=160).map(long), 7);
    assert_eq!((log.lines.len(), log.omission.gone()), (160, 0));
    log.add((161..=170).map(long), 7);
    let bytes: usize = log.lines.iter().map(|line| line.text.len()).sum();
    assert!((145_000..=160_000).contains(&bytes), "{bytes}");
    // A single line above the limit is kept as long as it is the last.
    log.add([LogLine { text: "x".repeat(1_000_000), ..plain(171) }].into_iter(), 1);
    assert_eq!(log.lines.last().map(|line| line.seq), Some(171));
}

#[test]
fn retried_batch_is_counted_once() {
    let mut log = Kept::new(0, 8);
    let mut batch = Batch { lines: (1..=20).map(plain).collect(), ..Batch::default() };
    log.omission.look(&mut batch);
    let omit = batch.omit.clone();
    batch.lines.push(plain(21));
    log.omission.look(&mut batch);
    assert_eq!((&batch.omit, omit.is_some()), (&omit, true));
    log.store(batch);
    assert_eq!(log.numbers(), (13..=21).collect::<Vec<_>>());
    log.add([plain(22)].into_iter(), 1);
    assert_eq!(log.numbers(), (15..=22).collect::<Vec<_>>());
}

#[test]
fn resumed_log_keeps_head_and_warnings() {
    let mut log = Kept::new(10, 80);
    log.add((1..=500).map(|seq| line(seq, if seq == 50 { Level::Warn } else { Level::Info })), 20);
    log.omission = Omission::new(limits(10, 80));
    log.omission.count(&log.lines);
    log.add((501..=1_000).map(plain), 20);
    assert_eq!(log.numbers()[..11], (1..=10).chain([50]).collect::<Vec<_>>());
    assert!(log.lines.len() <= 10 + 1 + 90);
    assert_eq!(log.omission.gone() as usize, 1_000 - log.lines.len());
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn stored_log_is_counted_fully() {
    use crate::run::Run;
    use crate::store::sqlite::{SqliteStore, Synchronous};
    use crate::store::{ClaimRequest, ClaimTarget, NodeId, StartOptions};

    let folder = std::env::temp_dir().join(RunId::new().to_string());
    let store = SqliteStore::open(&folder, Synchronous::Normal).unwrap();
    store.start(Run::queued("a", "A", serde_json::Map::new()), StartOptions::default()).await.unwrap();
    let process = ClaimTarget::new("a").concurrency(1).resumable(true);
    let wanted = ClaimRequest::new(NodeId::new(), std::time::Duration::from_secs(60))
        .processes(vec![process])
        .suspects(true);
    let claim = store.claim(wanted).await.unwrap().unwrap();
    // More than one read returns, and with a gap.
    let lines: Vec<_> = (1..=1_500).chain(2_001..=3_000).map(plain).collect();
    let limits = limits(10, 2_400);
    let mut counted = Omission::new(limits);
    counted.count(&lines);
    store.append(claim.lease, Batch { lines, ..Batch::default() }).await.unwrap();
    let resumed = Omission::resumed(limits, &store, claim.run.id, 3_000).await;
    assert_eq!(format!("{resumed:?}"), format!("{counted:?}"));
    assert_eq!((resumed.counted, resumed.size.lines, resumed.gone()), (3_000, 2_490, 500));
    drop(store);
    std::fs::remove_dir_all(folder).unwrap();
}
