//! Gauges of active runs, read from the store, so that they are correct after a restart and on every node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use super::Inner;
use crate::measured::OTHER;
use crate::meters;
use crate::run::RunStatus;
use crate::text::OneLine;

/// How often the gauges are refreshed if nothing reads them.
const EVERY: Duration = Duration::from_secs(10);

/// Refreshes the gauges as long as this node runs.
pub(super) async fn keep(shared: Arc<Inner>) {
    loop {
        refresh(&shared).await;
        #[cfg(feature = "prometheus")]
        meters::exporter::tidy();
        sleep(EVERY).await;
    }
}

/// Reads the gauges from the store. If the store fails, they keep their last values.
pub(super) async fn refresh(shared: &Inner) {
    meters::viewers(0);
    let counts = match shared.store.counts().await {
        Ok(counts) => counts,
        Err(error) => return tracing::error!("could not count the runs: {}", OneLine(&error)),
    };
    // All of them each time, since a gauge that was above zero may be zero now.
    let routes = shared.registry.iter().map(|process| process.route()).chain([OTHER.to_owned()]);
    let mut figures: BTreeMap<String, Figures> = routes.map(|route| (route, Figures::default())).collect();
    for one in counts {
        let name = if figures.contains_key(&one.process) { &one.process } else { OTHER };
        let Some(figures) = figures.get_mut(name) else { continue };
        *figures.runs.entry(one.status.as_str()).or_default() += one.runs;
        figures.oldest = [figures.oldest, one.waiting_since].into_iter().flatten().min();
    }
    let now = Timestamp::now();
    for (process, figures) in figures {
        for state in RunStatus::active() {
            meters::runs(&process, state, figures.runs.get(state.as_str()).copied().unwrap_or(0));
        }
        let age = figures.oldest.map(|since| now.duration_since(since));
        meters::queue_age(&process, age.and_then(|age| age.try_into().ok()).unwrap_or_default());
    }
}

#[derive(Default)]
struct Figures {
    runs: BTreeMap<&'static str, u64>,
    /// Since when the oldest queued run has waited.
    oldest: Option<Timestamp>,
}
