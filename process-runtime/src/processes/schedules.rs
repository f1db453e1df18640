//! Starts scheduled processes at their times, once each, on the first node to get there.

use std::sync::Weak;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use tokio::time::sleep;

use super::{Inner, Key, Processes, StartError, StartRequest, check};
use crate::field::FieldErrors;
use crate::process::Process;
use crate::registry::Registry;
use crate::text::OneLine;
use crate::uploads::Source;

/// The actor of scheduled runs, as shown on pages and in the history.
const ACTOR: &str = "schedule";
/// The longest sleep: the clock may change, and the machine may be suspended.
const MAX_SLEEP: Duration = Duration::from_secs(10);
/// How long to wait before another attempt when a run could not be stored.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// A start that is later than this is missed.
const TOO_LATE: SignedDuration = SignedDuration::from_secs(60);

/// A scheduled process, and its next time.
#[derive(Clone)]
pub(super) struct Due {
    process: &'static Process,
    at: Timestamp,
}

/// Every scheduled process with its next time, or the reasons why some schedules cannot be used.
pub(super) fn all(registry: &Registry) -> Result<Vec<Due>, String> {
    let (mut due, mut refused) = (Vec::new(), String::new());
    for process in registry.iter() {
        let Some(schedule) = process.schedule else { continue };
        let mut refuse = |why: &str| {
            refused += &format!("\n  {} at {}, `{schedule}`: {why}", process.name, process.location);
        };
        // A scheduled run has no form: every field needs a default that is accepted.
        if let Err(errors) = check(process, &process.fields(), &Map::new(), FieldErrors::default()) {
            errors.iter().for_each(|error| refuse(&error.to_string()));
        }
        match process.next_run_after(Timestamp::now()) {
            Some(at) => due.push(Due { process, at }),
            None => refuse("this schedule never matches a date"),
        }
    }
    if refused.is_empty() { Ok(due) } else { Err(refused) }
}

/// Starts each process at its times, until the last handle to the processes is dropped.
pub(super) async fn keep(processes: Weak<Inner>, mut due: Vec<Due>) {
    while let Some(next) = due.iter().map(|due| due.at).min() {
        let wait = Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default();
        if !wait.is_zero() {
            sleep(wait.min(MAX_SLEEP)).await;
            continue;
        }
        let Some(processes) = processes.upgrade().map(Processes) else { return };
        let now = Timestamp::now();
        let mut failed = false;
        for due in due.iter_mut().filter(|due| due.at <= now) {
            let late = now.duration_since(due.at) > TOO_LATE;
            if late {
                tracing::warn!(
                    "missed the scheduled start of {} at {}",
                    OneLine(due.process.route()),
                    due.at
                );
            } else if let Err(error) = start(&processes, due).await {
                tracing::error!(
                    "{} was not started at {}: {}",
                    OneLine(due.process.route()),
                    due.at,
                    OneLine(&error)
                );
                failed = true;
                continue;
            }
            let next = due.process.next_run_after(if late { now } else { due.at });
            // There is no next time after the end of the calendar.
            due.at = next.unwrap_or(Timestamp::MAX);
        }
        drop(processes);
        if failed {
            sleep(TRY_AGAIN).await;
        }
    }
}

/// The key is the same on every node, so only the first of them makes the run.
async fn start(processes: &Processes, due: &Due) -> Result<(), StartError> {
    let given = StartRequest {
        key: Some(Key::Schedule(due.at)),
        actor: Some(ACTOR.to_owned()),
        confirmed: true,
        ..StartRequest::default()
    };
    processes.start(due.process, given, Source::Program).await.map(drop)
}
