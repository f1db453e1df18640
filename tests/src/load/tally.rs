//! The counters that all viewers share.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;

use super::report::{Counts, Latency, Report};
use super::scan::Name;

/// The counts so far.
pub(super) struct Tally {
    pub(super) report: Report,
    began: Instant,
    latency: Histogram<u64>,
    /// The first time in this wave.
    wave_began: u64,
}

impl Tally {
    pub(super) fn new() -> Self {
        let minute = 60_000_000_000;
        // Two digits: finer than any machine is steady.
        let latency = Histogram::new_with_bounds(1, minute, 2).unwrap();
        Self { report: Report::default(), began: Instant::now(), latency, wave_began: u64::MAX }
    }

    pub(super) fn event(&mut self, name: Name) {
        let Counts { snapshot, progress, log, end, ping, other } = &mut self.report.events;
        *match name {
            Name::Snapshot => snapshot,
            Name::Progress => progress,
            Name::Log => log,
            Name::End => end,
            Name::Ping => ping,
            Name::Other => other,
        } += 1;
    }

    /// A line that was written at `stamp` and read at `now`.
    pub(super) fn line(&mut self, stamp: u64, now: u64) {
        self.report.lines += 1;
        self.wave_began = self.wave_began.min(stamp);
        self.latency.saturating_record(now.saturating_sub(stamp).max(1));
    }

    /// A line that came late, in a snapshot: it counts as delivered, without a latency.
    pub(super) fn old_line(&mut self, stamp: u64) {
        self.report.old_lines += 1;
        self.wave_began = self.wave_began.min(stamp);
    }

    /// All have got what they wait for.
    pub(super) fn wave(&mut self) {
        self.report.waves_ns.push(now().saturating_sub(self.wave_began));
        self.wave_began = u64::MAX;
    }

    pub(super) fn error(&mut self, error: impl ToString) {
        self.report.errors += 1;
        self.report.error.get_or_insert_with(|| error.to_string());
    }

    pub(super) fn finish(mut self) -> Report {
        let at = |quantile| self.latency.value_at_quantile(quantile);
        self.report.latency =
            Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max: self.latency.max() };
        self.report.elapsed_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.report
    }
}

/// In nanoseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
