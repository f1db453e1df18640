//! How many runs of each process are active, among those that the visitor can view.

use serde_json::{Value, json};

use crate::run::RunStatus;

/// The active runs of a process, by what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::web) struct ActiveCounts {
    /// Those that execute, even if they are being cancelled.
    pub(in crate::web) running: u64,
    pub(in crate::web) paused: u64,
    pub(in crate::web) queued: u64,
}

impl ActiveCounts {
    pub(in crate::web) fn add(&mut self, status: RunStatus, runs: u64) {
        match status {
            RunStatus::Running | RunStatus::Cancelling => self.running += runs,
            RunStatus::Paused => self.paused += runs,
            RunStatus::Queued => self.queued += runs,
            _ => {}
        }
    }

    /// Those beside this one, which is shown.
    pub(in crate::web) fn beside(mut self, shown: RunStatus) -> Self {
        match shown {
            RunStatus::Running | RunStatus::Cancelling => self.running = self.running.saturating_sub(1),
            RunStatus::Paused => self.paused = self.paused.saturating_sub(1),
            RunStatus::Queued => self.queued = self.queued.saturating_sub(1),
            _ => {}
        }
        self
    }

    pub(in crate::web) fn json(self) -> Value {
        let Self { running, paused, queued } = self;
        json!({ "running": running, "paused": paused, "queued": queued })
    }
}
