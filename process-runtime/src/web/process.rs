//! Owns the routes of a process: its page, its start and the stream of its active run.
//! Refuses to know how a run is executed once it is stored.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::pages;
use super::respond::{Context, Problem, json, page as page_of, prefers_stream, query, run_json};
use super::runs::log_tail;
use super::stream::{last_seen, stream};
use crate::feed::Feed;
use crate::parameter::InputError;
use crate::process::Process;
use crate::processes::{Processes, StartError};
use crate::run::{Run, RunId, RunStatus};
use crate::store::{RunFilter, StoreError};

/// The longest body of a start that is read, in bytes.
const MAX_BODY: usize = 1 << 20;
/// The longest idempotency key, in bytes.
const MAX_KEY: usize = 200;
/// How many of its runs a process's page lists.
const RECENT: usize = 10;
/// The form's own field beside the parameters.
const KEY_FIELD: &str = "idempotency_key";
const KEY_HEADER: HeaderName = HeaderName::from_static("idempotency-key");

const ACTIVE: [RunStatus; 4] =
    [RunStatus::Running, RunStatus::Cancelling, RunStatus::Paused, RunStatus::Queued];

fn find(processes: &Processes, group: Option<&str>, path: &str) -> Option<&'static Process> {
    let route = group.map_or_else(|| path.to_owned(), |group| format!("{group}/{path}"));
    processes.registry().get(&route)
}

/// `GET /{process}/show_progress`
pub(super) async fn page(
    State(processes): State<Processes>,
    Path(path): Path<String>,
    context: Context,
    uri: Uri,
) -> Response {
    show(find(&processes, None, &path), &processes, &context, &uri).await
}

/// `GET /{group}/{process}/show_progress`
pub(super) async fn page_in_group(
    State(processes): State<Processes>,
    Path((group, path)): Path<(String, String)>,
    context: Context,
    uri: Uri,
) -> Response {
    show(find(&processes, Some(&group), &path), &processes, &context, &uri).await
}

/// `POST /{process}/start`
pub(super) async fn start(
    State(processes): State<Processes>,
    Path(path): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    run(find(&processes, None, &path), &processes, &context, request).await
}

/// `POST /{group}/{process}/start`
pub(super) async fn start_in_group(
    State(processes): State<Processes>,
    Path((group, path)): Path<(String, String)>,
    context: Context,
    request: Request,
) -> Response {
    run(find(&processes, Some(&group), &path), &processes, &context, request).await
}

/// `GET /{process}/start`
pub(super) async fn watch_active(
    State(processes): State<Processes>,
    Path(path): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    watch(find(&processes, None, &path), &processes, &context, request).await
}

/// `GET /{group}/{process}/start`
pub(super) async fn watch_active_in_group(
    State(processes): State<Processes>,
    Path((group, path)): Path<(String, String)>,
    context: Context,
    request: Request,
) -> Response {
    watch(find(&processes, Some(&group), &path), &processes, &context, request).await
}

/// The page of a process as a handler of its own: what the generated `show_progress` calls.
#[doc(hidden)]
pub async fn show_progress(process: &'static Process, state: State<Processes>, request: Request) -> Response {
    let State(processes) = state;
    let (mut parts, _) = request.into_parts();
    let Ok(context) = Context::from_request_parts(&mut parts, &processes).await;
    show(Some(process), &processes, &context, &parts.uri).await
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
        _ => {
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Use POST to start, GET to watch.");
            problem.respond(&context)
        }
    }
}

async fn runs_of(
    processes: &Processes,
    process: &Process,
    statuses: &[RunStatus],
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    let filter = RunFilter { process: Some(process.route()), statuses: statuses.to_vec(), skip: 0, limit };
    processes.store().runs(filter).await
}

/// The run that stands for a process at this moment: the one that runs, or else the first in the queue.
async fn active_run(processes: &Processes, process: &Process) -> Result<Option<Run>, StoreError> {
    let mut runs = runs_of(processes, process, &ACTIVE, 100).await?;
    let rank = |run: &Run| (run.status == RunStatus::Queued, run.id);
    runs.sort_by_key(rank);
    Ok(runs.into_iter().next())
}

async fn show(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    uri: &Uri,
) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    // A link can carry the inputs: what it names is in the form, to be looked at and sent.
    let fields = process.fields();
    let known = query(uri).filter(|(name, _)| fields.iter().any(|field| field.name == *name));
    let values = known.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect();
    form_page(process, processes, context, StatusCode::OK, &values, &[]).await
}

