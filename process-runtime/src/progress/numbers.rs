//! The two numbers behind a progress bar: how odd values are clamped, and what the page shows for them.

/// `total` if the progress is unknown.
const UNKNOWN: u64 = u64::MAX;
/// `total` when `current` holds the bits of a percentage.
const PERCENT: u64 = u64::MAX - 1;

/// How far a run is, in two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(super) current: u64,
    pub(super) total: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl Numbers {
    /// Unknown progress.
    pub(super) const UNKNOWN: Self = Self { current: 0, total: UNKNOWN };

    /// A percentage. Values outside of 0 to 100 are clamped; NaN means that the percentage is unknown.
    #[inline]
    pub(crate) fn percent(percent: f64) -> Self {
        if percent.is_nan() {
            return Self::UNKNOWN;
        }
        Self { current: percent.clamp(0.0, 100.0).to_bits(), total: PERCENT }
    }

    /// A step and the number of steps. A total of 0 means that the total is unknown.
    #[inline]
    pub(crate) fn steps(current: u64, total: u64) -> Self {
        // The top two values are reserved. A run with that many steps counts as unknown.
        if total == 0 || total >= PERCENT {
            return Self { current, total: UNKNOWN };
        }
        Self { current: current.min(total), total }
    }

    /// The number of steps, if steps are counted.
    pub(super) fn steps_in_all(self) -> Option<u64> {
        (self.total < PERCENT).then_some(self.total)
    }

    /// What the page shows: the percentage, the step and the number of steps.
    pub(super) fn shown(self) -> (Option<f64>, Option<u64>, Option<u64>) {
        let Self { current, total } = self;
        match total {
            UNKNOWN => (None, (current > 0).then_some(current), None),
            PERCENT => (Some((f64::from_bits(current) * 100.0).round() / 100.0), None, None),
            total => {
                // Threads that report with different totals may leave one thread's step with another thread's total.
                let current = current.min(total);
                // Rounded down, in integers: 9,999,999 of 10,000,000 is not yet 100 %.
                let hundredths = u128::from(current) * 10_000 / u128::from(total.max(1));
                (Some(hundredths as f64 / 100.0), Some(current), Some(total))
            }
        }
    }
}
