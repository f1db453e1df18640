//! Owns the route that sets a run beside another one, and which one that is unless it is named.
//! Refuses to know what is compared.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use super::pages;
use super::respond::{self, Context, Problem, query, run_json};
use super::runs::stored_run;
use crate::processes::Processes;
use crate::run::{Run, RunStatus};
use crate::store::{RunFilter, StoreError};

/// `GET /runs/{id}/compare`, and with `?with={id}` beside that one.
pub(super) async fn compare(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let run = stored_run(&processes, &id, &context).await?;
    let with = query(&uri).find(|(name, _)| name == "with").map(|(_, id)| id.into_owned());
    let other = match with {
        Some(id) => Some(stored_run(&processes, &id, &context).await?),
        None => {
            before(&processes, &run).await.map_err(|error| Problem::of_store(&error).respond(&context))?
        }
    };
    let json_of = |run: &Run| run_json(&context.base, run);
    let data = || json!({ "run": json_of(&run), "other": other.as_ref().map(json_of) });
    if !context.page {
        return Ok(respond::json(StatusCode::OK, &data()));
    }
    let process = processes.registry().get(&run.process);
    let page = pages::compare(&context.shell(), process, &run, other.as_ref());
    Ok(context.show(StatusCode::OK, &page, data))
}

/// The last run of the same process before this one that has ended, however it did.
pub(super) async fn before(processes: &Processes, run: &Run) -> Result<Option<Run>, StoreError> {
    let filter = RunFilter {
        process: Some(run.process.clone()),
        statuses: RunStatus::ALL.into_iter().filter(|status| status.is_terminal()).collect(),
        until: Some(run.created_at),
        limit: 1,
        ..RunFilter::default()
    };
    Ok(processes.store().runs(filter).await?.pop())
}
