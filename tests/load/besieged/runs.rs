//! Long runs during the siege: they are watched, and must all end as planned.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::field::Field;
use super::table::Quantiles;

/// How often they are checked, and how often each reports.
const EVERY: Duration = Duration::from_secs(1);
const REPORTS: u64 = 500;

/// Starts one for each end of the plan. Called at the beginning of the siege.
pub(super) async fn begin(field: &Field) -> Vec<String> {
    let mut runs = Vec::new();
    for end in &field.plan.ends {
        let milliseconds = end.saturating_sub(field.now()).as_millis() as u64;
        runs.push(field.begin("works", &json!({ "milliseconds": milliseconds, "every": REPORTS })).await);
    }
    runs
}

/// Observations during the siege.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The statuses of `/readyz`: while there was space, and while the disk was full.
    pub(super) ready: BTreeMap<Option<u16>, u64>,
    pub(super) ready_when_full: BTreeMap<Option<u16>, u64>,
    /// Answers about runs by status, and how long they took.
    pub(super) answers: BTreeMap<Option<u16>, u64>,
    pub(super) took: Quantiles,
    /// The first time that one was seen as interrupted.
    pub(super) interrupted: Option<(Duration, Value)>,
}

/// Checks the runs and the program until the siege is over.
pub(super) async fn look(field: Arc<Field>, runs: Vec<String>) -> Seen {
    let (mut seen, mut took) = (Seen::default(), Vec::new());
    let look = async {
        loop {
            let asked = field.now();
            let ready = field.get("/readyz").await.map(|(status, _)| status);
            let is_full = field.plan.is_full(asked);
            *(if is_full { &mut seen.ready_when_full } else { &mut seen.ready }).entry(ready).or_default() +=
                1;
            for run in &runs {
                let asked = field.now();
                let answer = field.get_json(run).await;
                took.push(field.now() - asked);
                *seen.answers.entry(answer.as_ref().map(|(status, _)| *status)).or_default() += 1;
                let shown = answer.map(|(_, run)| run).filter(|run| run["status"] == "interrupted");
                if let (None, Some(run)) = (&seen.interrupted, shown) {
                    seen.interrupted = Some((field.now(), run));
                }
            }
            sleep(EVERY).await;
        }
    };
    field.while_it_lasts(look).await;
    seen.took = Quantiles::of(took);
    seen
}

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) by_status: BTreeMap<String, u64>,
    /// The failures, one run per line.
    pub(super) wrong: Vec<String>,
}

/// Waits for all ends, and compares them with the plan.
pub(super) async fn end(field: &Field, runs: &[String]) -> Ends {
    let mut ends = Ends::default();
    let until = field.plan.length + 4 * field.plan.lease;
    for (run, due) in runs.iter().zip(&field.plan.ends) {
        let ended = field.ended(run, until.saturating_sub(field.now())).await;
        let status = ended["status"].as_str().unwrap_or("not there").to_owned();
        let steps = ended["input"]["milliseconds"].as_u64().unwrap_or_default() / REPORTS;
        let log = field.get(&format!("{run}/log")).await.unwrap_or_default().1;
        let lines: Vec<&str> = log.lines().filter_map(|line| line.split("line ").nth(1)).collect();
        let whole =
            (1..=steps).map(|step| step.to_string()).eq(lines.iter().map(|line| line.trim().to_owned()));
        let told = format!(
            "{run}, due at {due:.0?}: {status} in attempt {}, {} lines of {steps}, {} {}",
            ended["attempt"],
            lines.len(),
            ended["result"],
            ended["error"],
        );
        if status != "succeeded" || ended["result"] != steps || ended["attempt"] != 1 || !whole {
            ends.wrong.push(told);
        }
        *ends.by_status.entry(status).or_default() += 1;
    }
    ends
}

/// Of the runs whose start was acknowledged, those that are not there or have not succeeded.
pub(super) async fn lost(field: &Field, ids: impl Iterator<Item = &String>) -> Vec<String> {
    let until = field.plan.length + 4 * field.plan.lease;
    let mut lost = Vec::new();
    for id in ids {
        let run = field.ended(&format!("/runs/{id}"), until.saturating_sub(field.now())).await;
        if run["status"] != "succeeded" {
            lost.push(format!("{id}: {} {}", run["status"], run["error"]));
        }
    }
    lost
}
