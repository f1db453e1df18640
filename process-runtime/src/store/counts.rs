//! Counts of active runs, for engines that cannot count by themselves.

use jiff::Timestamp;

use super::{RunFilter, Store, StoreError};
use crate::run::{Run, RunStatus};

/// How many runs are read at a time.
const PAGE: usize = 500;

/// How many runs of a process have one status.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    fn add(&mut self, run: &Run, now: Timestamp) {
        self.runs += 1;
        let since = run.due_at.unwrap_or(run.created_at);
        if run.status == RunStatus::Queued && since <= now {
            self.waiting_since = Some(self.waiting_since.map_or(since, |oldest| oldest.min(since)));
        }
    }
}

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
                counts.push(StatusCount { process, status, runs: 0, waiting_since: None });
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
