//! Owns the routes that ask something of a run: cancel, pause, resume, retry.
//! Refuses to know what is allowed, and how it is done.

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use super::respond::{Context, Problem, json, query, run_json};
use crate::processes::{ControlError, Processes, StartError};
use crate::run::{Run, RunId};
use crate::store::Control;
use crate::texts::{Message, Value};

/// `POST /runs/{id}/cancel`; with `?force=yes` whether its body stops or not.
pub(super) async fn cancel(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Response {
    let control = if says(&uri, "force", "yes") { Control::Force } else { Control::Cancel };
    ask(&processes, &id, &context, control).await
}

/// `POST /runs/{id}/pause`
pub(super) async fn pause(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Response {
    ask(&processes, &id, &context, Control::Pause).await
}

/// `POST /runs/{id}/resume`
pub(super) async fn resume(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Response {
    ask(&processes, &id, &context, Control::Resume).await
}

/// `POST /runs/{id}/retry`: a new run in the place of this one, from its cursor; with `?from=start` without.
pub(super) async fn retry(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Response {
    let Ok(id) = id.parse::<RunId>() else { return Problem::not_found().respond(&context) };
    match processes.retry(id, says(&uri, "from", "start")).await {
        Ok(Some(run)) => answer(&context, StatusCode::CREATED, &run),
        Ok(None) => Problem::not_found().respond(&context),
        Err(error) => problem(error).respond(&context),
    }
}

fn says(uri: &Uri, name: &str, value: &str) -> bool {
    query(uri).any(|(given, said)| given == name && said == value)
}

async fn ask(processes: &Processes, id: &str, context: &Context, control: Control) -> Response {
    let Ok(id) = id.parse::<RunId>() else { return Problem::not_found().respond(context) };
    match processes.control(id, control).await {
        Ok(Some(run)) => answer(context, StatusCode::OK, &run),
        Ok(None) => Problem::not_found().respond(context),
        Err(error) => problem(error).respond(context),
    }
}

/// A form's sender sees the run; a program gets it.
fn answer(context: &Context, status: StatusCode, run: &Run) -> Response {
    let address = format!("{}/runs/{}", context.base, run.id);
    if context.page {
        return Redirect::to(&address).into_response();
    }
    let mut response = json(status, &run_json(&context.base, run));
    if let (StatusCode::CREATED, Ok(address)) = (status, HeaderValue::try_from(address)) {
        response.headers_mut().insert(LOCATION, address);
    }
    response
}

fn refused(reason: impl Into<Value>) -> Problem {
    Problem::new(StatusCode::CONFLICT, Message::new("problem.refused").with("reason", reason))
}

fn problem(error: ControlError) -> Problem {
    match error {
        ControlError::Store(error) | ControlError::Start(StartError::Store(error)) => {
            Problem::of_store(&error)
        }
        ControlError::Start(StartError::Input(errors)) => Problem::of_fields(errors),
        ControlError::Start(StartError::Files(error)) => Problem::of_files(&error),
        ControlError::Refused(reason) => refused(reason.message()),
        ControlError::Start(error) => refused(error.to_string()),
    }
}
