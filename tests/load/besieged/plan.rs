//! The schedule: the duration of the siege, when the disk is full, and when each run ends.

use std::ops::Range;
use std::time::Duration;

use process_tests::Chance;
use process_tests::chance::{from_env, seed};

/// How many runs are at work all the time.
const RUNS: u64 = 20;

/// The siege as it is to be, in time since its beginning.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) length: Duration,
    /// When the disk is full: a third of the time, and at most a minute.
    pub(super) full: Range<Duration>,
    /// For how long the program holds a run without a sign of life: half of that, so that none outlives it by luck.
    pub(super) lease: Duration,
    /// When each of the runs ends: some before the disk is full, most meanwhile, some later and some after the siege.
    pub(super) ends: Vec<Duration>,
    /// How long the lines of the talkers are.
    pub(super) bytes: [u64; 2],
    without: String,
}

impl Plan {
    /// From `PROCESS_SIEGE` (seconds), `PROCESS_SIEGE_SEED` and `PROCESS_SIEGE_WITHOUT` (parts, with commas between).
    pub(super) fn from_env() -> Self {
        let seed = seed("PROCESS_SIEGE_SEED");
        let seconds = from_env("PROCESS_SIEGE").unwrap_or(180).max(30);
        let without = std::env::var("PROCESS_SIEGE_WITHOUT").unwrap_or_default();
        Self::of(seed, Duration::from_secs(seconds), without)
    }

    fn of(seed: u64, length: Duration, without: String) -> Self {
        let mut chance = Chance(seed);
        let minute = (length / 3).min(Duration::from_secs(60));
        let full = (length - minute) / 2..(length + minute) / 2;
        let second = Duration::from_secs(1);
        let ends = (0..RUNS).map(|run| {
            let (from, to) = match run {
                0..4 => (length / 10, full.start - second),
                4..12 => (full.start + 2 * second, full.end - second),
                12..16 => (full.end + second, length),
                _ => (length + second, length + 5 * second),
            };
            Duration::from_millis(chance.of(from.as_millis() as u64, to.as_millis() as u64))
        });
        let ends = ends.collect();
        Self { seed, length, lease: minute / 2, full, ends, bytes: [1_000, chance.of(1_001, 1_863)], without }
    }

    /// Whether this part is wanted.
    pub(super) fn has(&self, part: &str) -> bool {
        !self.without.split(',').any(|other| other.trim() == part)
    }

    pub(super) fn leave_out(&mut self, part: &str) {
        self.without += &format!(",{part}");
    }

    /// Whether a request at this time may find the disk full, or the program still recovering.
    pub(super) fn is_full(&self, at: Duration) -> bool {
        self.has("full") && (self.full.start..self.full.end + Duration::from_secs(2)).contains(&at)
    }
}

#[test]
fn runs_end_around_disk_full_minute() {
    for seconds in [30, 60, 180, 3_600] {
        let length = Duration::from_secs(seconds);
        let plan = Plan::of(seconds, length, "talkers, searches".into());
        let within = plan.ends.iter().filter(|end| plan.full.contains(*end)).count();
        assert_eq!((plan.ends.len(), within), (20, 8), "{plan:?}");
        assert!(plan.full.end - plan.full.start >= 2 * plan.lease && plan.ends.iter().max() > Some(&length));
        assert!(plan.has("full") && !plan.has("searches") && plan.is_full(length / 2));
    }
}
