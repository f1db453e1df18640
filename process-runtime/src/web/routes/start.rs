//! The start of a process over HTTP: the responses to a form, to a program, and to a confirmation.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::access::Action;
use crate::feed::Feed;
use crate::process::Process;
use crate::processes::{Key, MAX_KEY, Processes, StartError, StartRequest};
use crate::rate::Who;
use crate::run::Run;
use crate::texts::Message;
use crate::uploads::Source;
use crate::viewers::Ticket;
use crate::web::request::accept::prefers_stream;
use crate::web::request::authorize::Granted;
use crate::web::request::body::Inputs;
use crate::web::request::context::Context;
use crate::web::request::form::{CONFIRMED, KEY};
use crate::web::request::guard::guarded;
use crate::web::request::input_limits::fit_into_form;
use crate::web::request::json::{json, run_json};
use crate::web::request::kept_files;
use crate::web::request::problem::Problem;
use crate::web::request::process_path::ProcessPath;
use crate::web::request::query::query;
use crate::web::routes::process::{Filled, form_page, watch};
use crate::web::stream::messages::{Format, messages};
use crate::web::stream::response::{last_seen, stream};
use crate::web::stream::watching::Watched;

const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

/// `POST …/start`
pub(in crate::web) async fn start(
    State(processes): State<Processes>,
    ProcessPath(process): ProcessPath,
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    run(process, &processes, &context, request).await
}

/// Start and stream of a process as one handler: the generated `handle_start` calls it.
#[doc(hidden)]
pub async fn handle_start(process: &'static Process, state: State<Processes>, request: Request) -> Response {
    let State(processes) = state;
    let answered = |context: Context, request: Request| async move {
        match *request.method() {
            Method::POST => run(Some(process), &context.processes, &context, request).await,
            Method::GET | Method::HEAD => {
                watch(Some(process), &context.processes, &context, &request.into_parts().0).await
            }
            _ => {
                let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "problem.method");
                let mut response = problem.respond(&context);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD,POST"));
                Err(response)
            }
        }
    };
    guarded(&processes, request, answered).await
}

async fn run(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: Request,
) -> Result<Response, Response> {
    let (process, actor) = context.process(process, Action::Start).await?;
    // Before the body is read.
    let who = Who::of(actor.name(), context.address);
    processes.rate().take(who).map_err(|wait| Problem::of_rate(wait).respond(context))?;
    let (parts, body) = request.into_parts();
    // Before anything is started.
    Format::asked(&parts.uri).map_err(|problem| problem.respond(context))?;
    let validates_only = validates_only(&parts.uri).map_err(|problem| problem.respond(context))?;
    let fields = process.fields();
    let inputs = Inputs::read(processes, &fields, &parts.headers, body).await;
    let inputs = inputs.map_err(|problem| problem.respond(context))?;
    let mut given = given(inputs, &parts.headers, &parts.uri);
    given.actor = actor.name().map(str::to_owned);
    // For the page that is shown again if there are errors.
    let is_shown = context.page && fit_into_form(&fields, &given.values);
    let values = if is_shown { given.values.clone() } else { serde_json::Map::new() };
    let started = if validates_only {
        process.validate_only(given).map(|()| None)
    } else {
        kept_files::take_over(context, &fields, &mut given).await?;
        processes.start(process, given, Source::Request).await.map(Some)
    };
    Err(match started {
        Ok(Some(started)) => {
            return answer(processes, context, &parts.headers, &parts.uri, &started.run).await;
        }
        Ok(None) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(StartError::Input(errors)) if is_shown => {
            let filled = Filled { values, errors, question: None };
            return form_page(process, context, StatusCode::UNPROCESSABLE_ENTITY, filled).await;
        }
        Err(StartError::Input(errors)) => Problem::of_fields(errors).respond(context),
        Err(StartError::Unconfirmed(question)) if is_shown => {
            let filled = Filled { values, question: Some(question), ..Filled::default() };
            return form_page(process, context, StatusCode::PRECONDITION_REQUIRED, filled).await;
        }
        Err(StartError::Unconfirmed(question)) => Problem::of_question(question).respond(context),
        Err(StartError::Store(error)) => Problem::of_store(&error).respond(context),
        Err(StartError::Files(error)) => Problem::of_files(&error).respond(context),
        Err(StartError::IdempotencyKey) => {
            let detail = Message::new("problem.idempotency_key").with("most", MAX_KEY);
            Problem::new(StatusCode::BAD_REQUEST, detail).respond(context)
        }
        Err(StartError::NotMounted) => {
            Problem::new(StatusCode::BAD_REQUEST, "problem.not_mounted").respond(context)
        }
    })
}

