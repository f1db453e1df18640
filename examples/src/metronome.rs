//! A process that only reports, at a configurable rate and size, to test a deployment under load.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use process_runtime::prelude::*;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

/// Ticks closer together than the timer resolution are reported together.
const TIMER: Duration = Duration::from_millis(1);

/// The result of the metronome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ticked {
    /// The number of ticks.
    pub ticks: u64,
    /// The duration.
    pub seconds: f64,
}

/// Reports ticks at a configurable rate, to test a deployment under load.
///
/// Each log line begins with the time at which it was written, in nanoseconds since 1970, so that whoever
/// receives it can tell how long it was on its way.
#[process(title = "Tick like a metronome", group = "demo", concurrency = 1000)]
pub async fn metronome(
    #[field(help = "The number of ticks", default = 600)] ticks: u64,
    #[field(help = "Ticks per second; 0 is as fast as possible, without an await", default = 20)]
    per_second: u32,
    #[field(
        help = "The length of the log line of each tick; 0 reports only progress",
        default = 0,
        max = 16_000
    )]
    bytes: u32,
) -> Result<Ticked, std::convert::Infallible> {
    let began = Instant::now();
    let width = usize::try_from(bytes).unwrap_or(usize::MAX);
    for tick in 1..=ticks {
        if per_second > 0 {
            let due = began + Duration::from_secs_f64((tick - 1) as f64 / f64::from(per_second));
            if due.saturating_duration_since(Instant::now()) >= TIMER {
                sleep_until(due).await;
            }
        }
        set_progress_of(tick, ticks);
        if width > 0 {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            log(format!("{now:.<width$}"));
        }
    }
    Ok(Ticked { ticks, seconds: began.elapsed().as_secs_f64() })
}

#[cfg(test)]
mod tests {
    use process_runtime::testing::TestRun;

    use super::*;

    #[tokio::test]
    async fn ticks_match_count_and_pace() {
        let input = MetronomeInput { ticks: 20, per_second: 100, bytes: 0 };
        let run = TestRun::with(input).execute().await.unwrap();
        assert_eq!((run.percents.len(), run.percents.last()), (20, Some(&Some(100.0))));
        assert!(run.log.is_empty());
        // The first tick is at once, the last one 19 hundredths of a second later.
        assert!(run.result["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.18), "{}", run.result);
    }

    #[tokio::test]
    async fn lines_have_timestamp_and_requested_length() {
        let input = MetronomeInput { ticks: 3, per_second: 0, bytes: 200 };
        let run = TestRun::with(input).execute().await.unwrap();
        assert_eq!(run.log.len(), 3);
        for line in &run.log {
            assert_eq!(line.text.len(), 200);
            let digits: String = line.text.chars().take_while(char::is_ascii_digit).collect();
            let nanos = digits.parse::<u128>().unwrap();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
            assert!(now - nanos < 60_000_000_000, "{nanos}");
        }
    }
}
