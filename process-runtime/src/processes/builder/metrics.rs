//! What an application says about the figures for operators.

use super::{BuildError, Builder};
use crate::meters::exporter::Exporter;

impl Builder {
    /// Records figures about runs, viewers, the store and requests, and shows them at `GET /metrics`, as Prometheus
    /// reads them.
    ///
    /// What they say is for operators: the names of all processes, how often they run and how often they fail. So
    /// there is no such route without this; with it, those can read it who may
    /// [`Operate`](crate::Action::Operate) the program, or everybody where nobody is [asked](Self::authorize), and it
    /// is answered for [listed hosts](Self::hosts) only. Where that is too many, leave it out, enable the feature
    /// `metrics` alone, and have a recorder of your own, such as that of metrics-exporter-prometheus, show them on
    /// an address of its own.
    ///
    /// ```
    /// let builder = process_runtime::builder().metrics_route();
    /// ```
    ///
    /// A program has one recorder: where [`build`](Self::build) finds that there is another one already, it says so.
    pub fn metrics_route(mut self) -> Self {
        self.metrics_route = true;
        self
    }
}

pub(super) fn exporter() -> Result<Exporter, BuildError> {
    Exporter::install().map_err(BuildError::Metrics)
}
