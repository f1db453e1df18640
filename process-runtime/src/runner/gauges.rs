//! Gauges of runs that have not ended, read from the store: true after a restart and on every node.

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

/// How old they are at the most, if nobody asks for them.
const EVERY: Duration = Duration::from_secs(10);

/// Keeps them true as long as this node lives.
pub(super) async fn keep(shared: Arc<Inner>) {
    loop {
        refresh(&shared).await;
        #[cfg(feature = "prometheus")]
        meters::exporter::tidy();
        sleep(EVERY).await;
    }
}

/// Reads them anew. What the store does not say stays as it was said last.
pub(super) async fn refresh(shared: &Inner) {
    meters::viewers(0);
    let counts = match shared.store.counts().await {
        Ok(counts) => counts,
        Err(error) => return tracing::error!("runs could not be counted: {}", OneLine(&error)),
    };
    // All of them each time: where there was a run, there may be none now.
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
    /// Since when the one waits that waits longest.
    oldest: Option<Timestamp>,
}
