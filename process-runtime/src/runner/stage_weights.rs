//! How long the stages of each process took in earlier runs, by which the percentage of a run weighs its stages.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::progress::weights;
use crate::run::{Run, RunStatus};
use crate::store::{RunFilter, Store};
use crate::text::OneLine;

/// How many of the latest succeeded runs of a process are read, once for each process and program.
const READ: usize = 3;

/// The weights of each process that has executed here, by its route. Empty for a process without numbered stages.
#[derive(Default)]
pub(super) struct StageWeights(Mutex<HashMap<String, Vec<u64>>>);

impl StageWeights {
    /// The weights for a new run of this process.
    pub(super) async fn of(&self, store: &dyn Store, process: &str) -> Vec<u64> {
        let known = self.0.lock().get(process).cloned();
        if let Some(known) = known {
            return known;
        }
        let filter =
            RunFilter::default().process(process.to_owned()).statuses(vec![RunStatus::Succeeded]).limit(READ);
        let runs = store.runs(filter).await.unwrap_or_else(|error| {
            tracing::warn!("could not read how long stages took; they weigh the same: {}", OneLine(&error));
            Vec::new()
        });
        self.0.lock().entry(process.to_owned()).or_default();
        runs.iter().rev().for_each(|run| self.learn(run));
        self.0.lock().get(process).cloned().unwrap_or_default()
    }

    /// Takes a run that has succeeded into account: for half of the new weights, so that one unusual run does not
    /// count for more than the next ones.
    pub(super) fn learn(&self, run: &Run) {
        let Some(took) = weights(&run.progress, run.elapsed_ms) else { return };
        let mut known = self.0.lock();
        let known = known.entry(run.process.clone()).or_default();
        if known.len() == took.len() {
            known.iter_mut().zip(took).for_each(|(known, took)| *known = known.midpoint(took));
        } else {
            *known = took;
        }
    }
}
