//! Owns the routes that look at a process: its page, and the stream of its active run.
//! Refuses to know how a run is started.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::describe::process_json;
use super::language::LANG;
use super::messages::{Format, messages};
use super::respond::{Context, Problem, errors_json, query, run_json};
use super::runs::log_tail;
use super::stream::{last_seen, stream};
use super::watching::Watched;
use super::{form, pages};
use crate::feed::Feed;
use crate::field::{FieldErrors, FieldInfo};
use crate::process::Process;
use crate::processes::Processes;
use crate::run::{Run, RunId, RunStatus};
use crate::schema;
use crate::store::{RunFilter, StoreError};
use crate::wire::Position;

/// How many of its runs a process's page lists.
const RECENT: usize = 10;
const ACTIVE: [RunStatus; 4] =
    [RunStatus::Running, RunStatus::Cancelling, RunStatus::Paused, RunStatus::Queued];

/// The process that a path names, `/{process}/…` or `/{group}/{process}/…`; `None` if there is none.
pub(super) struct Found(pub(super) Option<&'static Process>);

impl FromRequestParts<Processes> for Found {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, processes: &Processes) -> Result<Self, Infallible> {
        let Ok(segments) = RawPathParams::from_request_parts(parts, processes).await else {
            return Ok(Self(None));
        };
        let segments: Vec<&str> = segments.iter().map(|(_, segment)| segment).collect();
        Ok(Self(processes.registry().get(&segments.join("/"))))
    }
}

/// `GET …/show_progress`
pub(super) async fn page(
    State(processes): State<Processes>,
    Found(process): Found,
    context: Context,
    uri: Uri,
) -> Response {
    show(process, &processes, &context, &uri).await
}

/// `GET …/start`
pub(super) async fn watch_active(
    State(processes): State<Processes>,
    Found(process): Found,
    context: Context,
    request: Request,
) -> Response {
    watch(process, &processes, &context, request).await
}

/// The page of a process as a handler of its own: what the generated `show_progress` calls.
#[doc(hidden)]
pub async fn show_progress(process: &'static Process, state: State<Processes>, request: Request) -> Response {
    let State(processes) = state;
    let (mut parts, _) = request.into_parts();
    let Ok(context) = Context::from_request_parts(&mut parts, &processes).await;
    show(Some(process), &processes, &context, &parts.uri).await
}

async fn runs_of(
    processes: &Processes,
    process: &Process,
    statuses: &[RunStatus],
    limit: usize,
) -> Result<Vec<Run>, StoreError> {
    let filter = RunFilter {
        process: Some(process.route()),
        statuses: statuses.to_vec(),
        limit,
        ..RunFilter::default()
    };
    processes.store().runs(filter).await
}

/// The run that stands for a process at this moment: the one that runs, or else the first in the queue.
async fn active_run(processes: &Processes, process: &Process) -> Result<Option<Run>, StoreError> {
    let mut runs = runs_of(processes, process, &ACTIVE, 100).await?;
    let rank = |run: &Run| (run.status == RunStatus::Queued, run.id);
    runs.sort_by_key(rank);
    Ok(runs.into_iter().next())
}

/// What the form of a process shows; by default, what the process declares.
#[derive(Default)]
pub(super) struct Filled {
    pub(super) values: Map<String, Value>,
    pub(super) errors: FieldErrors,
    /// What has to be answered with yes.
    pub(super) question: Option<&'static str>,
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
    let mut context = context.clone();
    if fields.iter().any(|field| field.name == LANG) {
        context.language = context.language.unasked();
    }
    let pairs = query(uri).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    let mut values = form::values(&fields, pairs.collect());
    values.retain(|name, _| fields.iter().any(|field| field.name == name && !field.shape.has_secret()));
    let filled = Filled { values, ..Filled::default() };
    form_page(process, processes, &context, StatusCode::OK, filled).await
}

/// The process's page with these values in its form.
pub(super) async fn form_page(
    process: &'static Process,
    processes: &Processes,
    context: &Context,
    status: StatusCode,
    filled: Filled,
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
    let Filled { values, errors, question } = &filled;
    let form = pages::FormState { values, errors, question: *question, key: &key };
    let live = live.as_ref().map(|(run, log)| (run, log));
    let page = pages::process(&context.shell(), process, &form, live, &recent);
    context.show(status, &page, || data(context, process, &form, live.map(|(run, _)| run), &recent))
}

/// What a process's page shows. No program gets this: it asks for the parts.
fn data(
    context: &Context,
    process: &Process,
    form: &pages::FormState<'_>,
    active: Option<&Run>,
    recent: &[Run],
) -> Value {
    let base = &context.base;
    let mut data = process_json(base, process, recent.first());
    // Secrets and files are given anew, as in our form.
    let shown = |field: &FieldInfo| !(field.shape.has_secret() || field.shape.has_upload());
    let values = process.fields().into_iter().filter(shown);
    let values =
        values.filter_map(|field| Some((field.name.to_owned(), form.values.get(field.name)?.clone())));
    data["schema"] = schema::of_process(process);
    data["confirm"] = process.confirm.into();
    data["values"] = Value::Object(values.collect());
    data["errors"] = errors_json(form.errors, context.language.texts());
    data["question"] = form.question.into();
    data["idempotency_key"] = form.key.into();
    data["active"] = active.map(|run| run_json(base, run)).into();
    data["recent"] = recent.iter().map(|run| run_json(base, run)).collect();
    data
}

pub(super) async fn watch(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: Request,
) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    let (headers, uri, method) = (request.headers(), request.uri(), request.method());
    let format = match Format::asked(uri) {
        Ok(format) => format,
        Err(problem) => return problem.respond(context),
    };
    // Whatever runs now: who has seen the last message of a run has not asked for another.
    if let Some(over) = format.over(headers, uri) {
        return over;
    }
    let last = last_seen(headers, uri);
    let feed = match feed_to_watch(processes, process, &last).await {
        Ok(Some(feed)) => feed,
        Ok(None) => return StatusCode::NO_CONTENT.into_response(),
        Err(error) => return Problem::of_store(&error).respond(context),
    };
    match context.ticket([feed.id()]) {
        Ok(ticket) if format == Format::Messages => messages(context, ticket, feed, headers, uri, method),
        Ok(ticket) => stream(context, ticket, vec![Watched::run(feed, &last)], method).await,
        Err(crowded) => Problem::of_crowd(crowded).respond(context),
    }
}

/// The feed of the active run; or of the run a viewer was cut off from, so that it learns of the end.
async fn feed_to_watch(
    processes: &Processes,
    process: &Process,
    last: &[Position],
) -> Result<Option<Arc<Feed>>, StoreError> {
    let mut run = active_run(processes, process).await?;
    if let (None, Some(last)) = (&run, last.iter().find(|last| !last.ended)) {
        let recent = runs_of(processes, process, &[], RECENT).await?;
        run = recent.into_iter().find(|run| last.belongs_to(run.id));
    }
    match run {
        Some(run) => processes.feeds().open(run.id).await,
        None => Ok(None),
    }
}
