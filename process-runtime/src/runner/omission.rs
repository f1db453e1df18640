//! Owns which lines of a log that has grown too long are omitted, and when.
//! Refuses to know how a line is removed.

use std::collections::VecDeque;

use crate::limits::Limits;
use crate::run::{Level, LogLine, RunId};
use crate::store::{Batch, LogFilter, Omit, Store};
use crate::text::OneLine;

/// How many warnings, errors among them, are kept of what is omitted.
const MAX_WARNINGS: usize = 10_000;
/// With those of this many that are errors: however much was warned of, there is a place for them.
const MAX_ERRORS: usize = 12_000;
/// Lines are omitted so many at a time, or fewer where less is kept.
const MAX_STEP: usize = 5_000;
/// How many lines are read at a time.
const PAGE: usize = 1_000;

/// How much of a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogLimits {
    /// How many lines from its beginning.
    head: usize,
    /// How many from its end. There may be an eighth more of them, until it is worth to remove some.
    tail: usize,
    /// How much text, in bytes: a quarter of it is for the head, a quarter for what is kept of what is omitted.
    bytes: usize,
}

impl LogLimits {
    pub(super) fn of(limits: &Limits) -> Self {
        // The last line's number is where a run that goes on continues to count.
        Self { head: limits.log_head, tail: limits.log_tail.max(1), bytes: limits.log_bytes.max(1) }
    }
}

/// Follows a log that grows. Of what lies between head and tail only the serious lines are kept, and of
/// those not without end either.
#[derive(Debug)]
pub(super) struct Omission {
    limits: LogLimits,
    /// How many lines of the head are still to come, and how many bytes.
    head_left: usize,
    head_bytes_left: usize,
    /// The last line that was counted.
    counted: u64,
    /// The last line of the head or of what was omitted.
    omitted: u64,
    /// What lies behind that, in steps; the last one may go on.
    steps: VecDeque<Step>,
    /// How much the steps have.
    size: Size,
    /// Lines of this level and above are kept.
    keep: Option<Level>,
    /// How much was.
    kept: Size,
}

/// Some lines.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    lines: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Lines that are omitted together.
#[derive(Debug, Default)]
struct Step {
    last: u64,
    size: Size,
    warnings: Size,
    errors: Size,
}

impl Omission {
    pub(super) fn new(limits: LogLimits) -> Self {
        Self {
            limits,
            head_left: limits.head,
            head_bytes_left: limits.bytes / 4,
            counted: 0,
            omitted: 0,
            steps: VecDeque::new(),
            size: Size::default(),
            keep: Some(Level::Warn),
            kept: Size::default(),
        }
    }

    /// Goes on with the log of a run as it is stored, up to its line `last`.
    pub(super) async fn resumed(limits: LogLimits, store: &dyn Store, run: RunId, last: u64) -> Self {
        let mut omission = Self::new(limits);
        while omission.counted < last {
            match store.log(run, LogFilter::after(omission.counted, PAGE)).await {
                Ok(lines) if lines.is_empty() => break,
                Ok(lines) => omission.count(&lines),
                Err(error) => {
                    // More is kept then than need be.
                    tracing::error!(%run, "the log could not be counted: {}", OneLine(&error));
                    break;
                }
            }
        }
        omission
    }

    /// Looks at a batch on its way to the store, and says in it what can go.
    pub(super) fn look(&mut self, batch: &mut Batch) {
        self.count(&batch.lines);
        // A batch that comes again, because the store could not write, still has its own.
        if batch.omit.is_none() {
            batch.omit = self.due();
        }
    }

    fn count(&mut self, lines: &[LogLine]) {
        let full = (self.limits.tail / 8).clamp(1, MAX_STEP);
        let seen = lines.partition_point(|line| line.seq <= self.counted);
        for line in lines.iter().skip(seen) {
            self.counted = line.seq;
            let bytes = line.text.len();
            if self.head_left > 0 && bytes <= self.head_bytes_left {
                self.head_left -= 1;
                self.head_bytes_left -= bytes;
                self.omitted = line.seq;
                continue;
            }
            // The head has no gaps.
            self.head_left = 0;
            let is_full = |step: &Step| step.size.lines >= full || step.size.bytes >= self.limits.bytes / 16;
            if self.steps.back().is_none_or(is_full) {
                self.steps.push_back(Step::default());
            }
            let one = Size { lines: 1, bytes };
            if let Some(step) = self.steps.back_mut() {
                step.last = line.seq;
                step.size.add(one);
                if line.level >= Level::Warn {
                    step.warnings.add(one);
                }
                if line.level >= Level::Error {
                    step.errors.add(one);
                }
            }
            self.size.add(one);
        }
    }

    /// The steps that can go now. Those of which something else is kept go the next time.
    fn due(&mut self) -> Option<Omit> {
        let first = self.omitted + 1;
        let mut keep = None;
        while let Some(step) = self.steps.front() {
            let left = Size {
                lines: self.size.lines - step.size.lines,
                bytes: self.size.bytes.saturating_sub(step.size.bytes),
            };
            if left.lines < self.limits.tail && left.bytes < (self.limits.bytes / 2).max(1) {
                break;
            }
            let (step_keeps, kept) = self.kept_of(step);
            if *keep.get_or_insert(step_keeps) != step_keeps {
                break;
            }
            self.keep = step_keeps;
            self.kept.add(kept);
            self.omitted = step.last;
            self.size = left;
            self.steps.pop_front();
        }
        keep.map(|keep| Omit { lines: first..=self.omitted, keep })
    }

