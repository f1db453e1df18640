//! The log lines that a run has reported and the store has not yet written: how many bytes may be buffered, which
//! threads block while the buffer is full, and how lines of other threads are omitted.

use std::cell::Cell;

use jiff::Timestamp;
use parking_lot::MutexGuard;

use super::{ARMED, ARMED_FOR_LINES, Progress, Report, Slow};
use crate::run::{FailedItem, Level, LogLine, RunId, StyledSpan};
use crate::terminal;
use crate::texts::Texts;

/// One part in this many of the buffer is reserved for warnings and errors from threads that must not block.
const RESERVED: usize = 8;

thread_local! {
    /// The run that owns this thread exclusively: its log calls may block.
    static OWNER: Cell<Option<RunId>> = const { Cell::new(None) };
}

/// Sits under the lock of a run's handle.
#[derive(Default)]
pub(super) struct Lines {
    /// Lines that the reader has not taken, in order.
    said: Vec<LogLine>,
    /// How many bytes are not stored yet, whether taken by the reader or not.
    waiting: usize,
    /// How many lines were omitted since the last line that found room.
    omitted: u64,
    /// True if the store failed to write the last batch.
    failing: bool,
}

impl Lines {
    fn has_room(&self, size: usize, most: usize) -> bool {
        // A line of any length is accepted if the buffer is empty.
        self.waiting == 0 || self.waiting.saturating_add(size) <= most
    }

    fn keep(&mut self, line: LogLine) {
        self.waiting += line.size();
        self.said.push(line);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.said.is_empty()
    }
}

impl Slow {
    fn next_line(&mut self, level: Level, text: String, styles: Vec<StyledSpan>) -> LogLine {
        self.last_seq += 1;
        // As exact as stores keep it, so that a line has the same time before and after it is stored.
        let now = Timestamp::now();
        let at = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        LogLine { seq: self.last_seq, at, level, text, styles }
    }

    /// Takes the lines for the reader. Without a store, they leave the buffer immediately.
    pub(super) fn take_lines(&mut self) -> Vec<LogLine> {
        if !self.has_store() {
            self.lines.waiting = 0;
        }
        std::mem::take(&mut self.lines.said)
    }

    /// True if the store takes lines and this thread should wait for it.
    fn waits_for_room(&self) -> bool {
        // A body that was asked to stop at a save must be able to reach one, even while the store is failing.
        let is_held_up = self.lines.failing && self.is_yielding();
        self.has_store() && self.stop.is_none() && !is_held_up
    }

    /// Adds a line with the number of omitted lines, and resets that number.
    fn say_omitted(&mut self) {
        let omitted = std::mem::take(&mut self.lines.omitted);
        if omitted > 0 {
            let lines = Texts::english().counted("log.omitted", omitted);
            let text = format!("{lines}: the log was written faster than it could be stored");
            let line = self.next_line(Level::Warn, text, Vec::new());
            self.facts.warnings += 1;
            self.lines.keep(line);
        }
    }
}

impl Progress {
    /// Adds a line to the run's log.
    ///
    /// The text may be the output of a tool: a carriage return replaces the line before it, as in a terminal, colours
    /// are kept apart from the text, and other escape sequences and control characters are removed.
    ///
    /// Lines that the store has not written yet are buffered in memory, up to
    /// [`Limits::max_log_buffer_bytes`](crate::Limits::max_log_buffer_bytes). If the buffer is full, the call blocks
    /// on the thread of the run's body, and in [`spawn_blocking`](crate::spawn_blocking), until there is room or the
    /// run is stopped. On other threads, which the run may share with other runs, the call does not block: lines that
    /// find no room are omitted, and a line in the log states how many.
    pub fn log(&self, text: impl Into<String>) {
        self.add_line(Level::Info, text.into());
    }

    /// Adds a warning to the run's log: something that a person should look at. It waits for room like
    /// [`log`](Self::log).
    pub fn warn(&self, text: impl Into<String>) {
        self.add_line(Level::Warn, text.into());
    }

    /// Adds the last line of a run that failed. It is not counted as a warning: the run's status says as much.
    pub(crate) fn failed(&self, chain: &str) {
        self.push_line(Level::Error, chain.to_owned(), None);
        let mut slow = self.slow();
        slow.facts.warnings = slow.facts.warnings.saturating_sub(1);
    }