/// The process's page with these values in its form.
async fn form_page(
    process: &'static Process,
    processes: &Processes,
    context: &Context,
    status: StatusCode,
    values: &Map<String, Value>,
    errors: &[InputError],
) -> Response {
    let (active, recent) = match active_run(processes, process).await {
        Ok(active) => (active, runs_of(processes, process, &[], RECENT).await),
        Err(error) => return Problem::of_store(&error).respond(context),
    };
    let recent = match recent {
        Ok(recent) => recent,
        Err(error) => return Problem::of_store(&error).respond(context),
    };
    let live = match active {
        Some(run) => log_tail(processes, run.id).await.ok().flatten(),
        None => None,
    };
    let key = RunId::new().to_string();
    let form = pages::FormState { values, errors, key: &key };
    let live = live.as_ref().map(|(run, log)| (run, log));
    page_of(status, pages::process(&context.shell(), process, &form, live, &recent))
}

async fn watch(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: Request,
) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    let last = last_seen(request.headers(), request.uri());
    match feed_to_watch(processes, process, last).await {
        Ok(Some(feed)) => stream(processes, feed, context.base.clone(), last, request.method()),
        Ok(None) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => Problem::of_store(&error).respond(context),
    }
}

/// The feed of the active run; or of the run a viewer was cut off from, so that it learns of the end.
async fn feed_to_watch(
    processes: &Processes,
    process: &Process,
    last: Option<crate::wire::Position>,
) -> Result<Option<Arc<Feed>>, StoreError> {
    let mut run = active_run(processes, process).await?;
    if let (None, Some(last)) = (&run, last.filter(|last| !last.ended)) {
        let recent = runs_of(processes, process, &[], RECENT).await?;
        run = recent.into_iter().find(|run| last.belongs_to(run.id));
    }
    match run {
        Some(run) => processes.feeds().open(run.id).await,
        None => Ok(None),
    }
}

async fn run(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: Request,
) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    let (parts, body) = request.into_parts();
    let given = match Given::read(&parts.headers, body).await {
        Ok(given) => given,
        Err(problem) => return problem.respond(context),
    };
    // Programs get JSON. A form's sender gets pages, unless it asked for JSON.
    let asks_for_json = super::respond::weight(&parts.headers, "application/json") > 1;
    let context = Context { page: context.page || (given.is_form && !asks_for_json), ..context.clone() };
    let started = match processes.start(process, &given.values, given.key).await {
        Ok(started) => started,
        Err(StartError::Input(errors)) if context.page => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return form_page(process, processes, &context, status, &given.values, &errors).await;
        }
        Err(StartError::Input(errors)) => return Problem::of_fields(errors).respond(&context),
        Err(StartError::Store(error)) => return Problem::of_store(&error).respond(&context),
        Err(error) => return Problem::new(StatusCode::BAD_REQUEST, error.to_string()).respond(&context),
    };
    answer(processes, &context, &parts.headers, &parts.uri, &started.run).await
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
        return Problem::new(StatusCode::BAD_REQUEST, "The mount's path cannot be a header.")
            .respond(context);
    };
    let mut response = if prefers_stream(headers) {
        match processes.feeds().open(run.id).await {
            Ok(Some(feed)) => {
                stream(processes, feed, context.base.clone(), last_seen(headers, uri), &Method::POST)
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

/// What a start was given.
struct Given {
    values: Map<String, Value>,
    key: Option<String>,
    is_form: bool,
}

impl Given {
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let too_large = || {
            let detail = format!("The body of a start may have {MAX_BODY} bytes.");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        };
        if length.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let body = to_bytes(body, MAX_BODY).await.map_err(|_| too_large())?;
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_form = content_type == "application/x-www-form-urlencoded";
        let mut values = match content_type.as_str() {
            _ if body.is_empty() => Map::new(),
            "application/json" => json_of(&body)?,
            _ if is_form => {
                let pairs = form_urlencoded::parse(&body);
                pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
            }
            _ => {
                let detail = "Send the inputs as application/json or application/x-www-form-urlencoded, \
                              or send no body at all.";
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
            }
        };
        let key = match headers.get(KEY_HEADER) {
            Some(key) => Some(key.to_str().unwrap_or_default().to_owned()),
            None if is_form => values.remove(KEY_FIELD).and_then(|key| Some(key.as_str()?.to_owned())),
            None => None,
        };
        if key.as_ref().is_some_and(|key| key.is_empty() || key.len() > MAX_KEY) {
            let detail = format!("An idempotency key has 1 to {MAX_KEY} visible ASCII characters.");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
        Ok(Self { values, key, is_form })
    }
}

fn json_of(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => {
            let detail = "The body must be a JSON object with one entry a field.";
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
        Err(error) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, format!("The body is not valid JSON: {error}.")))
        }
    }
}
