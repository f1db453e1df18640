//! How fast a run is, and how long it will still take, as known at a moment of its elapsed time.

use serde::{Deserialize, Serialize};

/// The rate and the time left of a run, as known when it had run for [`at_ms`](Self::at_ms).
///
/// The runtime computes it once, so that pages, streams, JSON and [`RunEvents`](crate::RunEvents) say the same. It is a
/// function of the reported counts and of the elapsed time of the run. A reader at a later elapsed time subtracts the time
/// since: [`left_at`](Self::left_at) does this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Estimate {
    /// Steps of the bar per second; `None` if the process counts no steps.
    pub rate: Option<f64>,
    /// The time left of the whole run at `at_ms`, in milliseconds; `None` if it is unknown, as without a total.
    pub left_ms: Option<u64>,
    /// The elapsed time of the run at which this was so, in milliseconds.
    pub at_ms: u64,
    /// For how long after `at_ms` the estimate holds without further progress, in milliseconds.
    pub good_for_ms: u64,
}

impl Estimate {
    /// True if the last progress is recent enough at this elapsed time of the run, in milliseconds.
    pub fn holds_at(&self, elapsed_ms: u64) -> bool {
        elapsed_ms.saturating_sub(self.at_ms) <= self.good_for_ms
    }

    /// Returns the time left at this elapsed time of the run, both in milliseconds; `None` if it is unknown, and without
    /// recent progress.
    pub fn left_at(&self, elapsed_ms: u64) -> Option<u64> {
        let since = elapsed_ms.saturating_sub(self.at_ms);
        self.left_ms.filter(|_| self.holds_at(elapsed_ms)).map(|left| left.saturating_sub(since))
    }
}
