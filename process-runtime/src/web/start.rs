//! Owns the start of a process over HTTP: what is answered to the form, to a program and to a question.
//! Refuses to know how a body is read and how a run is executed.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::body::Inputs;
use super::form::{CONFIRMED, KEY};
use super::messages::{Format, messages};
use super::process::{Filled, Found, form_page, watch};
use super::respond::{Context, Problem, json, prefers_stream, query, run_json, weight};
use super::stream::{last_seen, stream};
use super::watching::Watched;
use crate::process::Process;
use crate::processes::{Given, MAX_KEY, Processes, StartError};
use crate::rate::Who;
use crate::run::Run;
use crate::texts::Message;
use crate::uploads::Source;

/// The most values that are shown again in a form when something is wrong: a page of more is no help.
const MAX_SHOWN: usize = 5_000;
const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// `POST …/start`
pub(super) async fn start(
    State(processes): State<Processes>,
    Found(process): Found,
    context: Context,
    request: Request,
) -> Response {
    run(process, &processes, &context, request).await
}

/// Start and stream of a process as one handler: what the generated `handle_start` calls.
#[doc(hidden)]
pub async fn handle_start(process: &'static Process, state: State<Processes>, request: Request) -> Response {
    let State(processes) = state;
    let (mut parts, body) = request.into_parts();
    let Ok(context) = Context::from_request_parts(&mut parts, &processes).await;
    let request = Request::from_parts(parts, body);
    match *request.method() {
        Method::POST => run(Some(process), &processes, &context, request).await,
        Method::GET | Method::HEAD => watch(Some(process), &processes, &context, request).await,
        _ => Problem::new(StatusCode::METHOD_NOT_ALLOWED, "problem.method").respond(&context),
    }
}

async fn run(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: Request,
) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    // Before anything of it is read.
    let who = Who::of(context.actor.as_ref(), context.address);
    if let Err(wait) = processes.rate().take(who) {
        return Problem::of_rate(wait).respond(context);
    }
    let (parts, body) = request.into_parts();
    // Before anything is started.
    if let Err(problem) = Format::asked(&parts.uri) {
        return problem.respond(context);
    }
    let inputs = match Inputs::read(processes, &process.fields(), &parts.headers, body).await {
        Ok(inputs) => inputs,
        Err(problem) => return problem.respond(context),
    };
    // Programs get JSON. A form's sender gets pages, unless it asked for JSON.
    let asks_for_json = weight(&parts.headers, "application/json") > 1;
    let context = Context { page: context.page || (inputs.is_form && !asks_for_json), ..context.clone() };
    let actor = context.actor.as_deref().map(str::to_owned);
    let given = Given { actor, ..given(inputs, &parts.headers, &parts.uri) };
    // For the page that is shown again when something is wrong.
    let is_shown = context.page && given.values.values().map(count).sum::<usize>() <= MAX_SHOWN;
    let values = if is_shown { given.values.clone() } else { serde_json::Map::new() };
    match processes.start(process, given, Source::Request).await {
        Ok(started) => answer(processes, &context, &parts.headers, &parts.uri, &started.run).await,
        Err(StartError::Input(errors)) if is_shown => {
            let filled = Filled { values, errors, question: None };
            form_page(process, processes, &context, StatusCode::UNPROCESSABLE_ENTITY, filled).await
        }
        Err(StartError::Input(errors)) => Problem::of_fields(errors).respond(&context),
        Err(StartError::Unconfirmed(question)) if is_shown => {
            let filled = Filled { values, question: Some(question), ..Filled::default() };
            form_page(process, processes, &context, StatusCode::PRECONDITION_REQUIRED, filled).await
        }
        Err(StartError::Unconfirmed(question)) => Problem::of_question(question).respond(&context),
        Err(StartError::Store(error)) => Problem::of_store(&error).respond(&context),
        Err(StartError::Files(error)) => Problem::of_files(&error).respond(&context),
        Err(StartError::IdempotencyKey) => {
            let detail = Message::new("problem.idempotency_key").with("most", MAX_KEY);
            Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context)
        }
        Err(StartError::NotMounted) => {
            Problem::new(StatusCode::BAD_REQUEST, "problem.not_mounted").respond(&context)
        }
    }
}

/// How many values are in one.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(entries) => entries.iter().map(count).sum::<usize>(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// The inputs, with what a start is told beside them: in a form's own fields, in a header or in the query.
fn given(inputs: Inputs, headers: &HeaderMap, uri: &Uri) -> Given {
    let Inputs { mut values, files, errors, is_form } = inputs;
    let mut own = |name: &str| {
        let value = if is_form { values.shift_remove(name) } else { None };
        value.and_then(|value| Some(value.as_str()?.to_owned()))
    };
    let (form_key, form_confirmed) = (own(KEY), own(CONFIRMED));
    let key = match headers.get(KEY_HEADER) {
        // What cannot be read counts as empty, which no key is.
        Some(key) => Some(key.to_str().unwrap_or_default().to_owned()),
        None => form_key,
    };
    let asked = query(uri).find(|(name, _)| name == "confirmed").map(|(_, value)| value.into_owned());
    let confirmed = form_confirmed.or(asked).is_some_and(|answer| answer == "yes");
    Given { values, files, errors, key, confirmed, ..Given::default() }
}

async fn answer(
    processes: &Processes,
    context: &Context,
    headers: &HeaderMap,
    uri: &Uri,
    run: &Run,
) -> Response {
    let location = format!("{}/runs/{}", context.base, run.id);
    let Ok(location) = HeaderValue::try_from(location) else {
        return Problem::new(StatusCode::BAD_REQUEST, "problem.mount").respond(context);
    };
    // The run is there, whether or not there is a place for one who watches it: without one its start is answered as
    // any other.
    let ticket = if prefers_stream(headers) { context.ticket([run.id]).ok() } else { None };
    let mut response = if let Some(ticket) = ticket {
        match processes.feeds().open(run.id).await {
            Ok(Some(feed)) if Format::asked(uri).is_ok_and(|format| format == Format::Messages) => {
                messages(context, ticket, feed, headers, uri, &Method::POST)
            }
            Ok(Some(feed)) => {
                let watched = Watched::run(feed, &last_seen(headers, uri));
                stream(context, ticket, vec![watched], &Method::POST).await
            }
            Ok(None) => return Problem::not_found().respond(context),
            Err(error) => return Problem::of_store(&error).respond(context),
        }
    } else if context.page {
        StatusCode::SEE_OTHER.into_response()
    } else {
        json(StatusCode::CREATED, &run_json(&context.base, run))
    };
    response.headers_mut().insert(LOCATION, location);
    response
}
