//! Counts the active runs that a visitor can view.

use std::collections::HashMap;

use axum::response::Response;

use crate::run::RunStatus;
use crate::store::{RunFilter, RunOrder};
use crate::web::request::active::ActiveCounts;
use crate::web::request::context::Context;
use crate::web::request::problem::Problem;

/// How many active runs are read to count those that the visitor can view, and how many at a time.
const READ: usize = 1_000;
const AT_ONCE: usize = 100;

/// The active runs by process. Of a visitor who cannot view every run, at most a thousand are counted.
pub(in crate::web) async fn active_counts(
    context: &Context,
    process: Option<String>,
) -> Result<HashMap<String, ActiveCounts>, Response> {
    let store = context.processes.store();
    let mut counts: HashMap<String, ActiveCounts> = HashMap::new();
    if !context.visitor.is_asked_about() {
        let counted = store.counts().await.map_err(|error| Problem::of_store(&error).respond(context))?;
        for one in counted {
            counts.entry(one.process).or_default().add(one.status, one.runs);
        }
        return Ok(counts);
    }
    let statuses = RunStatus::active().collect();
    let order = RunOrder::Ranked;
    let mut filter = RunFilter { process, statuses, order, limit: AT_ONCE, ..RunFilter::default() };
    for _ in 0..READ / AT_ONCE {
        let some = store.run_slice(filter.clone()).await;
        let some = some.map_err(|error| Problem::of_store(&error).respond(context))?;
        for run in some.runs {
            if context.sees(&run).await? {
                counts.entry(run.process).or_default().add(run.status, 1);
            }
        }
        filter.after = some.next;
        if some.next.is_none() {
            break;
        }
    }
    Ok(counts)
}
