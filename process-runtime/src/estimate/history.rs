//! The history of a stage as a few points, and the predictors of what is left that compete on it.
//!
//! A predictor knows how long the next steps take. The weight of each comes from the history itself: at each earlier point
//! it is asked how long the steps from there to the last point would take, and the answers are compared with what they
//! took.

/// The number of points that are kept.
pub(super) const MAX_KNOTS: usize = 32;
/// The number of predictors: see [`History::predict`].
pub(super) const PREDICTORS: usize = 6;
/// The weights as long as nothing can be compared: the average counts most.
pub(super) const PRIORS: [f64; PREDICTORS] = [2.5, 1.0, 0.1, 0.05, 0.25, 0.3];
/// Those that tell a rate, and not how it changes.
const RATES: usize = 4;

/// Weights fall with this power of the error. Among few comparisons chance decides, so the power is lower.
const POWER: f64 = 10.0;
const FEW: f64 = 8.0;
/// Errors below are as good as none. Errors are logarithms: 0.02 is 2 %.
const SMALL_ERROR: f64 = 0.02;
/// Greater errors are equally bad.
const GREAT_ERROR: f64 = 3.0;
/// The part of the time that counts as recent, and as very recent.
const RECENT: f64 = 0.25;
const VERY_RECENT: f64 = 0.03;
/// A trend is continued for so many times the steps that show it.
const REACH: f64 = 1.5;
/// The earlier attempt of a run counts for so much time, or for the time of so many steps.
const SEED_MS: f64 = 2_000.0;
const SEED_STEPS: f64 = 5.0;

/// A point of the history: `count` steps at `at` ms of work, and `before` steps until then.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Knot {
    pub(super) at: f64,
    pub(super) count: f64,
    pub(super) before: f64,
}

/// At least two points, in which both time and count grow.
pub(super) struct History<'a> {
    knots: &'a mut [Knot],
    /// If the second point is where the run was resumed.
    resumed: bool,
}

impl<'a> History<'a> {
    /// The points with a greater time and count than those before them; `None` if that is only one.
    pub(super) fn new(
        points: impl Iterator<Item = (f64, f64)>,
        resumed: bool,
        scratch: &'a mut [Knot; MAX_KNOTS],
    ) -> Option<Self> {
        let mut len = 0;
        for (at, count) in points {
            let grows = |last: &Knot| at > last.at && count > last.count;
            if len > 0 && !scratch.get(len - 1).is_some_and(grows) {
                continue;
            }
            let Some(knot) = scratch.get_mut(len) else { break };
            *knot = Knot { at, count, before: count };
            len += 1;
        }
        (len >= 2).then(|| Self { knots: &mut scratch[..len], resumed })
    }

    pub(super) fn first(&self) -> Knot {
        self.knots[0]
    }

    pub(super) fn last(&self) -> Knot {
        self.knots[self.knots.len() - 1]
    }

    /// The time for so many further steps, in ms: the geometric mean of what the predictors say.
    pub(super) fn time_for(&mut self, steps: f64, weights: &[f64; PREDICTORS]) -> f64 {
        let predicted = self.predict(self.knots.len(), steps);
        mean(&predicted, weights)
    }

    /// The rate now, per second.
    pub(super) fn rate(&mut self, weights: &[f64; PREDICTORS]) -> f64 {
        let predicted = self.predict(self.knots.len(), 1.0);
        1_000.0 / mean(&predicted[..RATES], &weights[..RATES])
    }

    /// The weight of each predictor; `None` if there is nothing to compare.
    pub(super) fn weights(&mut self) -> Option<[f64; PREDICTORS]> {
        let base = 1 + usize::from(self.resumed);
        let (begin, end) = (*self.knots.get(base - 1)?, self.last());
        let mut errors = [0.0; PREDICTORS];
        let (mut all, mut compared) = (0.0, 0.0);
        for index in base..self.knots.len() - 1 {
            let knot = self.knots[index];
            let took = end.at - knot.at;
            let predicted = self.predict(index + 1, end.count - knot.count);
            // What was known early says less.
            let weight = 1.0 - took / (end.at - begin.at);
            for (error, predicted) in errors.iter_mut().zip(predicted) {
                *error += weight * (predicted / took).ln().clamp(-GREAT_ERROR, GREAT_ERROR).powi(2);
            }
            all += weight;
            compared += 1.0;
        }
        let power = POWER * compared / (compared + FEW);
        let weigh = |(error, prior): (f64, f64)| {
            prior * SMALL_ERROR.mul_add(SMALL_ERROR, error / all).powf(-power / 2.0)
        };
        let mut pairs = errors.into_iter().zip(PRIORS).map(weigh);
        (all > 0.0).then(|| std::array::from_fn(|_| pairs.next().unwrap_or(0.0)))
    }

