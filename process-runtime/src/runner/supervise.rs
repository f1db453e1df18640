//! Keeps the runtime's own loops going: one that panics says so and begins anew.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::sleep;

/// Between a panic and the next beginning.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the task until it returns.
pub(super) async fn supervised<F: Future<Output = ()>>(what: &'static str, begin: impl Fn() -> F) {
    while AssertUnwindSafe(begin()).catch_unwind().await.is_err() {
        // What it was has been said by the panic itself.
        tracing::error!("{what} broke, and begins anew: please report this as a bug of process-runtime");
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
