//! The runtime's side of the handle: reading the reports, waiting for changes, stopping the body.

use std::sync::atomic::Ordering;

use super::{ARMED, ARMED_FOR_LINES, CLOSING, Progress, Report, SHUTTING_DOWN, STOP};
use crate::run::{FailedItem, LogLine, Outcome, Panic, ProgressState, Run, RunFile, SavedCursor};

/// The payload with which a helper unwinds to end its run. No panic hook sees it.
pub(crate) struct Unwound;

/// Unwinds out of the body from inside a helper. Only with `panic = "unwind"`.
#[cold]
pub(crate) fn leave() -> ! {
    std::panic::resume_unwind(Box::new(Unwound))
}

#[cold]
#[inline(never)]
fn leave_unless_panicking() {
    // A destructor that reports while its thread unwinds must not unwind a second time.
    if cfg!(panic = "unwind") && !std::thread::panicking() {
        leave();
    }
}

/// Why a body is stopped before it returns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stop {
    /// It ended itself through `end_process`, or tried to.
    Ended(Outcome),
    /// The run was cancelled.
    Cancelled,
    /// Another holder has the run now; this one must not write any more.
    LeaseLost,
    /// It was asked to stop at a save, and has reached one.
    Yielded,
}

/// What the reader takes: the current state, and what was added since the last reading.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// How far the run is.
    pub(crate) state: ProgressState,
    /// The log lines written since the last reading, in order.
    pub(crate) lines: Vec<LogLine>,
    /// All files the run offers, if they changed since the last reading.
    pub(crate) files: Option<Vec<RunFile>>,
    /// The failed items that are kept, if they changed since the last reading.
    pub(crate) failed_items: Option<Vec<FailedItem>>,
    /// The cursor, if it was saved since the last reading.
    pub(crate) cursor: Option<SavedCursor>,
    /// How many saves were made so far: pass it to [`Progress::cursor_stored`] once this reading is stored.
    pub(crate) cursor_saves: u64,
}

impl Progress {
    /// Restores the state of an earlier attempt. A run that does not resume resets its bar, its stages and its
    /// counts; its files, its log and its elapsed time continue.
    pub(crate) fn restore(&self, run: &Run) {
        let mut slow = self.slow();
        slow.files.clone_from(&run.files);
        let goes_on = run.bookkeeping.cursor.is_some();
        slow.facts.restore(run, goes_on);
        if !goes_on {
            return;
        }
        let state = &run.progress;
        slow.title.clone_from(&state.title);
        slow.text.clone_from(&state.text);
        drop(slow);
        match (state.current, state.total, state.bar_percent()) {
            (Some(current), Some(total), _) => self.set_progress_of(current, total),
            (Some(current), None, _) => self.set_progress_of(current, 0_u64),
            (None, _, Some(percent)) => self.set_progress(percent),
            (None, _, None) => {}
        }
    }

    /// Weighs the stages of the run by how long each took in earlier runs.
    pub(crate) fn weigh(&self, weights: Vec<u64>) {
        self.slow().facts.weigh(weights);
    }

    /// Ends the run with this outcome. The caller must leave the body next.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.slow().record(Report::End);
        self.touched();
        self.stop(Stop::Ended(outcome));
    }

    /// Leaves the body after [`end`](Self::end): if panics abort, by never returning.
    pub(crate) fn leave_ended(&self) -> ! {
        if cfg!(panic = "unwind") {
            leave();
        }
        self.0.parked.notify_one();
        loop {
            std::thread::park();
        }
    }

    /// Waits until the body's thread is parked, and so will never report how the body ended.
    pub(crate) async fn parked(&self) {
        self.0.parked.notified().await;
    }

    /// Asks the body to stop. The first reason is kept.
    pub(crate) fn stop(&self, reason: Stop) {
        let mut slow = self.slow();
        if slow.stop.is_none() {
            slow.stop = Some(reason);
        }
        self.0.hot.flags.fetch_or(STOP, Ordering::Release);
        self.wake_saves(slow);
        self.0.stopped.notify_one();
    }

    /// Tells the body that the program is shutting down. The body may ignore it.
    pub(crate) fn shut_down(&self) {
        self.0.hot.flags.fetch_or(SHUTTING_DOWN, Ordering::Release);
    }

    /// Remembers a panic on a thread of the run. Called by the panic hook, which must not wait.
    pub(crate) fn note_panic(&self, panic: Panic) {
        if let Some(mut slow) = self.0.slow.try_lock() {
            slow.panic = Some(panic);
        }
    }

    /// Takes the last panic on a thread of the run.
    pub(crate) fn take_panic(&self) -> Option<Panic> {
        self.slow().panic.take()
    }

    /// Why the body was asked to stop, if it was.
    pub(crate) fn stop_reason(&self) -> Option<Stop> {
        self.slow().stop.clone()
    }

    /// Waits until the body is asked to stop.
    pub(crate) async fn stopped(&self) {
        while !self.is_stopped() {
            self.0.stopped.notified().await;
        }
    }

    /// From here on this thread runs destructors: they may report, and no report unwinds them.
    pub(crate) fn close(&self) {
        self.slow().closing = Some(std::thread::current().id());
        self.0.hot.flags.fetch_or(CLOSING, Ordering::Release);
    }

    /// The body's destructors have finished.
    pub(crate) fn closed(&self) {
        self.0.hot.flags.fetch_and(!CLOSING, Ordering::Release);
        self.slow().closing = None;
    }

    /// True when a helper must leave the body now.
    #[inline]
    pub(crate) fn must_unwind(&self) -> bool {
        self.0.hot.flags.load(Ordering::Relaxed) & (STOP | CLOSING) == STOP
    }

    /// Leaves the body if it is to stop. Called at the end of every report that may unwind.
    #[inline]
    pub(crate) fn leave_if_stopped(&self) {
        if self.must_unwind() {
            leave_unless_panicking();
        }
    }

    /// Takes what was reported since the last reading.
    pub(crate) fn read(&self) -> Reading {
        let mut slow = self.slow();
        let lines = slow.take_lines();
        let files = std::mem::take(&mut slow.new_files).then(|| slow.files.clone());
        let failed_items = slow.facts.new_failed_items();
        let (cursor, cursor_saves) = slow.read_cursor();
        let state = self.state_under(&slow);
        drop(slow);
        Reading { state, lines, files, failed_items, cursor, cursor_saves }
    }

    /// Requests a wake-up for the next change. Returns false if there is a new line already. A change of the bar that
    /// races with this call may go unnoticed until the next change, so the reader looks again a little later.
    pub(crate) fn arm(&self) -> bool {
        self.arm_for(ARMED)
    }

    /// Like [`arm`](Self::arm), for changes of the log alone.
    pub(crate) fn arm_for_lines(&self) -> bool {
        self.arm_for(ARMED_FOR_LINES)
    }

    fn arm_for(&self, armed: u8) -> bool {
        // A thread that adds a line after this takes the lock after this one, so it sees the flag.
        let slow = self.slow();
        self.0.hot.flags.fetch_or(armed, Ordering::SeqCst);
        slow.lines.is_empty()
    }

    /// Waits for a change that a previous call armed for.
    pub(crate) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn first_stop_reason_wins() {
        let progress = Progress::detached();
        progress.stop(Stop::Ended(Outcome::Succeeded(Value::Null)));
        progress.stop(Stop::Cancelled);
        assert_eq!(progress.stop_reason(), Some(Stop::Ended(Outcome::Succeeded(Value::Null))));
    }
}
