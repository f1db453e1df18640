//! The pace of the examples: slowed down so that a person can watch, or as fast as possible.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest sleep: timers are not more precise.
const SHORTEST_NAP: Duration = Duration::from_millis(5);
/// One day, in seconds.
const LONGEST: f64 = 86_400.0;

/// The time a job is spread over.
///
/// The examples work on little data and would be done before a page has loaded. A real process has no
/// such thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    duration: Duration,
}

impl Pace {
    /// As fast as possible.
    pub const NONE: Self = Self { duration: Duration::ZERO };

    /// Reads the value of `PROCESS_PACE`: a number of seconds, where 0 means as fast as possible.
    ///
    /// # Errors
    ///
    /// A sentence that names `PROCESS_PACE` when the text is not such a number.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.trim().parse::<f64>() {
            Ok(seconds) if (0.0..=LONGEST).contains(&seconds) => {
                Ok(Self { duration: Duration::from_secs_f64(seconds) })
            }
            _ => Err(format!("PROCESS_PACE must be a number of seconds from 0 to {LONGEST}, not `{text}`")),
        }
    }

    /// The pace of one part of a job that takes this share of its time, from 0 to 1.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { duration: self.duration.mul_f64(share.clamp(0.0, 1.0)) }
    }

    /// Starts the clock of one run, or of one part of it.
    pub fn start(self) -> Clock {
        Clock { started: Instant::now(), duration: self.duration }
    }
}

impl Default for Pace {
    /// Ten seconds: long enough to watch and to press cancel.
    fn default() -> Self {
        Self { duration: Duration::from_secs(10) }
    }
}

/// Delays a job that is ahead of its pace.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    duration: Duration,
}

impl Clock {
    /// Waits until it is time for step `done` of `total`. Returns at once when the job is late.
    pub async fn wait(&self, done: usize, total: usize) {
        if let Some(nap) = self.nap(done, total) {
            tokio::time::sleep(nap).await;
        }
    }

    /// The same for a thread, without an await.
    pub fn wait_blocking(&self, done: usize, total: usize) {
        if let Some(nap) = self.nap(done, total) {
            std::thread::sleep(nap);
        }
    }

    fn nap(&self, done: usize, total: usize) -> Option<Duration> {
        let share = done.min(total) as f64 / total.max(1) as f64;
        let nap = self.duration.mul_f64(share).checked_sub(self.started.elapsed())?;
        (nap >= SHORTEST_NAP).then_some(nap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_parses_seconds_or_explains() {
        assert_eq!(Pace::parse("0"), Ok(Pace::NONE));
        assert_eq!(Pace::parse(" 10 "), Ok(Pace::default()));
        assert_eq!(Pace::parse("0.5"), Ok(Pace { duration: Duration::from_millis(500) }));
        for wrong in ["", "fast", "-1", "NaN", "inf", "1e300"] {
            let message = Pace::parse(wrong).expect_err(wrong);
            assert!(message.contains("PROCESS_PACE") && message.contains(wrong), "{message}");
        }
    }

    #[tokio::test]
    async fn steps_spread_over_the_time() {
        let clock = Pace::parse("0.2").unwrap().start();
        for step in 1..=1_000 {
            clock.wait(step, 1_000).await;
        }
        let elapsed = clock.started.elapsed();
        assert!(elapsed >= Duration::from_millis(190) && elapsed < Duration::from_secs(2), "{elapsed:?}");
    }

    #[test]
    fn no_pace_means_no_wait() {
        let clock = Pace::NONE.start();
        assert_eq!(clock.nap(1, 1), None);
        assert_eq!(clock.nap(0, 0), None);
        assert_eq!(Pace::default().share(0.0).start().nap(1, 1), None);
    }

    #[test]
    fn odd_step_wait_is_bounded() {
        let clock = Pace::default().share(0.5).start();
        assert!(clock.nap(7, 3).is_some_and(|nap| nap <= Duration::from_secs(5)));
        assert_eq!(clock.nap(7, 0), None);
    }
}