    /// Adds a line from code that must not be unwound: a stopped body leaves at its next report instead.
    #[cfg(feature = "tracing-layer")]
    pub(crate) fn line(&self, level: Level, text: String) {
        self.push_line(level, text, None);
        if self.is_awaited(ARMED | ARMED_FOR_LINES) {
            self.notify(None);
        }
    }

    pub(super) fn add_line(&self, level: Level, text: String) {
        self.push_line(level, text, None);
        self.touched_by_line();
    }

    /// Called at the end of every report that adds a line.
    pub(super) fn touched_by_line(&self) {
        if self.is_awaited(ARMED | ARMED_FOR_LINES) {
            self.on_report(None);
        }
    }

    /// Adds a line as soon as there is room, or counts it as omitted.
    pub(super) fn push_line(&self, level: Level, text: String, failed: Option<FailedItem>) {
        let (text, styles) = terminal::line(text, self.0.limits.max_log_line_bytes);
        let (mut slow, has_room) = self.with_room(level, LogLine::size_of(text.len(), styles.len()));
        slow.facts.warnings += u64::from(level >= Level::Warn);
        if has_room {
            slow.say_omitted();
        }
        if has_room || !slow.has_store() {
            let line = slow.next_line(level, text, styles);
            slow.record(match &failed {
                Some(failed) => Report::FailedItem(failed, &line),
                None => Report::Line(&line),
            });
            if has_room {
                slow.lines.keep(line);
            }
        } else {
            slow.lines.omitted += 1;
        }
        if let Some(failed) = failed {
            slow.facts.fail(failed);
        }
    }

    /// Locks the slow part, and returns whether it has room for a line of this size.
    fn with_room(&self, level: Level, size: usize) -> (MutexGuard<'_, Slow>, bool) {
        let most = self.0.limits.max_log_buffer_bytes;
        let slow = self.slow();
        if slow.lines.has_room(size, most - most / RESERVED) {
            return (slow, true);
        }
        self.wait_for_room(slow, level, size)
    }

