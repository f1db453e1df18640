//! The routes of one run: its page or JSON, its result and its files.

use std::io::{self, ErrorKind};

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::access::Action;
use crate::access::ShareGrant;
use crate::artifact::StoredFile;
use crate::byte_source::InMemory;
use crate::media_type::View;
use crate::process::Process;
use crate::processes::Processes;
use crate::run::{Run, RunFile, RunId};
use crate::store::StoreError;
use crate::text::OneLine;
use crate::texts::Message;
use crate::uploads::GivenFile;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::cookies::set_cookie;
use crate::web::request::json::{json as json_of, run_json};
use crate::web::request::problem::Problem;
use crate::web::request::query::query;
use crate::web::request::share_link::{KEPT, MOST, SHARE, asked, kept};
use crate::web::routes::compare::before;
use crate::web::routes::download::{Download, Head, permit};
use crate::web::stream::snapshot::{TAIL_BYTES, tail};

/// The current state of a run, with the last lines of its log.
pub(in crate::web) async fn log_tail(
    processes: &Processes,
    id: RunId,
) -> Result<Option<(Run, pages::LogTail)>, StoreError> {
    let Some(feed) = processes.feeds().open(id).await? else { return Ok(None) };
    if !feed.is_over() {
        // An end is stored before the feed publishes it, and a list or another response may have shown it already: a
        // run that was shown as ended must not be shown as running.
        if let Some(ended) = processes.store().run(id).await?.filter(|run| run.status.is_terminal()) {
            feed.end(ended);
        }
    }
    let (run, _, log) = tail(processes, &feed, TAIL_BYTES).await;
    Ok(Some((run, pages::LogTail { entries: log.entries, earlier: log.after, last: log.last })))
}

/// `GET /runs/{id}`
pub(in crate::web) async fn show(
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let Ok(id) = id.parse() else { return Err(context.nothing().await) };
    if let Some(led) = keep(&context, id, &uri) {
        return Ok(led);
    }
    run_page(&context, id, None).await
}

/// The page of a run, for those with permission to view it, with the share link that was just created.
pub(in crate::web) async fn run_page(
    context: &Context,
    id: RunId,
    link: Option<pages::Link<'_>>,
) -> Result<Response, Response> {
    let found = log_tail(&context.processes, id).await;
    let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
    let Some((run, log)) = found else { return Err(context.nothing().await) };
    context.may_with(&run, Action::View).await?;
    let rights = context.rights(&run).await?;
    let data = || run_json(&context.base, &run, rights);
    if !context.page {
        return Ok(json_of(StatusCode::OK, &data()));
    }
    // The page is complete without it.
    let earlier = before(context, &run).await.unwrap_or_default();
    let shown = pages::RunView {
        process: context.processes.registry().get(&run.process),
        run: &run,
        log: &log,
        earlier: earlier.as_ref(),
        rights,
        link,
    };
    Ok(context.show(StatusCode::OK, &pages::run(&context.shell(), &shown), data))
}

/// `GET /runs/{id}/result`
pub(in crate::web) async fn result(
    Path(id): Path<String>,
    context: Context,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (Run { id, result: Some(result), finished_at, .. }, _) = context.run(&id, Action::Download).await?
    else {
        return Err(context.nothing().await);
    };
    let permit = permit(&context.processes).map_err(|problem| problem.respond(&context))?;
    let text = serde_json::to_string_pretty(&result).unwrap_or_default();
    // Another version of the program may write it in another way.
    let tag = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&text));
    let source = InMemory { bytes: text.into(), tag, modified: finished_at };
    let download = Download { context: &context, method: &method, headers: &headers, permit };
    let answer = download.of(source, Head::attachment(&format!("{id}.json"), "application/json")).await;
    answer.map_err(|error| unread(&context, id, "result", &error))
}

/// `GET /runs/{id}/files/{name}`: to save, or to view with `?inline`.
pub(in crate::web) async fn file(
    State(processes): State<Processes>,
    Path((id, name)): Path<(String, String)>,
    context: Context,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (mut run, _) = context.run(&id, Action::Download).await?;
    if !run.status.is_terminal() {
        // A run publishes its files immediately, and stores the list a moment later.
        let live = processes.feeds().open(run.id).await;
        let live = live.map_err(|error| Problem::of_store(&error).respond(&context))?;
        run = live.map_or(run, |feed| feed.run());
    }
    // Looked up by the name that people see; the runtime chose the name on disk.
    let Some(file) = run.files.iter().find(|file| file.name == name) else {
        return Err(context.nothing().await);
    };
    let request = (&method, &uri, &headers);
    send(&context, &run, &processes.folder_of(run.id), file, request).await
}

