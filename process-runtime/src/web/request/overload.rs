//! What the operator's log says of requests that a limit refuses: which limit it is, at a bounded rate.

use std::time::Duration;

use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::throttle::Throttle;

static STARTS: Throttle = Throttle::every(Duration::from_secs(10));
static QUEUE: Throttle = Throttle::every(Duration::from_secs(10));
static VIEWERS: Throttle = Throttle::every(Duration::from_secs(10));
static READS: Throttle = Throttle::every(Duration::from_secs(10));

/// Logs the limit behind this answer, if it is one of a limit.
pub(in crate::web) fn note(detail: &Message) {
    let (throttle, limit) = match detail.key() {
        "problem.rate" => (&STARTS, "max_starts_per_second and max_start_burst"),
        "problem.full" => (&QUEUE, "max_queued"),
        "problem.full_of_process" => (&QUEUE, "max_queued_per_process"),
        "problem.full_of_actor" => (&QUEUE, "max_queued_per_actor"),
        "problem.viewers" => (&VIEWERS, "max_viewers"),
        "problem.viewers_of_run" => (&VIEWERS, "max_viewers_per_run"),
        "problem.viewers_of_actor" => (&VIEWERS, "max_viewers_per_actor"),
        "problem.downloads" => (&READS, "max_downloads"),
        "problem.busy" => (&READS, "the number of reads that the store does at once, which is fixed"),
        _ => return,
    };
    if let Some(left_out) = throttle.admit() {
        let said = Texts::english().say(detail);
        tracing::warn!("refused a request because of {}: {}{left_out}", OneLine(limit), OneLine(&said));
    }
}