    #[cold]
    fn wait_for_room<'a>(
        &'a self,
        mut slow: MutexGuard<'a, Slow>,
        level: Level,
        size: usize,
    ) -> (MutexGuard<'a, Slow>, bool) {
        let most = self.0.limits.max_log_buffer_bytes;
        let for_plain = most - most / RESERVED;
        if OWNER.get() == Some(self.0.run) && slow.waits_for_room() {
            self.0.save_waits.notify_one();
            let full = |slow: &mut Slow| slow.waits_for_room() && !slow.lines.has_room(size, for_plain);
            self.0.room.wait_while(&mut slow, full);
        }
        let most = if level >= Level::Warn { most } else { for_plain };
        let has_room = slow.lines.has_room(size, most);
        (slow, has_room)
    }

    /// Runs `body` on a thread that belongs to this run alone for that time, so its log calls may block.
    pub(crate) fn on_own_thread<R>(&self, body: impl FnOnce() -> R) -> R {
        struct Restored(Option<RunId>);
        impl Drop for Restored {
            fn drop(&mut self) {
                OWNER.set(self.0);
            }
        }
        let _outer = Restored(OWNER.replace(Some(self.0.run)));
        body()
    }

    /// The store has written lines of this size. Returns true if there is now room for the line about omitted lines.
    pub(crate) fn lines_stored(&self, size: usize) -> bool {
        let mut slow = self.slow();
        slow.lines.failing = false;
        slow.lines.waiting = slow.lines.waiting.saturating_sub(size);
        let has_said = slow.lines.omitted > 0;
        slow.say_omitted();
        self.wake_saves(slow);
        has_said
    }

    /// The store failed to write a batch.
    pub(crate) fn store_fails(&self) {
        let mut slow = self.slow();
        slow.lines.failing = true;
        self.wake_saves(slow);
    }

    /// Adds the line about omitted lines, even without room: no further line follows.
    pub(crate) fn say_last_omitted(&self) {
        self.slow().say_omitted();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::limits::Limits;
    use crate::progress::Stop;

    /// A handle with a store, and with room for this many lines of a hundred bytes besides the reserve.
    fn with_room_for(lines: usize) -> Progress {
        let buffer = lines * LogLine::size_of(100, 0) * RESERVED / (RESERVED - 1) + RESERVED;
        let limits = Limits::default().max_log_buffer_bytes(buffer);
        Progress::new(RunId::new(), "", None, 0, limits).with_store()
    }

    fn say(progress: &Progress, lines: usize) {
        (0..lines).for_each(|_| progress.log("x".repeat(100)));
    }

    /// Logs this many lines on a thread that the run owns.
    fn beside(progress: &Progress, lines: usize) -> std::thread::JoinHandle<()> {
        let progress = progress.clone();
        std::thread::spawn(move || progress.on_own_thread(|| say(&progress, lines)))
    }

    fn until(what: &str, mut done: impl FnMut() -> bool) {
        for _ in 0..3_000 {
            if done() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{what} does not happen");
    }

    #[test]
    fn own_thread_waits_for_buffer_room() {
        let progress = with_room_for(10);
        let talker = beside(&progress, 100);
        let mut taken = Vec::new();
        until("the end", || {
            // Lines that are not stored still occupy the buffer.
            assert!(progress.slow().lines.waiting <= 10 * LogLine::size_of(100, 0));
            talker.is_finished() || {
                let lines = progress.read().lines;
                progress.lines_stored(lines.iter().map(LogLine::size).sum());
                taken.extend(lines);
                false
            }
        });
        talker.join().unwrap();
        taken.extend(progress.read().lines);
        assert!(taken.iter().map(|line| line.seq).eq(1..=100));
    }

    #[test]
    fn stop_wakes_waiting_logger() {
        for stop in [Stop::Cancelled, Stop::LeaseLost, Stop::Yielded] {
            let progress = with_room_for(10);
            let talker = beside(&progress, 1_000);
            until("waiting", || progress.slow().lines.said.len() == 10);
            progress.stop(stop);
            talker.join().unwrap();
            assert_eq!(progress.read().lines.len(), 10);
        }
    }

    #[test]
    fn pause_gives_up_on_failing_store() {
        let progress = with_room_for(10);
        let talker = beside(&progress, 20);
        until("waiting", || progress.slow().lines.said.len() == 10);
        progress.yield_asked(true);
        std::thread::sleep(Duration::from_millis(20));
        assert!(!talker.is_finished(), "the store may take it yet");
        progress.store_fails();
        talker.join().unwrap();
    }

    #[test]
    fn dropped_reader_wakes_waiting_logger() {
        let progress = with_room_for(10);
        let talker = beside(&progress, 20);
        until("waiting", || progress.slow().lines.said.len() == 10);
        progress.without_store();
        talker.join().unwrap();
    }

    #[test]
    fn shared_thread_omits_and_counts_lines() {
        let progress = with_room_for(14);
        say(&progress, 20);
        progress.warn("y".repeat(100));
        // The reserve has room for the line about omitted lines, and for one warning.
        progress.warn("z".repeat(100));
        let lines = progress.read().lines;
        let said: Vec<_> = lines[14..].iter().map(|line| &line.text[..8]).collect();
        assert_eq!(said, ["6 lines ", "yyyyyyyy"], "{lines:?}");
        assert!(progress.lines_stored(lines.iter().map(LogLine::size).sum()));
        say(&progress, 1);
        let rest = progress.read().lines;
        assert_eq!(rest[0].text, "1 line omitted: the log was written faster than it could be stored");
        assert!(rest.iter().map(|line| line.seq).eq(17..=18), "numbers have no gap");
        assert_eq!(progress.state().warnings, 4);
    }

    #[test]
    fn many_empty_lines_are_bounded() {
        let progress = Progress::new(RunId::new(), "", None, 0, Limits::DEFAULT).with_store();
        (0..1_000_000).for_each(|_| progress.log(""));
        assert!(progress.read().lines.len() < 40_000);
    }

    #[test]
    fn no_store_means_no_waiting() {
        let progress = Progress::detached();
        progress.on_own_thread(|| say(&progress, 200_000));
        let lines = progress.read().lines;
        assert!(lines.len() < 40_000 && lines.iter().map(|line| line.seq).eq(1..=lines.len() as u64));
        say(&progress, 1);
        assert_eq!(progress.read().lines.len(), 1, "what was read is out of the way");
    }

    #[test]
    fn oversized_line_is_kept() {
        let limits = Limits::default().max_log_buffer_bytes(0);
        let progress = Progress::new(RunId::new(), "", None, 0, limits).with_store();
        say(&progress, 2);
        progress.say_last_omitted();
        let texts: Vec<_> = progress.read().lines.into_iter().map(|line| line.text).collect();
        assert_eq!((texts.len(), texts[1].starts_with("1 line omitted: ")), (2, true), "{texts:?}");
    }
}
