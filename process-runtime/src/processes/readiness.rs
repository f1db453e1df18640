//! Readiness of this node (`/readyz`): it is not shutting down, it claims runs, and its store can be written.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Processes;
use crate::text::OneLine;

/// How long a probe's answer is reused, so that frequent requests do not make the store write more often.
const HOLDS: Duration = Duration::from_secs(1);
/// The timeout of the store. Probes commonly wait for a second.
const PATIENCE: Duration = Duration::from_millis(900);

/// The time and the result of the last probe.
#[derive(Debug, Default)]
pub(super) struct Probed(Mutex<Option<(Instant, bool)>>);

/// The reason why a node should receive no work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// A shutdown was requested.
    Stopping,
    /// The runner claims no more runs.
    Runner,
    /// The store cannot be written, or takes too long.
    Store,
}

impl NotReady {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Stopping => "stopping",
            Self::Runner => "runner",
            Self::Store => "store",
        }
    }
}

impl Processes {
    /// Whether this node can receive work.
    pub(crate) async fn readiness(&self) -> Result<(), NotReady> {
        let runner = &self.0.runner;
        if runner.is_shutting_down() {
            return Err(NotReady::Stopping);
        }
        if !runner.is_working() {
            return Err(NotReady::Runner);
        }
        if self.store_is_writable().await { Ok(()) } else { Err(NotReady::Store) }
    }

    /// Concurrent requests share one probe.
    async fn store_is_writable(&self) -> bool {
        let mut probed = self.0.probed.0.lock().await;
        if let Some((_, was)) = probed.filter(|(at, _)| at.elapsed() < HOLDS) {
            return was;
        }
        let is = match timeout(PATIENCE, self.store().probe()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::error!("not ready: {}", OneLine(&error));
                false
            }
            Err(_) => {
                tracing::error!("not ready: the store has not answered within {PATIENCE:?}");
                false
            }
        };
        *probed = Some((Instant::now(), is));
        is
    }
}
