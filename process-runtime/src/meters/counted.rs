//! Every metric with its name, labels and unit.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::Dropped;
use crate::run::RunStatus;

const RUNS: &str = "process_runs";
const RUNS_STARTED: &str = "process_runs_started_total";
const RUNS_ENDED: &str = "process_runs_ended_total";
pub(super) const RUN_DURATION: &str = "process_run_duration_seconds";
const QUEUE_AGE: &str = "process_queue_age_seconds";
const VIEWERS: &str = "process_viewers";
const VIEWERS_DROPPED: &str = "process_viewers_dropped_total";
pub(super) const HEARTBEAT: &str = "process_heartbeat_duration_seconds";
pub(super) const STORE_OPERATION: &str = "process_store_operation_seconds";
const STORE_ERRORS: &str = "process_store_errors_total";
const HTTP_REQUESTS: &str = "process_http_requests_total";

/// Describes each metric to the recorder.
pub(crate) fn describe() {
    describe_gauge!(RUNS, Unit::Count, "Runs that have not ended, by process and state.");
    describe_counter!(RUNS_STARTED, Unit::Count, "Runs started on this node, by process.");
    describe_counter!(RUNS_ENDED, Unit::Count, "Runs that ended on this node, by process and outcome.");
    describe_histogram!(RUN_DURATION, Unit::Seconds, "Execution time of runs that ended on this node.");
    describe_gauge!(QUEUE_AGE, Unit::Seconds, "Waiting time of the oldest queued run, by process.");
    describe_gauge!(VIEWERS, Unit::Count, "Open streams on this node.");
    describe_counter!(VIEWERS_DROPPED, Unit::Count, "Viewers that were disconnected or rejected, by reason.");
    describe_histogram!(HEARTBEAT, Unit::Seconds, "Delay from the due time of a heartbeat to its answer.");
    describe_histogram!(STORE_OPERATION, Unit::Seconds, "Duration of store operations, by operation.");
    describe_counter!(STORE_ERRORS, Unit::Count, "Failed store operations, by operation and error.");
    describe_counter!(HTTP_REQUESTS, Unit::Count, "Answered requests, by route, method and status.");
}

/// Initializes the metrics of these processes with zero, because an increase is only visible in a series that exists.
pub(crate) fn begin<'a>(processes: impl Iterator<Item = &'a str>) {
    for process in processes {
        counter!(RUNS_STARTED, "process" => process.to_owned()).increment(0);
        for status in RunStatus::terminal() {
            counter!(RUNS_ENDED, "process" => process.to_owned(), "status" => status.as_str()).increment(0);
        }
    }
    for reason in [Dropped::Timeout, Dropped::Flood] {
        counter!(VIEWERS_DROPPED, "reason" => reason.as_str()).increment(0);
    }
}

pub(crate) fn run_started(process: &str) {
    counter!(RUNS_STARTED, "process" => process.to_owned()).increment(1);
}

/// `executed` is nothing for a run that ended before its turn had come.
pub(crate) fn run_ended(process: &str, status: RunStatus, executed: Option<Duration>) {
    counter!(RUNS_ENDED, "process" => process.to_owned(), "status" => status.as_str()).increment(1);
    if let Some(executed) = executed {
        histogram!(RUN_DURATION, "process" => process.to_owned()).record(executed);
    }
}

/// The runs of a process that are in this state now.
pub(crate) fn runs(process: &str, status: RunStatus, count: u64) {
    // No count exceeds 2^53.
    gauge!(RUNS, "process" => process.to_owned(), "state" => status.as_str()).set(count as f64);
}

/// For how long the oldest run of a process waits for its turn.
pub(crate) fn queue_age(process: &str, age: Duration) {
    gauge!(QUEUE_AGE, "process" => process.to_owned()).set(age);
}

/// Changes the number of viewers. It is counted here, so that a recorder that is installed later gets the total.
pub(crate) fn viewers(change: i64) {
    static VIEWERS_NOW: AtomicI64 = AtomicI64::new(0);
    let now = VIEWERS_NOW.fetch_add(change, Ordering::Relaxed) + change;
    gauge!(VIEWERS).set(now as f64);
}

pub(super) fn viewer_dropped(reason: Dropped) {
    counter!(VIEWERS_DROPPED, "reason" => reason.as_str()).increment(1);
}

impl Dropped {
    fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Flood => "flood",
        }
    }
}

pub(crate) fn store_operation(operation: &'static str, took: Duration, error: Option<&'static str>) {
    histogram!(STORE_OPERATION, "operation" => operation).record(took);
    if let Some(error) = error {
        counter!(STORE_ERRORS, "operation" => operation, "error" => error).increment(1);
    }
}

/// Counts a heartbeat that was answered, and the delay after its due time.
pub(crate) fn heartbeat(took: Duration) {
    histogram!(HEARTBEAT).record(took);
}

pub(crate) fn http_request(route: &str, method: &'static str, status: u16) {
    let (route, status) = (route.to_owned(), status.to_string());
    counter!(HTTP_REQUESTS, "route" => route, "method" => method, "status" => status).increment(1);
}
