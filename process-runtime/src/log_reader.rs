//! Reads a run's log in order and without gaps: first from the store, then from its feed. Everything that shows a log
//! reads it here, so that all show the same lines and omissions.

use std::sync::Arc;

use crate::feed::{Feed, Next};
use crate::run::{LogLine, Omitted, RunId};
use crate::store::{LogFilter, LogSlice, Store, StoreError};

/// An entry of a log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LogEntry {
    /// A line.
    Line(LogLine),
    /// Lines that were not kept.
    Omitted(Omitted),
}

impl LogEntry {
    /// The line, if it is one.
    pub(crate) fn line(&self) -> Option<&LogLine> {
        match self {
            Self::Line(line) => Some(line),
            Self::Omitted(_) => None,
        }
    }
}

/// The lines after `after`, with the omitted ranges before and between them.
pub(crate) fn entries(after: u64, lines: Vec<LogLine>) -> Vec<LogEntry> {
    ReadPosition(after).entries(lines)
}

/// Splits entries into lines and omitted ranges.
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

/// The position up to which lines were returned: a gap after it is an omitted range.
#[derive(Debug, Clone, Copy)]
struct ReadPosition(u64);

impl ReadPosition {
    /// The lines, with the omitted ranges before and between them.
    fn entries(&mut self, lines: Vec<LogLine>) -> Vec<LogEntry> {
        let mut entries = Vec::with_capacity(lines.len());
        for line in lines {
            entries.extend(self.gap(line.seq - 1).map(LogEntry::Omitted));
            self.0 = line.seq;
            entries.push(LogEntry::Line(line));
        }
        entries
    }

    /// The omitted range before this line, which counts as returned from then on.
    fn gap(&mut self, until: u64) -> Option<Omitted> {
        let after = self.0;
        self.0 = after.max(until);
        (until > after).then(|| Omitted { after, lines: until - after })
    }
}

/// Reads the log of a run from a line on, up to the newest one, and continues as new ones arrive.
pub(crate) struct LogReader {
    store: Arc<dyn Store>,
    feed: Arc<Feed>,
    /// The last line that was read or is known to be omitted.
    read: u64,
    told: ReadPosition,
}

impl LogReader {
    pub(crate) fn new(store: Arc<dyn Store>, feed: Arc<Feed>, after: u64) -> Self {
        Self { store, feed, read: after, told: ReadPosition(after) }
    }

    /// The last line that was read or is known to be omitted.
    pub(crate) fn position(&self) -> u64 {
        self.read
    }

    /// The next entries: at most this many bytes of text, but at least one line. Empty at the current end of the log.
    ///
    /// # Errors
    ///
    /// If the store cannot be read. The call can be repeated.
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
                    // Lines in memory are read from the feed: the store may have omitted them already.
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

    /// The next entries: at most this many lines and bytes of text, but at least one line. Empty at the end.
    ///
    /// Omitted ranges are reported only if the filter matches every line: otherwise other lines are missing, too.
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
