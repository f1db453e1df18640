//! The routes of a process: its page, and the stream of its active run.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::access::Action;
use crate::feed::Feed;
use crate::field::{FieldErrors, FieldInfo};
use crate::process::Process;
use crate::processes::Processes;
use crate::run::{Run, RunId, RunStatus};
use crate::schema;
use crate::store::{RunFilter, RunOrder};
use crate::texts::Message;
use crate::web::pages;
use crate::web::request::active::ActiveCounts;
use crate::web::request::context::Context;
use crate::web::request::form::{self, FROM_RUN};
use crate::web::request::guard::guarded;
use crate::web::request::input_limits::{MAX_INPUTS, fit_into_form};
use crate::web::request::json::{errors_json, process_json, run_json};
use crate::web::request::kept_files;
use crate::web::request::language::LANG;
use crate::web::request::problem::Problem;
use crate::web::request::process_path::ProcessPath;
use crate::web::request::query::query;
use crate::web::request::rights::Rights;
use crate::web::routes::active_counts::active_counts;
use crate::web::routes::runs::log_tail;
use crate::web::stream::messages::{Format, messages};
use crate::web::stream::response::{last_seen, stream};
use crate::web::stream::watching::Watched;
use crate::wire::Position;

/// `GET …/show_progress`
pub(in crate::web) async fn page(
    ProcessPath(process): ProcessPath,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    show(process, &context, &uri).await
}

/// `GET …/start`
pub(in crate::web) async fn watch_active(
    State(processes): State<Processes>,
    ProcessPath(process): ProcessPath,
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    watch(process, &processes, &context, &request.into_parts().0).await
}

/// The page of a process as a handler: the generated `show_progress` calls it.
#[doc(hidden)]
pub async fn show_progress(process: &'static Process, state: State<Processes>, request: Request) -> Response {
    let State(processes) = state;
    let shown = |context: Context, request: Request| async move {
        show(Some(process), &context, &request.into_parts().0.uri).await
    };
    guarded(&processes, request, shown).await
}

/// The runs of a process that the visitor can view.
async fn runs_of(
    context: &Context,
    process: &Process,
    statuses: &[RunStatus],
    order: RunOrder,
    limit: usize,
) -> Result<Vec<Run>, Response> {
    let filter = RunFilter {
        process: Some(process.route()),
        statuses: statuses.to_vec(),
        order,
        limit,
        ..RunFilter::default()
    };
    context.runs(filter).await
}

/// The active run of a process that is shown: one that executes, otherwise a paused or a queued one.
async fn active_run(context: &Context, process: &Process) -> Result<Option<Run>, Response> {
    let active = RunStatus::active().collect::<Vec<_>>();
    Ok(runs_of(context, process, &active, RunOrder::Ranked, 1).await?.pop())
}

/// The state of a process's form; by default, the declared defaults.
#[derive(Default)]
pub(in crate::web) struct Filled {
    pub(in crate::web) values: Map<String, Value>,
    pub(in crate::web) errors: FieldErrors,
    /// The question that must be answered with yes.
    pub(in crate::web) question: Option<String>,
}

async fn show(process: Option<&'static Process>, context: &Context, uri: &Uri) -> Result<Response, Response> {
    let (process, _) = context.process(process, Action::View).await?;
    // A link can contain inputs: the form shows them, and the person can review and send it.
    let fields = process.fields();
    let mut context = context.clone();
    if fields.iter().any(|field| field.name == LANG) {
        context.language = context.language.unasked();
    }
    let pairs = query(uri).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    let mut values = form::values(&fields, pairs.collect());
    values.retain(|name, _| fields.iter().any(|field| field.name == name && !field.shape.has_secret()));
    let from = form::from_name(&fields);
    if let Some((_, id)) = query(uri).find(|(name, _)| name == from || name == FROM_RUN) {
        let stored = inputs_of(&context, process, &id).await?;
        if !fit_into_form(&fields, &stored) {
            let detail = Message::new("problem.inputs_of_run").with("most", MAX_INPUTS);
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context));
        }
        // The address may change some of them.
        values = stored.into_iter().chain(values).collect();
    }
    if !fit_into_form(&fields, &values) {
        let detail = Message::new("problem.inputs").with("most", MAX_INPUTS);
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context));
    }
    let filled = Filled { values, ..Filled::default() };
    form_page(process, &context, StatusCode::OK, filled).await
}

/// The inputs of a run of this process, as a form would send them.
async fn inputs_of(
    context: &Context,
    process: &'static Process,
    id: &str,
) -> Result<Map<String, Value>, Response> {
    let (run, _) = context.run(id, Action::View).await?;
    if run.process != process.route() {
        return Err(context.nothing().await);
    }
    let fields = process.fields();
    let input = kept_files::values_of(context, process, &run).await?;
    let pairs = form::pairs(&fields, &input).into_iter().map(|(name, value)| (name, value.into()));
    Ok(form::values(&fields, pairs.collect()))
}