/// True for a request that asks only whether a start would be accepted. Any other value than "yes" is refused, because
/// the caller does not mean to start anything.
fn validates_only(uri: &Uri) -> Result<bool, Problem> {
    match query(uri).find(|(name, _)| name == "validate_only") {
        None => Ok(false),
        Some((_, value)) if value == "yes" => Ok(true),
        Some(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "problem.validate_only")),
    }
}

/// The inputs, and the options of the start: from the form's own fields, a header or the query.
fn given(inputs: Inputs, headers: &HeaderMap, uri: &Uri) -> StartRequest {
    let Inputs { mut values, files, errors, against_schema, is_form } = inputs;
    let mut own = |name: &str| {
        let value = if is_form { values.shift_remove(name) } else { None };
        value.and_then(|value| Some(value.as_str()?.to_owned()))
    };
    let (form_key, form_confirmed) = (own(KEY), own(CONFIRMED));
    let mut keys = headers.get_all(KEY_HEADER).iter();
    let key = match (keys.next(), keys.next()) {
        // An unreadable or repeated header counts as an empty key, which is invalid.
        (Some(key), None) => Some(key.to_str().unwrap_or_default().to_owned()),
        (Some(_), Some(_)) => Some(String::new()),
        (None, _) => form_key,
    };
    let key = key.map(Key::Client);
    let asked = query(uri).find(|(name, _)| name == "confirmed").map(|(_, value)| value.into_owned());
    let confirmed = form_confirmed.or(asked).is_some_and(|answer| answer == "yes");
    StartRequest { values, files, errors, against_schema, key, confirmed, ..StartRequest::default() }
}

async fn answer(
    processes: &Processes,
    context: &Context,
    headers: &HeaderMap,
    uri: &Uri,
    run: &Run,
) -> Result<Response, Response> {
    context.is_shown(run).await?;
    let location = format!("{}/runs/{}", context.base, run.id);
    let location = HeaderValue::try_from(location)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "problem.mount").respond(context))?;
    let watched = if prefers_stream(headers) { place_for(processes, context, run).await? } else { None };
    let mut response = if let Some((feed, granted, ticket)) = watched {
        if Format::asked(uri).is_ok_and(|format| format == Format::Messages) {
            messages(processes, feed, (granted.grant, ticket), headers, uri, &Method::POST)
        } else {
            let watched = Watched::run(feed, granted, &last_seen(headers, uri));
            stream(context, ticket, vec![watched], &Method::POST).await
        }
    } else if context.page {
        StatusCode::SEE_OTHER.into_response()
    } else {
        json(StatusCode::CREATED, &run_json(&context.base, run, context.rights(run).await?))
    };
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// A ticket to watch the run that was started. The run exists with or without capacity for another viewer: without one,
/// the start is answered like any other.
async fn place_for(
    processes: &Processes,
    context: &Context,
    run: &Run,
) -> Result<Option<(Arc<Feed>, Granted, Ticket)>, Response> {
    let found = processes.feeds().open(run.id).await;
    let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
    let Some(feed) = found else { return Err(context.nothing().await) };
    let granted = context.watches(&feed).await?;
    let ticket = context.ticket([run.id], &granted).ok();
    Ok(ticket.map(|ticket| (feed, granted, ticket)))
}
