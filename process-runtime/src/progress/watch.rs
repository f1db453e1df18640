//! The runtime's side of the handle: reading what was reported, being woken, stopping the body.

use std::sync::atomic::Ordering;

use super::{ARMED, ARMED_FOR_LINES, CLOSING, Progress, Report, SHUTTING_DOWN, STOP};
use crate::run::{FailedItem, LogLine, Outcome, ProgressState, Run, RunFile, SavedCursor};

/// The payload a helper unwinds with when its run is to end here. Never seen by a panic hook.
pub(crate) struct Unwound;

/// Leaves the body from inside a helper. Only where panics unwind.
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
    /// It ended itself through `end_process`, or could not.
    Ended(Outcome),
    /// Somebody asked for it.
    Cancelled,
    /// Somebody else holds the run now; nothing more may be written.
    LeaseLost,
    /// It was asked to stop at a save point, and has come to one.
    Yielded,
}

/// What the reader takes: the state as it is, and what was added since it last looked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    /// How far the run is.
    pub(crate) state: ProgressState,
    /// The log lines written since the last reading, in order.
    pub(crate) lines: Vec<LogLine>,
    /// All files the run offers so far, if there are others than at the last reading.
    pub(crate) files: Option<Vec<RunFile>>,
    /// The items that failed so far, as many as are kept, if there are others than at the last reading.
    pub(crate) failed_items: Option<Vec<FailedItem>>,
    /// The cursor, if it was saved since the last reading.
    pub(crate) cursor: Option<SavedCursor>,
    /// How often the cursor was saved so far: what [`Progress::cursor_stored`] is told once this is stored.
    pub(crate) cursor_saves: u64,
}

impl Progress {
    /// Begins where an earlier attempt of the run came to. A run that begins anew has its bar, its stages and its
    /// counts begin anew too; its files, its log and its time go on.
    pub(crate) fn restore(&self, run: &Run) {
        let mut slow = self.slow();
        slow.files.clone_from(&run.files);
        let goes_on = run.books.cursor.is_some();
        slow.facts.restore(run, goes_on);
        if !goes_on {
            return;
        }
        let state = &run.progress;
        slow.title.clone_from(&state.title);
        slow.text.clone_from(&state.text);
        drop(slow);
        match (state.current, state.total, state.percent) {
            (Some(current), Some(total), _) => self.set_progress_of(current, total),
            (Some(current), None, _) => self.set_progress_of(current, 0_u64),
            (None, _, Some(percent)) => self.set_progress(percent),
            (None, _, None) => {}
        }
    }

    /// Ends the run as its body says. The caller leaves the body next.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.slow().record(Report::End);
        self.touched();
        self.stop(Stop::Ended(outcome));
    }

    /// Leaves the body after its [`end`](Self::end): where panics abort, by never returning.
    pub(crate) fn leave_ended(&self) -> ! {
        if cfg!(panic = "unwind") {
            leave();
        }
        self.0.parked.notify_one();
        loop {
            std::thread::park();
        }
    }

    /// Waits until the body's thread will not tell any more how the body ended.
    pub(crate) async fn parked(&self) {
        self.0.parked.notified().await;
    }

    /// Asks the body to stop. The first reason stays.
    pub(crate) fn stop(&self, reason: Stop) {
        let mut slow = self.slow();
        if slow.stop.is_none() {
            slow.stop = Some(reason);
        }
        self.0.hot.flags.fetch_or(STOP, Ordering::Release);
        self.wake_saves(slow);
        self.0.stopped.notify_one();
    }

    /// Tells the body that the program is asked to end. What it makes of that is its own affair.
    pub(crate) fn shut_down(&self) {
        self.0.hot.flags.fetch_or(SHUTTING_DOWN, Ordering::Release);
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

    /// From here on destructors run, on this thread: they may report, and nothing stops them.
    pub(crate) fn close(&self) {
        self.slow().closing = Some(std::thread::current().id());
        self.0.hot.flags.fetch_or(CLOSING, Ordering::Release);
    }

    /// The body's destructors have run.
    pub(crate) fn closed(&self) {
        self.0.hot.flags.fetch_and(!CLOSING, Ordering::Release);
        self.slow().closing = None;
    }

    /// True when a helper must leave the body now.
    #[inline]
    pub(crate) fn must_unwind(&self) -> bool {
        self.0.hot.flags.load(Ordering::Relaxed) & (STOP | CLOSING) == STOP
    }

    /// Leaves the body if it is to stop. The end of every report that does what a helper does.
    #[inline]
    pub(crate) fn leave_if_stopped(&self) {
        if self.must_unwind() {
            leave_unless_panicking();
        }
    }

    /// Takes what was reported since the last time.
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

    /// Asks to be woken by the next change. False when there is a new line already. A change of the bar that races
    /// with this call may go unseen until the one after it, so the reader looks once more a little later.
    pub(crate) fn arm(&self) -> bool {
        self.arm_for(ARMED)
    }

    /// Like [`arm`](Self::arm), for a change of the log alone.
    pub(crate) fn arm_for_lines(&self) -> bool {
        self.arm_for(ARMED_FOR_LINES)
    }

    fn arm_for(&self, armed: u8) -> bool {
        // Whoever adds a line after that has had the lock after us, and so sees that we are armed.
        let slow = self.slow();
        self.0.hot.flags.fetch_or(armed, Ordering::SeqCst);
        slow.lines.is_empty()
    }

    /// Waits for a change that it was armed for.
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
