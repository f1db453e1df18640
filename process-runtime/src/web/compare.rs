//! Owns the route that sets a run beside another one, and which one that is unless it is named.
//! Refuses to know what is compared.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use super::pages;
use super::respond::{Context, Problem, query, run_json};
use super::runs::stored_run;
use crate::processes::Processes;
use crate::run::{Run, RunStatus};
use crate::store::{RunFilter, StoreError};

const ENDED: [RunStatus; 4] =
    [RunStatus::Succeeded, RunStatus::Failed, RunStatus::Cancelled, RunStatus::Interrupted];

/// `GET /runs/{id}/compare`, and with `?with={id}` beside that one.
pub(super) async fn compare(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Response {
    let run = match stored_run(&processes, &id, &context).await {
        Ok(run) => run,
        Err(answer) => return answer,
    };
    let with = query(&uri).find(|(name, _)| name == "with").map(|(_, id)| id.into_owned());
    let other = match with {
        Some(id) => stored_run(&processes, &id, &context).await.map(Some),
        None => before(&processes, &run).await.map_err(|error| Problem::of_store(&error).respond(&context)),
    };
    match other {
        Ok(other) => {
            let process = processes.registry().get(&run.process);
            let page = pages::compare(&context.shell(), process, &run, other.as_ref());
            let json_of = |run: &Run| run_json(&context.base, run);
            context.show(
                StatusCode::OK,
                &page,
                || json!({ "run": json_of(&run), "other": other.as_ref().map(json_of) }),
            )
        }
        Err(answer) => answer,
    }
}

/// The run of the same process that ended last among those that were asked for earlier: with luck one that succeeded.
pub(super) async fn before(processes: &Processes, run: &Run) -> Result<Option<Run>, StoreError> {
    let filter = |statuses: &[RunStatus]| RunFilter {
        process: Some(run.process.clone()),
        statuses: statuses.to_vec(),
        until: Some(run.created_at),
        limit: 1,
        ..RunFilter::default()
    };
    let mut found = processes.store().runs(filter(&ENDED[..1])).await?;
    if found.is_empty() {
        found = processes.store().runs(filter(&ENDED)).await?;
    }
    Ok(found.pop())
}
