//! What became of scheduled starts that started nothing: skipped while a run was active, or missed.

use std::collections::HashMap;

use jiff::Timestamp;
use parking_lot::Mutex;

/// Scheduled starts of one process that started nothing, since the last one that did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ScheduleNote {
    /// How many were skipped because a scheduled run was still active, and the time of the latest.
    pub(crate) skipped: u64,
    pub(crate) skipped_at: Option<Timestamp>,
    /// The time of the first that was missed because no program made it in time.
    pub(crate) missed_at: Option<Timestamp>,
}

/// The notes on each process, by its route.
#[derive(Default)]
pub(crate) struct ScheduleNotes(Mutex<HashMap<String, ScheduleNote>>);

impl ScheduleNotes {
    /// The note on a process; `None` if all of its starts have started a run.
    pub(crate) fn of(&self, process: &str) -> Option<ScheduleNote> {
        self.0.lock().get(process).copied()
    }

    pub(super) fn started(&self, process: &str) {
        self.0.lock().remove(process);
    }

    /// Returns how many have been skipped by now.
    pub(super) fn skipped(&self, process: String, at: Timestamp) -> u64 {
        let mut notes = self.0.lock();
        let note = notes.entry(process).or_default();
        note.skipped += 1;
        note.skipped_at = Some(at);
        note.skipped
    }

    pub(super) fn missed(&self, process: String, at: Timestamp) {
        self.0.lock().entry(process).or_default().missed_at.get_or_insert(at);
    }
}
