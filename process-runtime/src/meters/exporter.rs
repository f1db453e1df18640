//! The built-in recorder of metrics, and their Prometheus text format.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;

use super::counted;
use crate::cause::Cause;

/// From a tenth of a second to a day.
const RUN_SECONDS: [f64; 14] =
    [0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1_800.0, 3_600.0, 10_800.0, 43_200.0, 86_400.0];
/// From half a millisecond to the timeout of a request.
const STORE_SECONDS: [f64; 12] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The recorder of this program, if this crate installed it.
static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Drains the histograms. Without scrapes, they would grow without limit.
pub(crate) fn tidy() {
    if let Some(handle) = &*INSTALLED.lock() {
        handle.run_upkeep();
    }
}

/// The recorded metrics of this program.
#[derive(Debug, Clone)]
pub(crate) struct Exporter(PrometheusHandle);

impl Exporter {
    /// Returns the recorder that this crate installed, now or earlier.
    pub(crate) fn install() -> Result<Self, Cause> {
        let mut installed = INSTALLED.lock();
        if let Some(handle) = &*installed {
            return Ok(Self(handle.clone()));
        }
        let handle = recorder().map_err(|error| match error {
            taken @ BuildError::FailedToSetGlobalRecorder(_) => Cause::new(
                "the program has a recorder for metrics already, which is given these figures too: leave \
                 `record_metrics()` and `metrics_route()` out, and have its exporter show them",
                taken,
            ),
            other => Cause::of(other),
        })?;
        *installed = Some(handle.clone());
        Ok(Self(handle))
    }

    /// All figures as Prometheus reads them.
    pub(crate) fn render(&self) -> String {
        self.0.render()
    }
}

fn recorder() -> Result<PrometheusHandle, BuildError> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    PrometheusBuilder::new()
        .set_buckets_for_metric(full(counted::RUN_DURATION), &RUN_SECONDS)?
        .set_buckets_for_metric(full(counted::STORE_OPERATION), &STORE_SECONDS)?
        .set_buckets_for_metric(full(counted::HEARTBEAT), &STORE_SECONDS)?
        .install_recorder()
}
