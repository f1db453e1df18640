//! Throttles messages in the operator's log: the same message is logged at a bounded rate, with the number of those
//! left out.

use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets one message of a kind through in each interval.
pub(crate) struct Throttle {
    every: Duration,
    state: Mutex<State>,
}

struct State {
    last: Option<Instant>,
    left_out: u64,
}

/// How many messages were suppressed since the last one. Appended to the next one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LeftOut(u64);

impl Throttle {
    /// Lets one message through in this time.
    pub(crate) const fn every(every: Duration) -> Self {
        Self { every, state: Mutex::new(State { last: None, left_out: 0 }) }
    }

    /// `None` when this one is to be left out.
    pub(crate) fn admit(&self) -> Option<LeftOut> {
        let mut state = self.state.lock();
        if state.last.is_some_and(|last| last.elapsed() < self.every) {
            state.left_out += 1;
            return None;
        }
        state.last = Some(Instant::now());
        Some(LeftOut(std::mem::take(&mut state.left_out)))
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            n => write!(f, " ({n} more since the last one)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppressed_messages_are_counted() {
        let throttle = Throttle::every(Duration::MAX);
        assert_eq!(throttle.admit(), Some(LeftOut(0)));
        assert_eq!((throttle.admit(), throttle.admit()), (None, None));
        throttle.state.lock().last = None;
        let said = throttle.admit().map(|left_out| left_out.to_string());
        assert_eq!(said.as_deref(), Some(" (2 more since the last one)"));
    }

    #[test]
    fn zero_interval_suppresses_nothing() {
        let throttle = Throttle::every(Duration::ZERO);
        assert_eq!((throttle.admit(), throttle.admit()), (Some(LeftOut(0)), Some(LeftOut(0))));
    }
}