    /// What is kept of a step, and how much that is. What once was too much stays so.
    fn kept_of(&self, step: &Step) -> (Option<Level>, Size) {
        let bytes = self.limits.bytes;
        let warnings = (Level::Warn, step.warnings, Size { lines: MAX_WARNINGS, bytes: bytes / 8 });
        let errors = (Level::Error, step.errors, Size { lines: MAX_ERRORS, bytes: bytes / 4 });
        let fits = |(level, size, most): &(Level, Size, Size)| {
            let mut all = self.kept;
            all.add(*size);
            self.keep.is_some_and(|keep| *level >= keep) && all.lines <= most.lines && all.bytes <= most.bytes
        };
        let kept = [warnings, errors].into_iter().find(fits);
        kept.map_or((None, Size::default()), |(level, size, _)| (Some(level), size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log as a store would keep it.
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
            if let Some(Omit { lines, keep }) = batch.omit {
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
        LogLine { seq, at: jiff::Timestamp::UNIX_EPOCH, level, text: String::new() }
    }

    fn plain(seq: u64) -> LogLine {
        line(seq, Level::Info)
    }

    #[test]
    fn a_short_log_is_kept_whole() {
        let mut log = Kept::new(10, 80);
        log.add((1..=99).map(plain), 7);
        assert_eq!((log.numbers(), log.omits), ((1..=99).collect(), 0));
    }

    #[test]
    fn of_a_long_log_head_tail_and_every_warning_are_kept() {
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
            assert!(log.most <= 12 + 90 + at_once, "{} at once: {} lines", at_once, log.most);
        }
    }

    #[test]
    fn a_million_lines_are_omitted_in_few_steps() {
        let limits = LogLimits::of(&Limits::DEFAULT);
        let mut log = Kept::new(limits.head, limits.tail);
        log.add((1..=200_000).map(plain), 500);
        assert!(log.most <= 50_500 && log.omits <= 32, "{} lines, {} times", log.most, log.omits);
        // What comes at once goes at once.
        log.add((200_001..=1_000_000).map(plain), 100_000);
        assert!(
            log.lines.len() <= 50_000 && log.omits <= 40,
            "{} lines, {} times",
            log.lines.len(),
            log.omits
        );
    }

    #[test]
    fn lines_are_counted_and_not_their_numbers() {
        let mut log = Kept::new(2, 8);
        // Where more is logged than can be taken, the numbers jump.
        log.add((1..=20).map(|seq| plain(seq * 1_000)), 1);
        assert_eq!(
            log.numbers(),
            [1_000, 2_000].into_iter().chain((13..=20).map(|seq| seq * 1_000)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn warnings_are_not_kept_without_end_and_errors_have_a_place_behind_them() {
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
    fn a_log_of_long_lines_keeps_head_tail_and_warnings_within_its_bytes() {
        let long = |seq, level| LogLine { text: "x".repeat(1_000), ..line(seq, level) };
        for at_once in [1, 50, 1_000] {
            let mut log = Kept::new(5_000, 40_000);
            log.omission.limits.bytes = 160_000;
            log.omission.head_bytes_left = 40_000;
            let level = |seq| if seq % 5 == 0 { Level::Warn } else { Level::Info };
            log.add((1..=10_000).map(|seq| long(seq, level(seq))), at_once);
            let numbers = log.numbers();
            assert_eq!(numbers[..40], (1..=40).collect::<Vec<_>>(), "the head");
            assert_eq!(
                numbers[40..60],
                (9..=28).map(|seq| seq * 5).collect::<Vec<_>>(),
                "the first warnings"
            );
            let tail = &numbers[60..];
            assert!((80..=100).contains(&tail.len()), "{at_once} at once: {}", tail.len());
            assert!(tail.last() == Some(&10_000) && tail.windows(2).all(|two| two[1] == two[0] + 1));
        }
    }

    #[test]
    fn a_batch_that_comes_again_is_counted_once_and_still_says_what_can_go() {
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
    fn a_log_that_goes_on_keeps_its_head_and_its_warnings() {
        let mut log = Kept::new(10, 80);
        log.add((1..=500).map(|seq| line(seq, if seq == 50 { Level::Warn } else { Level::Info })), 20);
        log.omission = Omission::new(limits(10, 80));
        log.omission.count(&log.lines);
        log.add((501..=1_000).map(plain), 20);
        assert_eq!(log.numbers()[..11], (1..=10).chain([50]).collect::<Vec<_>>());
        assert!(log.lines.len() <= 10 + 1 + 90);
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_stored_log_is_counted_to_its_end() {
        use crate::run::Run;
        use crate::store::sqlite::{SqliteStore, Synchronous};
        use crate::store::{ClaimId, Claimable, NodeId, Terms, Wanted};

        let folder = std::env::temp_dir().join(RunId::new().to_string());
        let store = SqliteStore::open(&folder, Synchronous::Normal).unwrap();
        store.start(Run::queued("a", "A", serde_json::Map::new()), Terms::default()).await.unwrap();
        let process = Claimable { process: "a".into(), concurrency: 1, resumable: true };
        let wanted = Wanted {
            processes: vec![process],
            orphans: false,
            lease: std::time::Duration::from_secs(60),
            node: NodeId::new(),
            claim: ClaimId::new(),
        };
        let claim = store.claim(wanted).await.unwrap().unwrap();
        // More than is read at a time, and with a gap.
        let lines: Vec<_> = (1..=1_500).chain(2_001..=3_000).map(plain).collect();
        let limits = limits(10, 2_400);
        let mut counted = Omission::new(limits);
        counted.count(&lines);
        store.append(claim.lease, Batch { lines, ..Batch::default() }).await.unwrap();
        let resumed = Omission::resumed(limits, &store, claim.run.id, 3_000).await;
        assert_eq!(format!("{resumed:?}"), format!("{counted:?}"));
        assert_eq!((resumed.counted, resumed.size.lines), (3_000, 2_490));
        drop(store);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
