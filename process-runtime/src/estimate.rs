//! The rate of a stage and the time left, from the counts that a run reports and the time it has worked.
//!
//! Everything here is a function of what was observed: no clock, no randomness. Whoever observes the same counts at the
//! same times gets the same estimate, and an estimator that is [seeded](Estimator::resumed) with a count and a time has one
//! at once.

mod history;
mod of_run;
mod stages;
#[cfg(test)]
mod tests;

use crate::run::Estimate;
use history::{History, Knot, MAX_KNOTS, PREDICTORS, PRIORS};
pub(crate) use of_run::RunEstimator;
pub(crate) use stages::Weights;
use stages::{StageProgress, time_left};

/// No estimate before a new stage has worked for so long, and has made so many steps forward.
const MIN_MS: f64 = 3_000.0;
const MIN_STEPS: u64 = 2;
/// A knot is kept each time this part of the stage's time has passed, but not more often than events are sent.
const KNOTS_PER_STAGE: f64 = 200.0;
const MIN_SPACING_MS: f64 = 50.0;
/// A gap this many times as long as all before is a pause, not a part of the work.
const PAUSE_FACTOR: f64 = 4.0;
/// Shorter gaps, and gaps among so few others, are never pauses.
const MIN_PAUSE_MS: f64 = 1_000.0;
const MIN_GAPS: u64 = 5;
/// If the first step came in less than this part of the longest gap, steps are reported before their work is done.
const AHEAD_FACTOR: f64 = 12.0;
/// The least time without progress after which an estimate no longer holds.
const MIN_GOOD_FOR_MS: f64 = 5_000.0;
/// The largest integer that every reader of JSON keeps exact.
const MAX_MS: f64 = 9_007_199_254_740_991.0;

/// Estimates the rate and the time left of one stage, or of a run without stages.
///
/// It keeps a short history of the stage and lets several [predictors](history) compete: each is weighted by how well it
/// would have predicted this history. It also knows three things that smoothed rates do not:
///
/// - A pause that is much longer than any gap before it is left out of the history. If pauses recur, the time left grows by
///   their share.
/// - Work that comes in bursts is measured from one burst to the next, not from the middle of one. If steps are reported
///   before their work is done, as `set_progress_of` at the top of a loop does, the last one still counts as open.
/// - A run that resumes begins with the average of its earlier attempt, and trusts its own steps after a few of them.
///
/// Memory is bounded, and [`observe`](Self::observe) neither allocates nor takes more than a few microseconds.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
struct Estimator {
    /// Where the stage began, where it was resumed if it was, and up to [`MAX_KNOTS`] later points. Times are those of
    /// work, without `left_out`.
    knots: Vec<Knot>,
    resumed: bool,
    last: Knot,
    /// The run's elapsed time at the last step forward, and at the last observation.
    at: f64,
    now: f64,
    total: Option<u64>,
    steps: u64,
    /// Gaps between steps: the first, and the longest that is no pause. `open_gap` is the first as long as it may turn
    /// out to be a pause.
    first_gap: f64,
    open_gap: f64,
    longest_gap: f64,
    /// The time without work before the first step and in pauses, and the part of it in pauses.
    left_out: f64,
    paused: f64,
    pauses: u32,
    weights: [f64; PREDICTORS],
}

impl Estimator {
    /// For a stage that begins at this elapsed time of its run, or at 0 for a run without stages.
    fn new(began_ms: u64) -> Self {
        Self::starting_at(float(began_ms), 0.0)
    }

    /// For a stage that was at `current` when an earlier attempt of the run ended, at this elapsed time. It has an estimate
    /// at once.
    fn resumed(began_ms: u64, current: u64, elapsed_ms: u64) -> Self {
        let mut estimator = Self::new(began_ms);
        estimator.now = estimator.now.max(float(elapsed_ms));
        if current > 0 && elapsed_ms > began_ms {
            estimator.last = Knot { at: float(elapsed_ms), count: float(current), before: float(current) };
            estimator.at = float(elapsed_ms);
            estimator.knots.push(estimator.last);
            estimator.resumed = true;
        }
        estimator
    }

    /// Begins anew, for a stage that begins at this elapsed time.
    fn reset(&mut self, began_ms: u64) {
        self.restart(float(began_ms).max(self.now), 0.0);
        self.total = None;
    }

    /// Takes what the run reports at this elapsed time, and gives the estimate.
    ///
    /// Call it at most 20 times a second, with the latest values. A count below the last one forgets the steps above it
    /// but not their time. An elapsed time below the last one counts as the last one.
    fn observe(&mut self, elapsed_ms: u64, current: u64, total: Option<u64>) -> Option<Estimate> {
        self.total = total;
        self.now = self.now.max(float(elapsed_ms));
        let count = float(current);
        if count < self.last.count {
            self.go_back(count);
        } else if count > self.last.count && self.now > self.at {
            self.go_forward(count);
        } else if self.steps == 0 {
            // The stage was prepared until now.
            self.left_out += self.now - self.at;
            self.at = self.now;
        }
        self.estimate()
    }

    /// What is known at the last step forward; `None` if that is too little.
    fn estimate(&self) -> Option<Estimate> {
        let mut scratch = [Knot::default(); MAX_KNOTS];
        let mut history = self.history(&mut scratch)?;
        let worked = self.last.at - history.first().at;
        if !self.resumed && (self.steps < MIN_STEPS || worked < MIN_MS) {
            return None;
        }
        let rate = history.rate(&self.weights);
        if !rate.is_finite() {
            return None;
        }
        let reference = history.last();
        let left = self.total.map(|total| {
            let open = float(total) - reference.count;
            if open <= 0.0 || (float(total) <= self.last.count && !self.is_ahead()) {
                return 0;
            }
            let work = history.time_for(open, &self.weights) * (1.0 + self.pause_share(worked));
            whole(work - (self.last.at - reference.at))
        });
        let mean_gap = worked / float(self.steps.max(1));
        let longest_gap = self.longest_gap.max(self.open_gap);
        let mean_gap = if self.resumed { mean_gap.min(longest_gap.max(MIN_GOOD_FOR_MS)) } else { mean_gap };
        Some(Estimate {
            rate: Some(rate),
            left_ms: left,
            at_ms: whole(self.at),
            good_for_ms: whole(MIN_GOOD_FOR_MS + (3.0 * mean_gap).max(2.0 * longest_gap).max(0.0)),
        })
    }

