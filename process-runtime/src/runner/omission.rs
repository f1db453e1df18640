//! Decides which lines of a long log are omitted, and when, and counts them.

use std::collections::VecDeque;

use crate::limits::Limits;
use crate::run::{Level, LogLine, RunId};
use crate::store::{Batch, LogFilter, Store, TrimLog};
use crate::text::OneLine;

/// How many of the omitted part's warnings and errors are kept.
const MAX_WARNINGS: usize = 10_000;
/// The same for errors. The limit is higher, so that warnings never use up the space for errors.
const MAX_ERRORS: usize = 12_000;
/// The most lines that are omitted together. Smaller limits of the log make smaller steps.
const MAX_STEP: usize = 5_000;

/// How much of a log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LogLimits {
    /// The number of lines kept from its beginning.
    head: usize,
    /// The number of lines kept from its end. There may be an eighth more, because removing lines one by one is not
    /// worthwhile.
    tail: usize,
    /// The bytes of text: up to a quarter for the head, up to a quarter for what is kept of the omitted part, and the
    /// rest for the tail.
    bytes: usize,
}

impl LogLimits {
    pub(super) fn of(limits: &Limits) -> Self {
        // A run that resumes continues to count from the number of the last line.
        Self {
            head: limits.max_log_head_lines,
            tail: limits.max_log_tail_lines.max(1),
            bytes: limits.max_log_bytes.max(1),
        }
    }
}

/// Follows a growing log. Between head and tail only warnings and errors are kept, up to a limit.
#[derive(Debug)]
pub(super) struct Omission {
    limits: LogLimits,
    /// How many more lines the head takes, and how many bytes.
    head_left: usize,
    head_bytes_left: usize,
    /// The number of the last line that was counted.
    counted: u64,
    /// The number of the last line of the head or of the omitted part.
    omitted: u64,
    /// The lines after that, in steps; the last step may still grow.
    steps: VecDeque<Step>,
    /// The size of all steps.
    size: Size,
    /// Of the omitted part, lines of this level and above are kept.
    keep: Option<Level>,
    /// The size of what was kept.
    kept: Size,
    /// How many lines were removed.
    gone: u64,
}

/// A number of lines and bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    lines: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// Lines that are omitted together.
#[derive(Debug, Default)]
struct Step {
    last: u64,
    size: Size,
    warnings: Size,
    errors: Size,
}

impl Omission {
    pub(super) fn new(limits: LogLimits) -> Self {
        Self {
            limits,
            head_left: limits.head,
            head_bytes_left: limits.bytes / 4,
            counted: 0,
            omitted: 0,
            steps: VecDeque::new(),
            size: Size::default(),
            keep: Some(Level::Warn),
            kept: Size::default(),
            gone: 0,
        }
    }

    /// How many lines of the log were omitted and not kept.
    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// Continues the log of a stored run, up to its line `last`.
    pub(super) async fn resumed(limits: LogLimits, store: &dyn Store, run: RunId, last: u64) -> Self {
        let mut omission = Self::new(limits);
        let mut after = Some(0);
        while let Some(from) = after.filter(|from| *from < last) {
            match store.log_slice(run, LogFilter::after(from, usize::MAX)).await {
                Ok(slice) => {
                    omission.count(&slice.lines);
                    after = slice.next;
                }
                Err(error) => {
                    // The log then keeps more than necessary.
                    tracing::error!(%run, "could not count the log: {}", OneLine(&error));
                    break;
                }
            }
        }
        omission
    }

    /// Counts the lines of a batch on its way to the store, and adds to it what can be omitted.
    pub(super) fn look(&mut self, batch: &mut Batch) {
        self.count(&batch.lines);
        // A batch that is sent again after an error still has its own.
        if batch.omit.is_none() {
            batch.omit = self.due();
        }
    }

    fn count(&mut self, lines: &[LogLine]) {
        let full = (self.limits.tail / 8).clamp(1, MAX_STEP);
        let seen = lines.partition_point(|line| line.seq <= self.counted);
        for line in lines.iter().skip(seen) {
            // In the stored log, a gap is an omitted part.
            self.gone += line.seq.saturating_sub(self.counted + 1);
            self.counted = line.seq;
            let bytes = line.text.len();
            if self.head_left > 0 && bytes <= self.head_bytes_left {
                self.head_left -= 1;
                self.head_bytes_left -= bytes;
                self.omitted = line.seq;
                continue;
            }
            // The head has no gaps.
            self.head_left = 0;
            let is_full = |step: &Step| step.size.lines >= full || step.size.bytes >= self.limits.bytes / 16;
            if self.steps.back().is_none_or(is_full) {
                self.steps.push_back(Step::default());
            }
            let one = Size { lines: 1, bytes };
            if let Some(step) = self.steps.back_mut() {
                step.last = line.seq;
                step.size.add(one);
                if line.level >= Level::Warn {
                    step.warnings.add(one);
                }
                if line.level >= Level::Error {
                    step.errors.add(one);
                }
            }
            self.size.add(one);
        }
    }

    /// The steps that can be omitted now. Steps that keep lines of another level follow at the next call.
    fn due(&mut self) -> Option<TrimLog> {
        let first = self.omitted + 1;
        let mut keep = None;
        while let Some(step) = self.steps.front() {
            let left = Size {
                lines: self.size.lines - step.size.lines,
                bytes: self.size.bytes.saturating_sub(step.size.bytes),
            };
            let head = self.limits.bytes / 4 - self.head_bytes_left;
            let fits =
                head.saturating_add(self.kept.bytes).saturating_add(self.size.bytes) <= self.limits.bytes;
            // The last step is always kept, however long it is.
            if self.steps.len() == 1 || (left.lines < self.limits.tail && fits) {
                break;
            }
            let (step_keeps, kept) = self.kept_of(step);
            if *keep.get_or_insert(step_keeps) != step_keeps {
                break;
            }
            self.keep = step_keeps;
            self.kept.add(kept);
            self.gone += (step.size.lines - kept.lines) as u64;
            self.omitted = step.last;
            self.size = left;
            self.steps.pop_front();
        }
        keep.map(|keep| TrimLog { lines: first..=self.omitted, keep })
    }

    /// Returns which levels of a step are kept, and their size. A limit that was exceeded once stays exceeded.
    fn kept_of(&self, step: &Step) -> (Option<Level>, Size) {
        let bytes = self.limits.bytes;
        let warnings = (Level::Warn, step.warnings, Size { lines: MAX_WARNINGS, bytes: bytes / 8 });
        let errors = (Level::Error, step.errors, Size { lines: MAX_ERRORS, bytes: bytes / 4 });
        let fits = |(level, size, most): &(Level, Size, Size)| {
            let mut all = self.kept;
            all.add(*size);
            self.keep.is_some_and(|keep| *level >= keep) && all.lines <= most.lines && all.bytes <= most.bytes
        };
        let kept = [warnings, errors].into_iter().find(fits);
        kept.map_or((None, Size::default()), |(level, size, _)| (Some(level), size))
    }
}

#[cfg(test)]
mod tests;
