//! The log lines of a run that are in memory: all that are not stored yet, and the newest of the stored ones.

use std::collections::VecDeque;

use crate::run::{LogLine, Run};
use crate::wire::Lines;

/// How many bytes of stored lines stay in memory; older ones are read from the store.
pub(super) const RECENT: usize = 1 << 20;

/// Lines, as values and as encoded events.
#[derive(Debug, Default)]
pub(super) struct KeptLines {
    recent: VecDeque<LogLine>,
    /// The bytes of these lines, and of those among them that are not stored.
    size: usize,
    unstored: usize,
    /// The same lines.
    pub(super) chunks: VecDeque<Lines>,
    /// The number of the last line published.
    pub(super) last_seq: u64,
    /// The number of the last line that is no longer in memory, or never was.
    pub(super) evicted: u64,
    /// All lines up to this one are stored; never less than `evicted`.
    pub(super) stored: u64,
}

/// What follows a line.
#[derive(Debug)]
pub(crate) enum Next {
    /// These; none when it is the last one.
    Lines(Vec<LogLine>),
    /// They are in the store, up to this one.
    Stored(u64),
    /// The log ends earlier, at this line: later lines were published and lost before they were stored.
    Lost(u64),
}

impl KeptLines {
    /// Continues a log whose lines up to this one are stored.
    pub(super) fn after(last_seq: u64) -> Self {
        Self { last_seq, evicted: last_seq, stored: last_seq, ..Self::default() }
    }

    /// Adds the lines that are new. False when none is.
    pub(super) fn add(&mut self, run: &Run, mut lines: Vec<LogLine>) -> bool {
        lines.drain(..lines.partition_point(|line| line.seq <= self.last_seq));
        let Some(last) = lines.last() else { return false };
        self.last_seq = last.seq;
        self.chunks.extend(Lines::encode(run.id, run.attempt, &lines));
        let size: usize = lines.iter().map(LogLine::size).sum();
        self.size += size;
        self.unstored += size;
        self.recent.extend(lines);
        true
    }

    /// The store has all lines up to this one.
    pub(super) fn store_up_to(&mut self, seq: u64) {
        let first = self.first_after(self.stored);
        self.stored = self.stored.max(seq.min(self.last_seq));
        let until = self.first_after(self.stored);
        self.unstored -= self.recent.range(first..until).map(LogLine::size).sum::<usize>();
        self.evict();
    }

    /// Evicts whole chunks of stored lines, oldest first; the last chunk always stays.
    fn evict(&mut self) {
        while self.chunks.len() > 1 && self.size > RECENT {
            let Some(chunk) = self.chunks.front().filter(|chunk| chunk.last_seq() <= self.stored) else {
                break;
            };
            self.evicted = chunk.last_seq();
            self.size -= self.recent.drain(..chunk.len()).map(|line| line.size()).sum::<usize>();
            self.chunks.pop_front();
        }
    }

    pub(super) fn unstored_size(&self) -> usize {
        self.unstored
    }

    /// Up to this many of the last lines, in order.
    pub(super) fn last(&self, lines: usize, mut bytes: usize) -> Vec<LogLine> {
        let fits = self.recent.iter().rev().take(lines).take_while(|line| fits(&mut bytes, line));
        let first = self.recent.len() - fits.count();
        self.recent.range(first..).cloned().collect()
    }

    pub(super) fn next(&self, seq: u64, bytes: usize) -> Next {
        if seq > self.last_seq {
            Next::Lost(self.last_seq)
        } else if seq < self.evicted {
            Next::Stored(self.evicted)
        } else {
            Next::Lines(self.between(seq, u64::MAX, bytes))
        }
    }

    pub(super) fn unstored(&self, until: u64, bytes: usize) -> Vec<LogLine> {
        self.between(self.stored, until, bytes)
    }

    fn between(&self, after: u64, until: u64, mut bytes: usize) -> Vec<LogLine> {
        let lines = self.recent.range(self.first_after(after)..).take_while(|line| line.seq <= until);
        let lines = lines.enumerate().take_while(|(n, line)| fits(&mut bytes, line) || *n == 0);
        lines.map(|(_, line)| line.clone()).collect()
    }

    fn first_after(&self, seq: u64) -> usize {
        self.recent.partition_point(|line| line.seq <= seq)
    }
}

/// Subtracts a line from the budget. Returns false if it does not fit.
fn fits(bytes: &mut usize, line: &LogLine) -> bool {
    let left = bytes.checked_sub(line.size());
    *bytes = left.unwrap_or(0);
    left.is_some()
}
