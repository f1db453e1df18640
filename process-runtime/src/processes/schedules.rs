//! Starts scheduled processes at their times, once each, on the first node to get there.

use std::sync::Weak;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;
use tokio::time::sleep;

use super::{Inner, Key, Processes, StartError, StartRequest, check};
use crate::process::Process;
use crate::registry::Registry;
use crate::run::{Run, RunStatus};
use crate::store::{RunFilter, StoreError};
use crate::text::OneLine;
use crate::throttle::Throttle;
use crate::uploads::Source;

/// The actor of scheduled runs, as shown on pages and in the history.
const ACTOR: &str = "schedule";
/// The longest sleep: the clock may change, and the machine may be suspended.
const MAX_SLEEP: Duration = Duration::from_secs(10);
/// How long to wait before another attempt when a run could not be stored.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// A start that is later than this is missed.
const TOO_LATE: SignedDuration = SignedDuration::from_secs(60);

static SKIPPED: Throttle = Throttle::every(Duration::from_secs(60));

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
        if let Err(errors) = check(process, &process.fields(), &Map::new(), Default::default()) {
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
    if let Some(processes) = processes.upgrade().map(Processes) {
        note_missed(&processes, &due).await;
    }
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
                missed(&processes, due.process, due.at);
            } else if let Err(error) = start_or_skip(&processes, due).await {
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

/// Notes the starts that came while no program ran, as in a deploy.
async fn note_missed(processes: &Processes, due: &[Due]) {
    let now = Timestamp::now();
    for Due { process, .. } in due {
        let last = match scheduled(processes, process, Vec::new()).await {
            Ok(last) => last,
            Err(error) => {
                tracing::warn!("could not read when {} ran: {}", OneLine(process.route()), OneLine(&error));
                continue;
            }
        };
        let Some(last) = last else { continue };
        let Some(at) = process.next_run_after(last.created_at) else { continue };
        if is_missed(at, last.finished_at, now) {
            missed(processes, process, at);
        }
    }
}

/// Whether the start at this time was missed, when the last run before it ended at `finished`. While that run was
/// active, the start was skipped.
fn is_missed(at: Timestamp, finished: Option<Timestamp>, now: Timestamp) -> bool {
    finished.is_some_and(|finished| finished < at) && now.duration_since(at) > TOO_LATE
}

fn missed(processes: &Processes, process: &Process, at: Timestamp) {
    tracing::warn!("missed the scheduled start of {} at {}", OneLine(process.route()), OneLine(at));
    processes.schedule_notes().missed(process.route(), at);
}

/// The latest scheduled run of a process with one of these statuses, or with any.
async fn scheduled(
    processes: &Processes,
    process: &Process,
    statuses: Vec<RunStatus>,
) -> Result<Option<Run>, StoreError> {
    let filter = RunFilter::default().process(process.route()).actor(ACTOR.to_owned());
    let mut runs = processes.store().runs(filter.statuses(statuses).limit(1)).await?;
    Ok(runs.pop())
}

/// Starts a run, unless a scheduled one is still active: otherwise runs that take longer than the time between two starts
/// would pile up.
async fn start_or_skip(processes: &Processes, due: &Due) -> Result<(), StartError> {
    let (process, route) = (due.process, due.process.route());
    let active = scheduled(processes, process, RunStatus::active().collect()).await;
    if let Some(active) = active.map_err(StartError::Store)? {
        // The run of this time was started by another node, or before the clock was set back.
        if active.created_at < due.at {
            let skipped = processes.schedule_notes().skipped(route.clone(), due.at);
            if let Some(left_out) = SKIPPED.admit() {
                tracing::warn!(
                    run = %active.id,
                    "skipped the scheduled start of {} at {}, because a scheduled run is active; {} in a row{left_out}",
                    OneLine(&route),
                    due.at,
                    OneLine(skipped)
                );
            }
        }
        return Ok(());
    }
    start(processes, due).await?;
    processes.schedule_notes().started(&route);
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_is_missed_if_nothing_ran_and_it_is_too_late() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let is_missed_at = |now, finished| is_missed(at(1_000), finished, at(now));
        assert!(is_missed_at(1_061, Some(at(999))));
        assert!(!is_missed_at(1_060, Some(at(999))), "it is not too late");
        assert!(!is_missed_at(1_061, Some(at(1_000))), "the last run was still active");
        assert!(!is_missed_at(1_061, None), "the last run is still active");
    }
}