    fn starting_at(at: f64, count: f64) -> Self {
        let origin = Knot { at, count, before: count };
        let mut knots = Vec::with_capacity(MAX_KNOTS);
        knots.push(origin);
        Self {
            knots,
            resumed: false,
            last: origin,
            at,
            now: at,
            total: None,
            steps: 0,
            first_gap: 0.0,
            open_gap: 0.0,
            longest_gap: 0.0,
            left_out: 0.0,
            paused: 0.0,
            pauses: 0,
            weights: PRIORS,
        }
    }

    /// Like `starting_at`, with the memory that is there.
    fn restart(&mut self, at: f64, count: f64) {
        let mut knots = std::mem::take(&mut self.knots);
        let fresh = Self::starting_at(at, count);
        knots.clear();
        knots.push(fresh.last);
        *self = Self { knots, total: self.total, ..fresh };
    }

    /// Forgets the steps above this count. The time since is that of the steps below.
    fn go_back(&mut self, count: f64) {
        while self.knots.len() > 1 && self.knots.last().is_some_and(|knot| knot.count >= count) {
            self.knots.pop();
        }
        if self.knots.first().is_none_or(|origin| origin.count >= count) {
            return self.restart(self.now, count);
        }
        self.last = Knot { at: self.now - self.left_out, count, before: count };
        self.at = self.now;
        self.knots.push(self.last);
    }

    fn go_forward(&mut self, count: f64) {
        let gap = self.now - self.at;
        let began = self.knots.first().map_or(0.0, |origin| origin.at);
        // The gaps of an earlier attempt are not known.
        let watched_from = self.knots.get(self.base() - 1).map_or(began, |knot| knot.at);
        let worked = self.now - self.left_out - watched_from;
        self.steps = self.steps.saturating_add(1);
        if self.steps == 1 {
            self.first_gap = gap;
            self.open_gap = gap;
        } else if self.is_pause(gap) && gap < worked / 2.0 {
            self.leave_out(gap);
        } else {
            self.longest_gap = self.longest_gap.max(gap);
        }
        // Only the steps after the first gap show whether the work began with it.
        if self.is_pause(self.open_gap) && worked > 1.5 * self.open_gap {
            let gap = std::mem::take(&mut self.open_gap);
            self.leave_out(gap);
            let base = self.base();
            for knot in self.knots.iter_mut().skip(base) {
                knot.at -= gap;
            }
        }
        let knot = Knot { at: self.now - self.left_out, count, before: self.last.count };
        self.at = self.now;
        self.last = knot;
        let spacing = ((knot.at - began) / KNOTS_PER_STAGE).max(MIN_SPACING_MS);
        if self.knots.last().is_none_or(|last| knot.at - last.at >= spacing) {
            self.keep(knot);
        }
    }

    fn is_pause(&self, gap: f64) -> bool {
        self.steps > MIN_GAPS && gap > MIN_PAUSE_MS && gap > PAUSE_FACTOR * self.longest_gap
    }

    fn leave_out(&mut self, gap: f64) {
        self.left_out += gap;
        self.paused += gap;
        self.pauses = self.pauses.saturating_add(1);
    }

    /// How much longer the work takes because of pauses: nothing after the first, which may stay the only one.
    fn pause_share(&self, worked: f64) -> f64 {
        let recurring = f64::from(self.pauses.saturating_sub(1)) / f64::from(self.pauses.max(1));
        if worked > 0.0 { self.paused / worked * recurring } else { 0.0 }
    }

    fn is_ahead(&self) -> bool {
        self.first_gap * AHEAD_FACTOR < self.longest_gap
    }

    /// The number of knots that are never dropped: the origin, and where the run was resumed.
    fn base(&self) -> usize {
        1 + usize::from(self.resumed)
    }

    /// Adds a knot. Of too many, the one is dropped whose neighbours are closest.
    fn keep(&mut self, knot: Knot) {
        if self.knots.len() >= MAX_KNOTS {
            let widths = self.knots.windows(2).zip(self.knots.iter().skip(2).chain([&knot]));
            let widths = widths.map(|(pair, next)| next.at - pair[0].at).enumerate().skip(self.base() - 1);
            if let Some((before, _)) = widths.min_by(|one, other| one.1.total_cmp(&other.1)) {
                self.knots.remove(before + 1);
            }
        }
        self.knots.push(knot);
        let mut scratch = [Knot::default(); MAX_KNOTS];
        if let Some(weights) = self.history(&mut scratch).and_then(|mut history| history.weights()) {
            self.weights = weights;
        }
    }

    /// The knots as predictors see them.
    fn history<'a>(&self, scratch: &'a mut [Knot; MAX_KNOTS]) -> Option<History<'a>> {
        let ahead = self.is_ahead();
        let points = self.knots.iter().map(|knot| (knot.at, if ahead { knot.before } else { knot.count }));
        History::new(points, self.resumed, scratch)
    }
}

fn float(number: u64) -> f64 {
    number as f64
}

/// Whole milliseconds, not negative.
fn whole(ms: f64) -> u64 {
    ms.clamp(0.0, MAX_MS) as u64
}
