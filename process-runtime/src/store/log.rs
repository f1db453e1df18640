//! Queries on a run's log, and their answers, slice by slice.

use super::setters::setters;
use super::{Store, StoreError};
use crate::run::{Level, LogLine, RunId};

/// Which lines of a log to read. The conditions apply together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogFilter {
    /// Only lines with a number above this one.
    pub after: u64,
    /// Return at most this many lines.
    pub limit: usize,
    /// Return at most this many bytes of text, but at least one line.
    pub max_bytes: usize,
    /// Only lines of this level and above.
    pub level: Option<Level>,
    /// Only lines that contain this text; the case of ASCII letters is ignored.
    pub contains: Option<String>,
}

impl Default for LogFilter {
    /// Selects every line.
    fn default() -> Self {
        Self { after: 0, limit: usize::MAX, max_bytes: usize::MAX, level: None, contains: None }
    }
}

impl LogFilter {
    /// Selects up to `limit` lines with a number above `after`, regardless of text and level.
    pub fn after(after: u64, limit: usize) -> Self {
        Self { after, limit, ..Self::default() }
    }

    /// True if the filter selects lines by text or by level.
    pub(crate) fn is_selective(&self) -> bool {
        self.level.is_some() || self.contains.as_deref().is_some_and(|text| !text.is_empty())
    }

    /// True if text and level of the line match.
    pub(crate) fn wants(&self, level: Level, text: &str) -> bool {
        let contains = self.contains.as_deref().filter(|wanted| !wanted.is_empty());
        self.level.is_none_or(|least| level >= least) && contains.is_none_or(|wanted| has(text, wanted))
    }
}

setters!(LogFilter {
    limit: usize,
    max_bytes: usize,
    level: impl Into<Option<Level>>,
    contains: impl Into<Option<String>>,
});

/// True if the text contains `wanted`, which is not empty. The case of ASCII letters is ignored.
pub(super) fn has(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
    let first = wanted[0].to_ascii_lowercase();
    let begins = |at: &usize| text[*at].to_ascii_lowercase() == first;
    (0..=last).filter(begins).any(|at| text[at..at + wanted.len()].eq_ignore_ascii_case(wanted))
}

/// A part of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogSlice {
    /// The matching lines, in order. It may be empty even if matching lines follow.
    pub lines: Vec<LogLine>,
    /// The line number after which to continue; `None` at the end of the log.
    pub next: Option<u64>,
}

impl LogSlice {
    /// Creates a slice. `next` is the line number after which to continue, and `None` at the end of the log.
    pub fn new(lines: Vec<LogLine>, next: impl Into<Option<u64>>) -> Self {
        Self { lines, next: next.into() }
    }
}

/// Reads slices until the limits of the filter are reached or the log ends.
pub(super) async fn all<S: Store + ?Sized>(
    store: &S,
    id: RunId,
    mut filter: LogFilter,
) -> Result<Vec<LogLine>, StoreError> {
    let mut lines: Vec<LogLine> = Vec::new();
    while filter.limit > 0 {
        let slice = store.log_slice(id, filter.clone()).await?;
        for line in slice.lines {
            let left = filter.max_bytes.checked_sub(line.text.len());
            if left.is_none() && !lines.is_empty() {
                return Ok(lines);
            }
            filter.max_bytes = left.unwrap_or(0);
            filter.limit = filter.limit.saturating_sub(1);
            lines.push(line);
        }
        let Some(next) = slice.next else { break };
        filter.after = next;
    }
    Ok(lines)
}
