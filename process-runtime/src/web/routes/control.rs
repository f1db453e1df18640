//! The routes that control a run: cancel, pause, resume, retry.

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};

use crate::access::{Action, Actor, Refused};
use crate::processes::{ControlError, Processes, StartError};
use crate::run::Run;
use crate::store::Control;
use crate::text::OneLine;
use crate::texts::{Message, Value};
use crate::web::request::context::Context;
use crate::web::request::json::{json, run_json};
use crate::web::request::problem::Problem;
use crate::web::request::query::query;

/// `POST /runs/{id}/cancel`; with `?force=yes`, whether or not the body stops.
pub(in crate::web) async fn cancel(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let control = if says(&uri, "force", "yes") { Control::ForceCancel } else { Control::Cancel };
    ask(&processes, &id, &context, control).await
}

/// `POST /runs/{id}/pause`
pub(in crate::web) async fn pause(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Result<Response, Response> {
    ask(&processes, &id, &context, Control::Pause).await
}

/// `POST /runs/{id}/resume`
pub(in crate::web) async fn resume(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Result<Response, Response> {
    ask(&processes, &id, &context, Control::Resume).await
}

/// `POST /runs/{id}/retry`: a new run instead of this one, from its cursor; with `?from=start` without the cursor.
pub(in crate::web) async fn retry(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let (run, _) = context.run(&id, Action::Control).await?;
    // A retry starts a run, so it needs permission to start the process.
    let process = processes.registry().get(&run.process);
    let actor = match (process, context.visitor.may(process, None, Action::Start).await) {
        (None, _) => Actor::anonymous(),
        (_, Ok(actor)) => actor,
        (_, Err(Refused::Hidden)) => return Err(context.refuse(Refused::NotAllowed(Action::Start))),
        (_, Err(refused)) => return Err(context.refuse(refused)),
    };
    let retried = processes.retry(run.id, says(&uri, "from", "start"), actor.name()).await;
    let retried = retried.map_err(|error| problem(error).respond(&context))?;
    let Some(new) = retried else { return Err(context.nothing().await) };
    note(&context, "retry", &run, &actor);
    context.is_shown(&new).await?;
    answer(&context, StatusCode::CREATED, &new).await
}

fn says(uri: &Uri, name: &str, value: &str) -> bool {
    query(uri).any(|(given, said)| given == name && said == value)
}

async fn ask(
    processes: &Processes,
    id: &str,
    context: &Context,
    control: Control,
) -> Result<Response, Response> {
    let (run, actor) = context.run(id, Action::Control).await?;
    let asked = processes.control(run.id, control).await;
    let asked = asked.map_err(|error| problem(error).respond(context))?;
    let Some(run) = asked else { return Err(context.nothing().await) };
    note(context, control.as_str(), &run, &actor);
    answer(context, StatusCode::OK, &run).await
}

/// Logs who requested what of a run, if known.
fn note(context: &Context, what: &str, run: &Run, actor: &Actor) {
    if context.visitor.is_asked_about() {
        let actor = actor.name().unwrap_or("somebody");
        tracing::info!(run = %run.id, "{} was requested by {}", OneLine(what), OneLine(actor));
    }
}

/// Redirects a form's sender to the run; a program gets its JSON.
async fn answer(context: &Context, status: StatusCode, run: &Run) -> Result<Response, Response> {
    let address = format!("{}/runs/{}", context.base, run.id);
    if context.page {
        return Ok(Redirect::to(&address).into_response());
    }
    let mut response = json(status, &run_json(&context.base, run, context.rights(run).await?));
    if let (StatusCode::CREATED, Ok(address)) = (status, HeaderValue::try_from(address)) {
        response.headers_mut().insert(LOCATION, address);
    }
    Ok(response)
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
        ControlError::NotFound(_) => Problem::not_found(),
        ControlError::Refused(reason) => refused(reason.message()),
        ControlError::Start(error) => refused(error.to_string()),
    }
}
