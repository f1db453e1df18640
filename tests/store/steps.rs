//! What may happen to a store in a random life, and how likely it is.

use std::time::Duration;

use proptest::prelude::*;

pub(crate) const PROCESSES: [&str; 3] = ["a", "a/b", "c"];
pub(crate) const TEXTS: [&str; 5] = ["", "100 % done", "UNDER_score", "a\u{0}b \\ c", "ÄRGER\nline"];
/// Some of them are in the inputs or errors of runs.
pub(crate) const SOUGHT: [&str; 4] = ["Xx", "no", "gone", ""];
const HUGE: Duration = Duration::from_secs(1 << 40);

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Start {
        process: usize,
        run: Details,
        key: Option<u8>,
        exclusive: bool,
        /// How many may wait: in all, of the process, of the actor.
        waiting: [usize; 3],
    },
    Claim {
        wanted: Vec<(usize, usize, bool)>,
        lease: Duration,
    },
    Heartbeat {
        who: Who,
        lease: Duration,
    },
    Append {
        who: Who,
        news: News,
    },
    Finish {
        who: Who,
        news: News,
        outcome: usize,
    },
    Release {
        who: Who,
        news: News,
        to: usize,
        /// In seconds.
        wait: u64,
    },
    Control {
        whom: usize,
        control: usize,
    },
    Prune {
        /// This many seconds ago.
        before: Option<u64>,
        newest: Option<usize>,
    },
    Log {
        whom: usize,
        after: u64,
        limit: usize,
        level: Option<usize>,
        contains: Option<usize>,
    },
    Runs {
        process: Option<usize>,
        except: Vec<usize>,
        statuses: Vec<usize>,
        actor: Option<u8>,
        between: [Option<i64>; 2],
        number: Option<u64>,
        failed_items: bool,
        contains: Option<usize>,
        ranked: bool,
        /// Behind which run of the whole list.
        after: Option<usize>,
        limit: usize,
    },
    Clock {
        seconds: i64,
    },
    Restart,
    FillDisk,
    FreeDisk,
}

#[derive(Debug, Clone)]
pub(crate) struct Details {
    pub(crate) priority: i16,
    pub(crate) place: Option<u8>,
    pub(crate) actor: Option<u8>,
    pub(crate) size: usize,
}

/// The lease to use, counted from the last: a valid one, any earlier one, or a forged one.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    pub(crate) holds: bool,
    pub(crate) back: usize,
    pub(crate) off: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct News {
    pub(crate) lines: Vec<(usize, usize)>,
    pub(crate) overlap: u64,
    pub(crate) omit: Option<(u64, u64, Option<usize>)>,
    pub(crate) progress: Option<u8>,
    pub(crate) cursor: Option<u8>,
    pub(crate) stalled: Option<bool>,
    pub(crate) files: Option<u8>,
    pub(crate) failed_items: Option<u8>,
    pub(crate) elapsed_ms: u64,
}

fn some<T: Clone + std::fmt::Debug>(values: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop_oneof![3 => Just(None), 1 => values.prop_map(Some)]
}

fn leases() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(Duration::ZERO), Just(HUGE)]
}

fn who() -> impl Strategy<Value = Who> {
    let off = prop_oneof![12 => Just(0_u64), 1 => 1..3_u64];
    (prop::bool::weighted(0.8), prop_oneof![4 => Just(0_usize), 2 => 1..4_usize], off)
        .prop_map(|(holds, back, off)| Who { holds, back, off })
}

fn news() -> impl Strategy<Value = News> {
    let lines = prop::collection::vec((0..4_usize, 0..TEXTS.len()), 0..5);
    let omit = some((0..8_u64, 0..8_u64, some(0..4_usize)));
    (
        lines,
        0..4_u64,
        omit,
        some(0..4_u8),
        some(0..3_u8),
        some(any::<bool>()),
        [some(0..3_u8), some(0..3_u8)],
        0..9_u64,
    )
        .prop_map(
            |(lines, overlap, omit, progress, cursor, stalled, [files, failed_items], elapsed_ms)| News {
                lines,
                overlap,
                omit,
                progress,
                cursor,
                stalled,
                files,
                failed_items,
                elapsed_ms,
            },
        )
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let details = (-1..2_i16, some(0..2_u8), some(0..2_u8), prop_oneof![Just(0_usize), Just(9_000)])
        .prop_map(|(priority, place, actor, size)| Details { priority, place, actor, size });
    let most = || prop_oneof![10 => Just(usize::MAX), 1 => 0..4_usize];
    let waiting = [most(), most(), most()];
    let start = (0..3_usize, details, some(0..3_u8), prop::bool::weighted(0.2), waiting).prop_map(
        |(process, run, key, exclusive, waiting)| Step::Start { process, run, key, exclusive, waiting },
    );
    let wanted = (0..3_usize, prop_oneof![Just(usize::MAX), 0..3_usize], any::<bool>());
    let claim = (prop::collection::vec(wanted, 1..4), leases()).prop_map(|(mut wanted, lease)| {
        wanted.sort_by_key(|(process, ..)| *process);
        wanted.dedup_by_key(|(process, ..)| *process);
        Step::Claim { wanted, lease }
    });
    let moment = || some(-9_000..9_000_i64);
    let runs = (
        (some(0..3_usize), prop::collection::vec(0..3_usize, 0..2)),
        prop::collection::vec(0..8_usize, 0..3),
        (some(0..2_u8), some(1..9_u64), prop::bool::weighted(0.2), some(0..SOUGHT.len())),
        [moment(), moment()],
        (any::<bool>(), some(0..6_usize), 0..9_usize),
    )
        .prop_map(
            |(
                (process, except),
                statuses,
                (actor, number, failed_items, contains),
                between,
                (ranked, after, limit),
            )| Step::Runs {
                process,
                except,
                statuses,
                actor,
                between,
                number,
                failed_items,
                contains,
                ranked,
                after,
                limit,
            },
        );
    let log = (0..9_usize, 0..6_u64, 0..9_usize, some(0..4_usize), some(0..TEXTS.len()))
        .prop_map(|(whom, after, limit, level, contains)| Step::Log { whom, after, limit, level, contains });
    let step = prop_oneof![
        8 => start,
        9 => claim,
        3 => (who(), leases()).prop_map(|(who, lease)| Step::Heartbeat { who, lease }),
        6 => (who(), news()).prop_map(|(who, news)| Step::Append { who, news }),
        3 => (who(), news(), 0..5_usize).prop_map(|(who, news, outcome)| Step::Finish { who, news, outcome }),
        3 => (who(), news(), 0..3_usize, 0..3_600_u64)
            .prop_map(|(who, news, to, wait)| Step::Release { who, news, to, wait }),
        6 => (0..9_usize, 0..4_usize).prop_map(|(whom, control)| Step::Control { whom, control }),
        2 => (some(0..7_200_u64), some(0..3_usize)).prop_map(|(before, newest)| Step::Prune { before, newest }),
        2 => log,
        4 => runs,
        3 => prop_oneof![0..60_i64, -9_000..9_000_i64].prop_map(|seconds| Step::Clock { seconds }),
        1 => Just(Step::Restart),
        1 => Just(Step::FillDisk),
        2 => Just(Step::FreeDisk),
    ];
    prop::collection::vec(step, 1..200)
}
