//! The settings of an application for metrics.

use super::{BuildError, Builder};
use crate::meters::exporter::Exporter;

/// What the builder enables.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct MetricsSettings {
    is_recording: bool,
    pub(super) has_route: bool,
}

impl Builder {
    /// Records metrics about runs, viewers, the store and requests, without a route that serves them: take them from
    /// [`Processes::metrics`](crate::Processes::metrics), and serve them where only your operators can read them.
    ///
    /// ```no_run
    /// use axum::Router;
    /// use axum::http::StatusCode;
    /// use axum::routing::get;
    /// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let processes = process_runtime::builder().record_metrics().build()?;
    /// let recorded = processes.clone();
    /// let metrics = move || async move { recorded.metrics().await.ok_or(StatusCode::INTERNAL_SERVER_ERROR) };
    /// let internal = Router::<()>::new().route("/metrics", get(metrics));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A program has one recorder. If another one is already installed, [`build`](Self::build) returns an error: then
    /// do not call this, enable the feature `metrics`, and the installed recorder receives the metrics.
    pub fn record_metrics(mut self) -> Self {
        self.metrics.is_recording = true;
        self
    }

    /// Records metrics as [`record_metrics`](Self::record_metrics) does, and serves them at `GET /metrics` below the
    /// mount, in the Prometheus text format.
    ///
    /// The metrics are for operators. They contain the names of all processes, how often they run and how often
    /// they fail. Without this call, the route does not exist. With it, visitors need the permission for
    /// [`Action::Operate`](crate::Action::Operate); without an [`authorize`](Self::authorize) hook, everyone can
    /// read them. The route answers for the [configured hosts](Self::hosts) only. If that is too open, call
    /// [`record_metrics`](Self::record_metrics) instead, and serve the metrics at an address of their own.
    ///
    /// ```
    /// let builder = process_runtime::builder().metrics_route();
    /// ```
    ///
    /// A program has one recorder. If another one is already installed, [`build`](Self::build) returns an error.
    pub fn metrics_route(mut self) -> Self {
        self.metrics = MetricsSettings { is_recording: true, has_route: true };
        self
    }
}

impl MetricsSettings {
    /// The recorder, if the application wants one.
    pub(super) fn exporter(self) -> Result<Option<Exporter>, BuildError> {
        let installed = self.is_recording.then(Exporter::install).transpose();
        installed.map_err(|why| BuildError::Metrics(why.into()))
    }
}
