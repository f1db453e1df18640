//! How many runs of each process are active, among those that the visitor can view.

use std::collections::HashMap;

use axum::response::Response;
use serde_json::{Value, json};

use crate::run::RunStatus;
use crate::store::{RunFilter, RunOrder};
use crate::web::request::context::Context;
use crate::web::request::problem::Problem;

/// How many active runs are read to count those that the visitor can view, and how many at a time.
const READ: usize = 1_000;
const AT_ONCE: usize = 100;

/// The active runs of a process, by what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::web) struct ActiveCounts {
    /// Those that execute, even if they are being cancelled.
    pub(in crate::web) running: u64,
    pub(in crate::web) paused: u64,
    pub(in crate::web) queued: u64,
}

impl ActiveCounts {
    fn add(&mut self, status: RunStatus, runs: u64) {
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

impl Context {
    /// The active runs by process. Of a visitor who cannot view every run, at most a thousand are counted.
    pub(in crate::web) async fn active_counts(
        &self,
        process: Option<String>,
    ) -> Result<HashMap<String, ActiveCounts>, Response> {
        let store = self.processes.store();
        let mut counts: HashMap<String, ActiveCounts> = HashMap::new();
        if !self.visitor.is_asked_about() {
            let counted = store.counts().await.map_err(|error| Problem::of_store(&error).respond(self))?;
            for one in counted {
                counts.entry(one.process).or_default().add(one.status, one.runs);
            }
            return Ok(counts);
        }
        let statuses = RunStatus::active().collect();
        let order = RunOrder::Ranked;
        let mut filter = RunFilter { process, statuses, order, limit: AT_ONCE, ..RunFilter::default() };
        for _ in 0..READ / AT_ONCE {
            let some = store.run_slice(filter.clone()).await;
            let some = some.map_err(|error| Problem::of_store(&error).respond(self))?;
            for run in some.runs {
                if self.sees(&run).await? {
                    counts.entry(run.process).or_default().add(run.status, 1);
                }
            }
            filter.after = some.next;
            if some.next.is_none() {
                break;
            }
        }
        Ok(counts)
    }
}
