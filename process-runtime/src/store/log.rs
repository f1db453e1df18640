//! What can be asked of a run's log, and how it is answered: slice by slice.

use super::{Store, StoreError};
use crate::run::{Level, LogLine, RunId};

/// Which lines of a log to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter {
    /// Only those with a number above this one.
    pub after: u64,
    /// Give at most this many.
    pub limit: usize,
    /// Give at most so many bytes of text, but at least one line.
    pub max_bytes: usize,
    /// Only those of this level and above.
    pub level: Option<Level>,
    /// Only those with this text in them; capital letters of ASCII make no difference.
    pub contains: Option<String>,
}

impl Default for LogFilter {
    /// Every line there is.
    fn default() -> Self {
        Self { after: 0, limit: usize::MAX, max_bytes: usize::MAX, level: None, contains: None }
    }
}

impl LogFilter {
    /// Up to `limit` lines with a number above `after`, whatever they say.
    pub fn after(after: u64, limit: usize) -> Self {
        Self { after, limit, ..Self::default() }
    }

    /// True when a line is asked for by what it says, or by how serious it is.
    pub(crate) fn is_selective(&self) -> bool {
        self.level.is_some() || self.contains.as_deref().is_some_and(|text| !text.is_empty())
    }

    /// True when it asks for this line, by what it says.
    pub(crate) fn wants(&self, level: Level, text: &str) -> bool {
        let contains = self.contains.as_deref().filter(|wanted| !wanted.is_empty());
        self.level.is_none_or(|least| level >= least) && contains.is_none_or(|wanted| has(text, wanted))
    }
}

/// True when `wanted`, which is not empty, is in the text. Capital letters of ASCII make no difference.
fn has(text: &str, wanted: &str) -> bool {
    let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
    let Some(last) = text.len().checked_sub(wanted.len()) else { return false };
    let first = wanted[0].to_ascii_lowercase();
    let begins = |at: &usize| text[*at].to_ascii_lowercase() == first;
    (0..=last).filter(begins).any(|at| text[at..at + wanted.len()].eq_ignore_ascii_case(wanted))
}

/// A part of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogSlice {
    /// Lines that match, in order. There may be none, though some follow.
    pub lines: Vec<LogLine>,
    /// The number after which to go on; `None` at the end of the log.
    pub next: Option<u64>,
}

/// Reads slices until the filter has what it asks for.
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
