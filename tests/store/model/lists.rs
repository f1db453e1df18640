//! Lists of runs in the model.

use RunStatus::{Cancelling, Paused, Queued, Running};
use process_runtime::store::{RunFilter, RunOrder, RunPosition};
use process_runtime::{Run, RunStatus};

use super::Model;

impl Model {
    pub(crate) fn runs(&self, filter: &RunFilter) -> Vec<Run> {
        let mut runs: Vec<_> = self.known.iter().map(|known| &known.run).collect();
        // Of the same moment, the one that was started later is the newer one.
        runs.reverse();
        runs.sort_by_key(|run| std::cmp::Reverse(run.created_at));
        if filter.order == RunOrder::Ranked {
            runs.sort_by_key(|run| match run.status {
                Running | Cancelling => 0,
                Paused => 1,
                Queued => 2,
                _ => 3,
            });
        }
        let place = |after: RunPosition| runs.iter().position(|run| run.id == after.id);
        let passed = filter.after.and_then(place).map_or(0, |place| place + 1);
        let mut runs = runs.split_off(passed);
        let contains = |run: &Run| {
            let wanted = filter.contains.as_deref().unwrap_or("").to_lowercase();
            let texts = run.input.values().filter_map(|value| value.as_str());
            let mut texts = texts.chain(run.error.as_deref());
            wanted.is_empty() || texts.any(|text| text.to_lowercase().contains(&wanted))
        };
        runs.retain(|run| {
            filter.process.as_ref().is_none_or(|process| run.process == *process)
                && !filter.except.contains(&run.process)
                && (filter.statuses.is_empty() || filter.statuses.contains(&run.status))
                && filter.actor.as_ref().is_none_or(|actor| run.actor.as_ref() == Some(actor))
                && filter.from.is_none_or(|from| run.created_at >= from)
                && filter.until.is_none_or(|until| run.created_at < until)
                && filter.number.is_none_or(|number| run.number == number)
                && !(filter.failed_items && run.failed_items.is_empty())
                && contains(run)
        });
        runs.into_iter().take(filter.limit).cloned().collect()
    }
}