    /// How long this many steps take after the first `len` points, as each predictor has it, in ms: at the average rate;
    /// at that since the run was resumed; at that of a recent time and of a very recent time; if the time for a step goes
    /// on growing or falling as it did; if it follows a power of the count.
    fn predict(&mut self, len: usize, steps: f64) -> [f64; PREDICTORS] {
        let origin = self.knots[0];
        let average = {
            let end = self.knots[len - 1];
            (end.at - origin.at) / (end.count - origin.count)
        };
        let [linear, power] = self.trends(len, steps, average);
        if self.resumed {
            // The earlier attempt, shortened at the same rate.
            let resumed = self.knots[1];
            let step = (resumed.at - origin.at) / (resumed.count - origin.count);
            let seed = (resumed.at - origin.at).min(SEED_MS.max(SEED_STEPS * step));
            self.knots[0].at = resumed.at - seed;
            self.knots[0].count = resumed.count - seed / step;
        }
        let knots = &self.knots[..len];
        let (begin, end) = (knots[0], knots[len - 1]);
        let since = (end.at - begin.at) / (end.count - begin.count);
        let recent = |share: f64| {
            let from = end.at - (end.at - begin.at) * share;
            let step = (end.at - from) / (end.count - count_at(knots, from));
            if step.is_finite() { step } else { since }
        };
        let (recent, very_recent) = (recent(RECENT), recent(VERY_RECENT));
        self.knots[0] = origin;
        [average * steps, since * steps, recent * steps, very_recent * steps, linear, power]
    }

    /// The last two predictors. Both compare the first half of the steps with the second, or what was before the run was
    /// resumed with what came after.
    fn trends(&self, len: usize, steps: f64, average: f64) -> [f64; 2] {
        let knots = &self.knots[..len];
        let (begin, end) = (knots[0], knots[len - 1]);
        let done = end.count - begin.count;
        let half = begin.count + done / 2.0;
        let (at, count) = match knots.get(1) {
            Some(resumed) if self.resumed && len > 2 && resumed.count > half => (resumed.at, resumed.count),
            _ => (time_at(knots, half), half),
        };
        let first = (at - begin.at) / (count - begin.count);
        let second = (end.at - at) / (end.count - count);
        let slope = (second - first) / (done / 2.0);
        let step_in =
            |ahead: f64| slope.mul_add(ahead + (end.count - count) / 2.0, second).max(average / 10.0);
        let reach = steps.min(done * REACH);
        let linear = step_in(reach / 2.0).mul_add(reach, step_in(reach) * (steps - reach));

        let exponent = ((end.at - begin.at) / (at - begin.at)).ln() / (done / (count - begin.count)).ln();
        let power = (end.at - begin.at) * (exponent.clamp(0.5, 3.0) * (steps / done).ln_1p()).exp_m1();
        let flat = average * steps;
        [linear, power].map(|time| if time.is_finite() { time } else { flat })
    }
}

/// The weighted geometric mean.
fn mean(values: &[f64], weights: &[f64]) -> f64 {
    let pairs = values.iter().zip(weights);
    let (sum, all) = pairs.fold((0.0, 0.0), |(sum, all), (value, weight)| {
        (sum + weight * value.max(f64::MIN_POSITIVE).ln(), all + weight)
    });
    (sum / all).exp()
}

/// When there were so many steps, between points on a line.
fn time_at(knots: &[Knot], count: f64) -> f64 {
    let (one, next) = around(knots, |knot| knot.count < count);
    one.at + (next.at - one.at) * (count - one.count) / (next.count - one.count)
}

/// How many steps there were at this time, between points on a line.
fn count_at(knots: &[Knot], at: f64) -> f64 {
    let (one, next) = around(knots, |knot| knot.at < at);
    one.count + (next.count - one.count) * (at - one.at) / (next.at - one.at)
}

/// The points on both sides of the first one that is not before.
fn around(knots: &[Knot], is_before: impl Fn(&Knot) -> bool) -> (Knot, Knot) {
    let next = knots.partition_point(is_before).clamp(1, knots.len() - 1);
    (knots[next - 1], knots[next])
}
