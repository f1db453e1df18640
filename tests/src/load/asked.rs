//! The commands that a measured server reads from standard input, and when its bursts are due.

use std::io::BufRead;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::tally::now;

/// The commands so far: `go` for another round of bursts, `end` for no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub rounds: u64,
    pub ended: bool,
}

impl Asked {
    /// Follows standard input. The program ends when it is closed, so that none is left behind.
    pub fn from_stdin() -> watch::Receiver<Self> {
        let (sender, asked) = watch::channel(Self::default());
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                sender.send_modify(|asked| match line.trim() {
                    "go" => asked.rounds += 1,
                    _ => asked.ended = true,
                });
            }
            std::process::exit(0);
        });
        asked
    }
}

/// A round of bursts: how many, how many a second, and how much each is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    pub ticks: u64,
    pub per_second: f64,
    /// How many lines, and how long their text is.
    pub burst: usize,
    pub bytes: usize,
}

impl Pace {
    /// In the order of the fields, as the measured servers receive it.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut next = || arguments.next();
        Some(Self {
            ticks: next()?.parse().ok()?,
            per_second: next()?.parse().ok()?,
            burst: next()?.parse().ok()?,
            bytes: next()?.parse().ok()?,
        })
    }

    pub fn arguments(&self) -> [String; 4] {
        let Self { ticks, per_second, burst, bytes } = self;
        [ticks.to_string(), per_second.to_string(), burst.to_string(), bytes.to_string()]
    }

    pub fn lines(&self) -> u64 {
        self.ticks * self.burst as u64
    }
}

/// The bursts of the requested rounds, from the first one on.
#[derive(Debug)]
pub struct Rounds {
    asked: watch::Receiver<Asked>,
    pace: Pace,
    rounds: u64,
    tick: u64,
    began: Instant,
}

impl Rounds {
    pub fn new(asked: watch::Receiver<Asked>, pace: Pace) -> Self {
        Self { asked, pace, rounds: 0, tick: pace.ticks, began: Instant::now() }
    }

    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Waits until a burst is due; returns false at the end.
    pub async fn next(&mut self) -> bool {
        if self.tick == self.pace.ticks {
            let rounds = self.rounds;
            let Ok(asked) = self.asked.wait_for(|asked| asked.rounds > rounds || asked.ended).await else {
                return false;
            };
            if asked.rounds == rounds {
                return false;
            }
            (self.rounds, self.tick, self.began) = (rounds + 1, 0, Instant::now());
        }
        sleep_until(self.began + Duration::from_secs_f64(self.tick as f64 / self.pace.per_second)).await;
        self.tick += 1;
        true
    }
}

/// A text of this length that begins with the time, in nanoseconds since 1970.
pub fn stamped(bytes: usize) -> String {
    let now = now();
    format!("{now:.<bytes$}")
}
