//! Supervises the runtime's own loops: one that panics is reported and restarted.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

/// The pause between a panic and the restart.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the task until it returns.
pub(super) async fn supervised<F: Future<Output = ()>>(what: &'static str, begin: impl Fn() -> F) {
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        // The panic hook has reported the cause.
        tracing::error!(
            "{what} panicked and was restarted; this is a bug in process-runtime, please report it"
        );
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn panicking_loop_is_restarted() {
        let begun = Cell::new(0);
        supervised("counting", || {
            begun.set(begun.get() + 1);
            let breaks = begun.get() < 3;
            async move { assert!(!breaks, "on purpose") }
        })
        .await;
        assert_eq!(begun.get(), 3);
    }
}
