//! The estimators of indicatif and tqdm, written from the descriptions of their formulas, with a clock of the test.

/// What a comparison needs of an estimator. Times are seconds of the run's elapsed time.
pub(super) trait Rival {
    fn feed(&mut self, at: f64, current: u64, total: u64);
    /// The time left that it shows at this moment.
    fn left(&self, now: f64) -> Option<f64>;
}

/// indicatif 0.18: the rate is an exponentially weighted average of the rates of updates, smoothed twice. Weights fall to
/// a tenth in 15 seconds, and are normalized by the weight of the time before the beginning. Time without updates counts
/// as an update of 0 steps. <https://docs.rs/indicatif/0.18/src/indicatif/state.rs.html>, the documentation of
/// `Estimator`; its clock cannot be set, so it cannot be driven itself.
pub(super) struct Indicatif {
    once: f64,
    twice: f64,
    current: u64,
    total: u64,
    at: f64,
    began: f64,
}

impl Indicatif {
    /// A bar that begins at this position, as after `with_position` and `reset_eta`.
    pub(super) fn new(current: u64, now: f64) -> Self {
        Self { once: 0.0, twice: 0.0, current, total: 0, at: now, began: now }
    }

    fn weight(seconds: f64) -> f64 {
        0.1_f64.powf(seconds / 15.0)
    }
}

impl Rival for Indicatif {
    fn feed(&mut self, at: f64, current: u64, total: u64) {
        self.total = total;
        if current < self.current {
            *self = Self { total, ..Self::new(current, at) };
        }
        if current == self.current || at <= self.at {
            return;
        }
        let keep = Self::weight(at - self.at);
        let rate = (current - self.current) as f64 / (at - self.at);
        self.once = self.once * keep + rate * (1.0 - keep);
        let normalized = self.once / (1.0 - Self::weight(at - self.began));
        self.twice = self.twice * keep + normalized * (1.0 - keep);
        (self.current, self.at) = (current, at);
    }

    fn left(&self, now: f64) -> Option<f64> {
        let keep = Self::weight(now - self.at);
        let all = 1.0 - Self::weight(now - self.began);
        let rate = (self.twice * keep + self.once * keep / all * (1.0 - keep)) / all;
        (rate > 0.0).then(|| self.total.saturating_sub(self.current) as f64 / rate)
    }
}

/// tqdm 4: at most every 0.1 s (`mininterval`) it shows what is left, divided by the rate. The rate is the quotient of two
/// exponential moving averages (`smoothing` 0.3), of the steps and of the seconds of an update, both corrected for their
/// beginning at 0. What it shows stands until the next update. <https://tqdm.github.io/docs/tqdm/>
pub(super) struct Tqdm {
    steps: Ema,
    seconds: Ema,
    current: u64,
    at: f64,
    left: Option<f64>,
}

#[derive(Default)]
struct Ema {
    last: f64,
    count: i32,
}

impl Ema {
    fn add(&mut self, value: f64) {
        self.last = 0.3 * value + 0.7 * self.last;
        self.count += 1;
    }

    fn value(&self) -> f64 {
        self.last / (1.0 - 0.7_f64.powi(self.count))
    }
}

impl Tqdm {
    /// A bar with `initial`.
    pub(super) fn new(initial: u64, now: f64) -> Self {
        Self { steps: Ema::default(), seconds: Ema::default(), current: initial, at: now, left: None }
    }
}

impl Rival for Tqdm {
    fn feed(&mut self, at: f64, current: u64, total: u64) {
        if current <= self.current || at - self.at < 0.1 {
            return;
        }
        self.steps.add((current - self.current) as f64);
        self.seconds.add(at - self.at);
        (self.current, self.at) = (current, at);
        let rate = self.steps.value() / self.seconds.value();
        self.left = Some(total.saturating_sub(current) as f64 / rate);
    }

    fn left(&self, _now: f64) -> Option<f64> {
        self.left
    }
}