/// The process's page with these values in its form.
pub(in crate::web) async fn form_page(
    process: &'static Process,
    context: &Context,
    status: StatusCode,
    filled: Filled,
) -> Result<Response, Response> {
    let active = active_run(context, process).await?;
    let recent = runs_of(context, process, &[], RunOrder::Newest, pages::RECENT).await?;
    let route = process.route();
    let counts = active_counts(context, Some(route.clone())).await?.remove(&route).unwrap_or_default();
    let starts = context.is_allowed(Some(process), None, Action::Start).await?;
    let live = match active {
        Some(run) => log_tail(&context.processes, run.id).await.ok().flatten(),
        None => None,
    };
    let rights = match &live {
        Some((run, _)) => context.rights(run).await?,
        None => Rights::ALL,
    };
    let rights_of_recent = context.rights_of(&recent).await?;
    let key = RunId::new().to_string();
    let Filled { values, errors, question } = &filled;
    let kept = kept_files::offered(context, &process.fields(), values).await?;
    let form = pages::FormState { values, errors, question: question.as_deref(), key: &key, kept: &kept };
    let form = Some(form).filter(|_| starts);
    let live = live.as_ref().map(|(run, log)| pages::RunView {
        process: Some(process),
        run,
        log,
        earlier: None,
        rights,
        link: None,
    });
    let runs = pages::ProcessRuns {
        active: live.as_ref(),
        counts,
        recent: &recent,
        schedule_note: context.processes.schedule_notes().of(&route),
    };
    let page = pages::process(&context.shell(), process, form.as_ref(), &runs);
    let recent: Vec<_> = recent.iter().zip(rights_of_recent).collect();
    let active = live.map(|shown| (shown.run, shown.rights));
    Ok(context.show(status, &page, || data(context, process, form.as_ref(), (active, counts), &recent)))
}

/// The content of a process's page for a layout, without a form for those without permission to start. Programs use the
/// JSON routes instead.
fn data(
    context: &Context,
    process: &Process,
    form: Option<&pages::FormState<'_>>,
    (active, counts): (Option<(&Run, Rights)>, ActiveCounts),
    recent: &[(&Run, Rights)],
) -> Value {
    let base = &context.base;
    let note = context.processes.schedule_notes().of(&process.route());
    let mut data = process_json(base, process, active.or(recent.first().copied()), counts, form.is_some());
    data["unstarted"] = note.map_or(
        Value::Null,
        |note| json!({ "skipped": note.skipped, "skipped_at": note.skipped_at, "missed_at": note.missed_at }),
    );
    data["active"] = active.map(|(run, rights)| run_json(base, run, rights)).into();
    data["recent"] = recent.iter().map(|(run, rights)| run_json(base, run, *rights)).collect();
    let Some(form) = form else { return data };
    // Secrets and files must be entered again, as in our form.
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
    data
}

pub(in crate::web) async fn watch(
    process: Option<&'static Process>,
    processes: &Processes,
    context: &Context,
    request: &Parts,
) -> Result<Response, Response> {
    if let Some(refused) = context.refuses_site() {
        return Err(refused);
    }
    let (process, _) = context.process(process, Action::View).await?;
    let Parts { headers, uri, method, .. } = request;
    let format = Format::asked(uri).map_err(|problem| problem.respond(context))?;
    // Whichever run is active: a client that has seen the last message of a run did not request another.
    if let Some(over) = format.over(headers, uri) {
        return Ok(over);
    }
    let last = last_seen(headers, uri);
    let Some(feed) = feed_to_watch(context, process, &last).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let granted = context.watches(&feed).await?;
    let ticket = context.ticket([feed.id()], &granted).map_err(|problem| problem.respond(context))?;
    if format == Format::Messages {
        return Ok(messages(processes, feed, (granted.grant, ticket), headers, uri, method));
    }
    let watched = vec![Watched::run(feed, granted, &last)];
    Ok(stream(context, ticket, watched, method).await)
}

/// The feed of the active run, or of the run that a disconnected viewer watched, so that the viewer learns how it
/// ended.
async fn feed_to_watch(
    context: &Context,
    process: &Process,
    last: &[Position],
) -> Result<Option<Arc<Feed>>, Response> {
    let mut run = active_run(context, process).await?;
    if let (None, Some(last)) = (&run, last.iter().find(|last| !last.ended)) {
        let recent = runs_of(context, process, &[], RunOrder::Newest, pages::RECENT).await?;
        run = recent.into_iter().find(|run| last.belongs_to(run.id));
    }
    match run {
        Some(run) => {
            let opened = context.processes.feeds().open(run.id).await;
            opened.map_err(|error| Problem::of_store(&error).respond(context))
        }
        None => Ok(None),
    }
}