/// `GET /runs/{id}/inputs/{field_path}`: a file that was uploaded for the run, to save, or to view with `?inline`.
pub(in crate::web) async fn input(
    State(processes): State<Processes>,
    Path((id, field_path)): Path<(String, String)>,
    context: Context,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (run, _) = context.run(&id, Action::Download).await?;
    let fields = processes.registry().get(&run.process).map(Process::fields).unwrap_or_default();
    let files = processes.uploads().of_run(&fields, &run);
    let Some(GivenFile { upload, .. }) = files.into_iter().find(|file| file.field_path == field_path) else {
        return Err(context.nothing().await);
    };
    let stored = upload.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (name, media_type) = (upload.name().to_owned(), upload.media_type().to_owned());
    let file = RunFile { name, size: upload.size(), media_type, stored };
    send(&context, &run, &processes.uploads().folder_of(run.id), &file, (&method, &uri, &headers)).await
}

/// Sends a file that lies in this folder.
async fn send(
    context: &Context,
    run: &Run,
    folder: &std::path::Path,
    file: &RunFile,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
) -> Result<Response, Response> {
    let own = context.processes.home().map(|home| home.id);
    if let (Some(name), Some(_)) = (&run.node, run.pinned_to().filter(|home| Some(*home) != own)) {
        let detail = Message::new("problem.other_node").with("node", name.as_str());
        return Err(Problem::new(StatusCode::NOT_FOUND, detail).respond(context));
    }
    let permit = permit(&context.processes).map_err(|problem| problem.respond(context))?;
    let view = View::of(&file.media_type).filter(|_| query(uri).any(|(name, _)| name == "inline"));
    let head = match view {
        Some(view) => Head::inline(&file.name, &file.media_type, view),
        None => Head::attachment(&file.name, &file.media_type),
    };
    let download = Download { context, method, headers, permit };
    let answer = match StoredFile::open(folder, file).await {
        Ok(source) => download.of(source, head).await,
        Err(error) => Err(error),
    };
    answer.map_err(|error| unread(context, run.id, &file.name, &error))
}

/// The response if a file cannot be read.
fn unread(context: &Context, run: RunId, name: &str, error: &io::Error) -> Response {
    tracing::error!(run = %run, "could not open the file {}: {}", OneLine(name), OneLine(error));
    // The file may exist: the program can have too many open files.
    let problem = match error.kind() {
        ErrorKind::NotFound => Problem::not_found(),
        _ => Problem::later("problem.no_read"),
    };
    problem.respond(context)
}

/// Stores the token of a share link in a cookie, and redirects a browser to the URL without it; `None` for other
/// requests.
fn keep(context: &Context, run: RunId, uri: &Uri) -> Option<Response> {
    let signer = context.processes.signer().filter(|_| context.page)?;
    let token = asked(uri)?;
    let ShareGrant { until, .. } = signer.read(&token).filter(|shared| shared.shows(run))?;
    let parts = context.visitor.parts()?;
    let others = kept(parts).filter(|other| *other != token && signer.read(other).is_some());
    let tokens: Vec<&str> = [&*token].into_iter().chain(others).take(MOST).collect();
    let last = tokens.iter().filter_map(|token| signer.read(token)).map(|shared| shared.until).max();
    let seconds = last.unwrap_or(until).as_second() - Timestamp::now().as_second();
    let cookie = set_cookie(KEPT, &tokens.join("."), (&context.base, context.is_https), seconds)?;
    let mut rest = form_urlencoded::Serializer::new(String::new());
    rest.extend_pairs(query(uri).filter(|(name, _)| name != SHARE));
    let rest = Some(rest.finish()).filter(|rest| !rest.is_empty());
    let address =
        format!("{}/runs/{run}{}", context.base, rest.map_or_else(String::new, |rest| format!("?{rest}")));
    let headers = [
        (SET_COOKIE, cookie),
        (LOCATION, HeaderValue::try_from(address).ok()?),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Some((StatusCode::SEE_OTHER, headers).into_response())
}
