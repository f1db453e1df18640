//! Counts of active runs, for engines that cannot count by themselves.

use jiff::Timestamp;

use super::setters::setters;
use super::{RunFilter, Store, StoreError};
use crate::run::{Run, RunStatus};

/// How many runs are read at a time.
const PAGE: usize = 500;

/// How many runs of a process have one status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatusCount {
    /// The route of the process.
    pub process: String,
    /// The status of these runs.
    pub status: RunStatus,
    /// The number of runs.
    pub runs: u64,
    /// Since when the run that has waited longest has waited: since its start was accepted, or since its retry became
    /// due, with microsecond precision. `None` for statuses other than queued, and if no run is due.
    pub waiting_since: Option<Timestamp>,
}

impl StatusCount {
    /// Creates the count of a process, given by its route, none of whose runs waits.
    pub fn new(process: impl Into<String>, status: RunStatus, runs: u64) -> Self {
        Self { process: process.into(), status, runs, waiting_since: None }
    }

    fn add(&mut self, run: &Run, now: Timestamp) {
        self.runs += 1;
        let since = run.due_at.unwrap_or(run.created_at);
        if run.status == RunStatus::Queued && since <= now {
            self.waiting_since = Some(self.waiting_since.map_or(since, |oldest| oldest.min(since)));
        }
    }
}

setters!(StatusCount { waiting_since: impl Into<Option<Timestamp>> });

/// Counts all active runs, page by page. Runs that change meanwhile count with either state.
pub(super) async fn of_runs<S: Store + ?Sized>(store: &S) -> Result<Vec<StatusCount>, StoreError> {
    let mut counts: Vec<StatusCount> = Vec::new();
    let now = Timestamp::now();
    let mut filter =
        RunFilter { statuses: RunStatus::active().collect(), limit: PAGE, ..RunFilter::default() };
    loop {
        let slice = store.run_slice(filter.clone()).await?;
        for run in &slice.runs {
            let known = counts.iter().position(|one| one.process == run.process && one.status == run.status);
            let place = known.unwrap_or_else(|| {
                let (process, status) = (run.process.clone(), run.status);
                counts.push(StatusCount::new(process, status, 0));
                counts.len() - 1
            });
            if let Some(count) = counts.get_mut(place) {
                count.add(run, now);
            }
        }
        filter.after = slice.next;
        if slice.next.is_none() {
            break;
        }
    }
    Ok(counts)
}
