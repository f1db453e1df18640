//! Waiting: until an optional time, and between two attempts to reach the store.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The pause after a failed write.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Waits until this time, or for ever without one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
