//! A client that starts an empty process at each beat, whether the last start was answered or not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::field::Field;
use super::table::Quantiles;

const BEAT: Duration = Duration::from_millis(50);

/// One start: when it was sent, how long its answer took, and what it was.
#[derive(Debug)]
pub(super) struct Start {
    at: Duration,
    took: Duration,
    /// `None` without an answer.
    status: Option<u16>,
    pub(super) id: Option<String>,
}

/// Starts until the siege is over, and waits for all answers.
pub(super) async fn start_all(field: Arc<Field>) -> Vec<Start> {
    let starts = Arc::new(Mutex::new(Vec::new()));
    let mut sent = JoinSet::new();
    let mut next = BEAT;
    while field.wait_for(next).await {
        next += BEAT;
        let (field, starts) = (Arc::clone(&field), Arc::clone(&starts));
        sent.spawn(async move {
            let at = field.now();
            let answer = field.start("empty", &json!({})).await;
            let id = answer.as_ref().filter(|(status, _)| *status == 201);
            let id = id.and_then(|(_, run)| Some(run["id"].as_str()?.to_owned()));
            let start = Start { at, took: field.now() - at, status: answer.map(|(status, _)| status), id };
            starts.lock().unwrap().push(start);
        });
        while sent.try_join_next().is_some() {}
    }
    // A program that was ended answers nobody.
    if field.was_broken_off().is_some() {
        sent.abort_all();
    }
    while sent.join_next().await.is_some() {}
    std::mem::take(&mut starts.lock().unwrap())
}

/// The results.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Latencies of starts that were sent while there was space; those without a 201 count as infinite.
    pub(super) outside: Quantiles,
    pub(super) refused_outside: usize,
    /// Latencies of starts that were answered while the disk was full.
    pub(super) within: Quantiles,
    pub(super) kept_within: usize,
    pub(super) refused_within: usize,
    /// Neither 201 nor 503.
    pub(super) odd_within: usize,
}

impl Figures {
    pub(super) fn of(field: &Field, starts: &[Start]) -> Self {
        let mut figures = Self::default();
        let (mut outside, mut within) = (Vec::new(), Vec::new());
        for Start { at, took, status, .. } in starts {
            match (field.plan.is_full(*at), status) {
                (false, Some(201)) => outside.push(*took),
                (false, _) => {
                    figures.refused_outside += 1;
                    outside.push(Duration::MAX);
                }
                (true, status) => {
                    within.push(*took);
                    *match status {
                        Some(201) => &mut figures.kept_within,
                        Some(503) => &mut figures.refused_within,
                        _ => &mut figures.odd_within,
                    } += 1;
                }
            }
        }
        (figures.outside, figures.within) = (Quantiles::of(outside), Quantiles::of(within));
        figures
    }
}
