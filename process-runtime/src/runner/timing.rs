//! Waiting: until a moment that may be none, and between two attempts to reach the store.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// How long to wait when the store could not write.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Waits for this moment, and without one for ever.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
