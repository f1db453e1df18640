//! Reads a run's log in order and without gaps: from the store, and then what its feed has at hand. All who show a log
//! read it here, so that they show the same, and say the same of what was omitted.

use std::sync::Arc;

use crate::feed::{Feed, Next};
use crate::run::{LogLine, Omitted, RunId};
use crate::store::{LogFilter, LogSlice, Store, StoreError};

/// What a log has in one place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LogEntry {
    /// A line.
    Line(LogLine),
    /// Lines that were not kept.
    Omitted(Omitted),
}

/// The lines behind this one, with what was omitted in front of them and between them.
pub(crate) fn entries(after: u64, lines: Vec<LogLine>) -> Vec<LogEntry> {
    ReadPosition(after).entries(lines)
}

/// The lines, and what was omitted, each by itself.
pub(crate) fn apart(entries: &[LogEntry]) -> (Vec<&LogLine>, Vec<Omitted>) {
    let (mut lines, mut omitted) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            LogEntry::Line(line) => lines.push(line),
            LogEntry::Omitted(missing) => omitted.push(*missing),
        }
    }
    (lines, omitted)
}

/// Where lines have been told up to: a gap behind that is what was omitted.
#[derive(Debug, Clone, Copy)]
struct ReadPosition(u64);

impl ReadPosition {
    /// The lines, with what was omitted in front of them and between them.
    fn entries(&mut self, lines: Vec<LogLine>) -> Vec<LogEntry> {
        let mut entries = Vec::with_capacity(lines.len());
        for line in lines {
            entries.extend(self.gap(line.seq - 1).map(LogEntry::Omitted));
            self.0 = line.seq;
            entries.push(LogEntry::Line(line));
        }
        entries
    }

    /// What was omitted up to this line, which has been told by that.
    fn gap(&mut self, until: u64) -> Option<Omitted> {
        let after = self.0;
        self.0 = after.max(until);
        (until > after).then(|| Omitted { after, lines: until - after })
    }
}

/// Reads the log of a run from some line on, up to the newest there is, and on from there whenever there are more.
pub(crate) struct LogReader {
    store: Arc<dyn Store>,
    feed: Arc<Feed>,
    /// The last line that was read, or is known to be omitted.
    read: u64,
    told: ReadPosition,
}

impl LogReader {
    pub(crate) fn new(store: Arc<dyn Store>, feed: Arc<Feed>, after: u64) -> Self {
        Self { store, feed, read: after, told: ReadPosition(after) }
    }

    /// The last line that was read, or is known to be omitted.
    pub(crate) fn position(&self) -> u64 {
        self.read
    }

    /// What comes next: at most so many bytes of text, but at least one line. Nothing at the end of what there is so far.
    ///
    /// # Errors
    ///
    /// When the store cannot be read. It can be asked again.
    pub(crate) async fn next(&mut self, bytes: usize) -> Result<Vec<LogEntry>, StoreError> {
        loop {
            let lines = match self.feed.next_lines(self.read, bytes) {
                Next::Lines(lines) if lines.is_empty() => {
                    return Ok(self.told.gap(self.read).map(LogEntry::Omitted).into_iter().collect());
                }
                Next::Lines(lines) => lines,
                Next::Stored(until) => {
                    let filter = LogFilter { after: self.read, max_bytes: bytes, ..LogFilter::default() };
                    let LogSlice { mut lines, next } = self.store.log_slice(self.feed.id(), filter).await?;
                    // What is at hand is read there: it may have been omitted in the store already.
                    lines.retain(|line| line.seq <= until);
                    self.read = next.map_or(until, |next| next.min(until));
                    lines
                }
                Next::Lost(last) => {
                    (self.read, self.told) = (last, ReadPosition(last));
                    continue;
                }
            };
            if let Some(last) = lines.last() {
                self.read = self.read.max(last.seq);
                return Ok(self.told.entries(lines));
            }
        }
    }
}

/// Reads the lines of a stored log that match, slice by slice.
pub(crate) struct StoredLog {
    store: Arc<dyn Store>,
    run: RunId,
    /// From where on; `None` at the end.
    filter: Option<LogFilter>,
    told: ReadPosition,
}

impl StoredLog {
    pub(crate) fn new(store: Arc<dyn Store>, run: RunId, filter: LogFilter) -> Self {
        Self { store, run, told: ReadPosition(filter.after), filter: Some(filter) }
    }

    /// What comes next: at most so many lines, and bytes of text, but at least one line. Nothing at the end.
    ///
    /// Lines that were omitted are told only where every line is asked for: where some do not match, the others are
    /// missing too.
    pub(crate) async fn next(&mut self, limit: usize, bytes: usize) -> Result<Vec<LogEntry>, StoreError> {
        while let Some(filter) = &mut self.filter {
            let asked = LogFilter { limit, max_bytes: bytes, ..filter.clone() };
            let LogSlice { lines, next } = self.store.log_slice(self.run, asked).await?;
            let is_selective = filter.is_selective();
            match next {
                Some(next) => filter.after = next,
                None => self.filter = None,
            }
            if !lines.is_empty() {
                return Ok(match is_selective {
                    true => lines.into_iter().map(LogEntry::Line).collect(),
                    false => self.told.entries(lines),
                });
            }
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
