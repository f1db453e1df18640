//! Owns the log lines that wait in a handle for the runtime to take them: never too many, and of those that are too
//! many the serious ones stay longest.
//! Refuses to know who takes them.

use std::collections::VecDeque;

use crate::run::{Level, LogLine};

/// How many lines may wait, before the oldest plain ones give way.
pub(crate) const MAX_PENDING_LINES: usize = 8_192;
/// How much text they may have, in bytes.
const MAX_PENDING_BYTES: usize = 16 << 20;

#[derive(Default)]
pub(super) struct Pending {
    plain: VecDeque<LogLine>,
    serious: VecDeque<LogLine>,
    bytes: usize,
}

impl Pending {
    /// Keeps a line, which is the last one so far. True when it is a warning or an error.
    pub(super) fn keep(&mut self, line: LogLine) -> bool {
        self.bytes += line.text.len();
        while self.plain.len() + self.serious.len() >= MAX_PENDING_LINES || self.bytes > MAX_PENDING_BYTES {
            // The gap in the numbers tells how many are missing.
            let Some(given_up) = self.plain.pop_front().or_else(|| self.serious.pop_front()) else { break };
            self.bytes -= given_up.text.len();
        }
        let is_serious = line.level >= Level::Warn;
        if is_serious {
            self.serious.push_back(line);
        } else {
            self.plain.push_back(line);
        }
        is_serious
    }

    pub(super) fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.serious.is_empty()
    }

    /// Whatever waits.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// In order.
    pub(super) fn into_lines(self) -> Vec<LogLine> {
        let mut lines = Vec::from(self.plain);
        lines.extend(self.serious);
        lines.sort_by_key(|line| line.seq);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_give_way_sooner_than_short_ones_and_warnings_stay() {
        let mut pending = Pending::default();
        let at = jiff::Timestamp::UNIX_EPOCH;
        let line = |seq, level| LogLine { seq, at, level, text: "x".repeat(1 << 20) };
        assert!(pending.keep(line(1, Level::Warn)));
        for seq in 2..=40 {
            assert!(!pending.keep(line(seq, Level::Info)));
        }
        let numbers: Vec<_> = pending.take().into_lines().iter().map(|line| line.seq).collect();
        assert_eq!(numbers, std::iter::once(1).chain(26..=40).collect::<Vec<_>>());
        assert!(pending.is_empty() && pending.bytes == 0);
    }
}
