//! The settings of an application for metrics.

use super::{BuildError, Builder};
use crate::meters::exporter::Exporter;

impl Builder {
    /// Records metrics about runs, viewers, the store and requests, and serves them at `GET /metrics` in the
    /// Prometheus text format.
    ///
    /// The metrics are for operators. They contain the names of all processes, how often they run and how often
    /// they fail. Without this call, the route does not exist. With it, visitors need the permission for
    /// [`Action::Operate`](crate::Action::Operate); without an [`authorize`](Self::authorize) hook, everyone can
    /// read them. The route answers for the [configured hosts](Self::hosts) only. If that is too open, do not call
    /// this: enable only the feature `metrics` and install your own recorder, such as that of
    /// metrics-exporter-prometheus, with an address of its own.
    ///
    /// ```
    /// let builder = process_runtime::builder().metrics_route();
    /// ```
    ///
    /// A program has one recorder. If another one is already installed, [`build`](Self::build) returns an error.
    pub fn metrics_route(mut self) -> Self {
        self.metrics_route = true;
        self
    }
}

pub(super) fn exporter() -> Result<Exporter, BuildError> {
    Exporter::install().map_err(|why| BuildError::Metrics(why.into()))
}
