//! The route that compares a run with another one, by default with the previous one.

use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use crate::access::Action;
use crate::processes::Processes;
use crate::run::{Run, RunStatus};
use crate::store::RunFilter;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::{json as json_of, run_json};
use crate::web::request::query::query;

/// `GET /runs/{id}/compare`; with `?with={id}`, compared with that run.
pub(in crate::web) async fn compare(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let (run, _) = context.run(&id, Action::View).await?;
    let with = query(&uri).find(|(name, _)| name == "with").map(|(_, id)| id.into_owned());
    let other = match with {
        Some(id) => Some(context.run(&id, Action::View).await?.0),
        None => before(&context, &run).await?,
    };
    let rights = context.rights(&run).await?;
    let of_other = match &other {
        Some(other) => Some(context.rights(other).await?),
        None => None,
    };
    let data = || {
        let other = other.as_ref().zip(of_other);
        let other = other.map(|(other, rights)| run_json(&context.base, other, rights));
        json!({ "run": run_json(&context.base, &run, rights), "other": other })
    };
    if !context.page {
        return Ok(json_of(StatusCode::OK, &data()));
    }
    let process = processes.registry().get(&run.process);
    let page = pages::compare(&context.shell(), process, &run, other.as_ref());
    Ok(context.show(StatusCode::OK, &page, data))
}

/// The last run of the same process before this one that has ended, with any outcome, and that the visitor can view.
pub(in crate::web) async fn before(context: &Context, run: &Run) -> Result<Option<Run>, Response> {
    let filter = RunFilter {
        process: Some(run.process.clone()),
        statuses: RunStatus::terminal().collect(),
        until: Some(run.created_at),
        limit: 1,
        ..RunFilter::default()
    };
    Ok(context.runs(filter).await?.pop())
}
