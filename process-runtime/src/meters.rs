//! Metrics: their names, labels and units, and where they are counted.
//!
//! Without the feature `metrics` nothing is counted, and callers need no `cfg`.

#[cfg(feature = "metrics")]
mod counted;
#[cfg(feature = "prometheus")]
pub(crate) mod exporter;

#[cfg(feature = "metrics")]
use counted::viewer_dropped;
#[cfg(feature = "metrics")]
pub(crate) use counted::{
    begin, describe, heartbeat, http_request, queue_age, run_ended, run_started, runs, store_operation,
    viewers,
};

/// Why a viewer is sent away.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Dropped {
    /// It took nothing for too long.
    Timeout,
    /// It exceeded the limits of its reports.
    Flood,
}

/// A viewer, as long as it is there.
#[derive(Debug)]
pub(crate) struct Viewer(());

impl Viewer {
    /// One more.
    pub(crate) fn new() -> Self {
        #[cfg(feature = "metrics")]
        viewers(1);
        Self(())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        #[cfg(feature = "metrics")]
        viewers(-1);
    }
}

impl Dropped {
    /// Counts one.
    pub(crate) fn count(self) {
        #[cfg(feature = "metrics")]
        viewer_dropped(self);
    }
}

/// Counts a heartbeat that was answered.
#[cfg(not(feature = "metrics"))]
pub(crate) fn heartbeat(_took: std::time::Duration) {}

/// Counts a request that was answered.
#[cfg(not(feature = "metrics"))]
pub(crate) fn http_request(_route: &str, _method: &'static str, _status: u16) {}
