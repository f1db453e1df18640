//! Owns the routes of runs: index, one run, and downloads of what it made.
//! Refuses to know how a run came to be.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::compare::before;
use super::describe::process_json;
use super::opening::{TAIL_BYTES, tail};
use super::respond::{Context, Problem, json as json_of, query, run_json};
use super::{pages, path};
use crate::processes::Processes;
use crate::run::{Run, RunId};
use crate::store::{RunFilter, StoreError};
use crate::text::OneLine;

/// `GET /`
pub(super) async fn index(State(processes): State<Processes>, context: Context, uri: Uri) -> Response {
    let searched =
        query(&uri).find(|(name, _)| name == "q").map_or_else(String::new, |(_, words)| words.into_owned());
    let mut entries = Vec::new();
    for process in processes.registry().iter() {
        let filter = RunFilter { process: Some(process.route()), limit: 1, ..RunFilter::default() };
        match processes.store().runs(filter).await {
            Ok(mut runs) => entries.push(pages::Entry { process, latest: runs.pop() }),
            Err(error) => return Problem::of_store(&error).respond(&context),
        }
    }
    let data = || {
        let entry = |entry: &pages::Entry| process_json(&context.base, entry.process, entry.latest.as_ref());
        json!({ "processes": entries.iter().map(entry).collect::<Vec<_>>() })
    };
    if context.page {
        return context.show(StatusCode::OK, &pages::index(&context.shell(), &entries, &searched), data);
    }
    json_of(StatusCode::OK, &data())
}

/// Everything else; the mount's own address with a slash at its end is the index too.
pub(super) async fn index_or_not_found(
    state: State<Processes>,
    context: Context,
    request: Request,
) -> Response {
    let at_root = matches!(request.uri().path(), "" | "/");
    if at_root && [Method::GET, Method::HEAD].contains(request.method()) {
        return index(state, context, request.uri().clone()).await;
    }
    Problem::not_found().respond(&context)
}

/// A run as it is at this moment, with the last lines of its log.
pub(super) async fn log_tail(
    processes: &Processes,
    id: RunId,
) -> Result<Option<(Run, pages::LogTail)>, StoreError> {
    let Some(feed) = processes.feeds().open(id).await? else { return Ok(None) };
    let (opening, _) = feed.opening(0);
    let log = tail(processes, &opening.run, opening.recent, opening.evicted, None, TAIL_BYTES).await;
    Ok(Some((opening.run, pages::LogTail { lines: log.lines, last: opening.last_seq })))
}

/// `GET /runs/{id}`
pub(super) async fn show(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Response {
    let Ok(id) = id.parse() else { return Problem::not_found().respond(&context) };
    match log_tail(&processes, id).await {
        Ok(Some((run, log))) if context.page => {
            let process = processes.registry().get(&run.process);
            // The page is true without it.
            let earlier = before(&processes, &run).await.unwrap_or_default();
            let page = pages::run(&context.shell(), process, &run, &log, earlier.as_ref());
            context.show(StatusCode::OK, &page, || run_json(&context.base, &run))
        }
        Ok(Some((run, _))) => json_of(StatusCode::OK, &run_json(&context.base, &run)),
        Ok(None) => Problem::not_found().respond(&context),
        Err(error) => Problem::of_store(&error).respond(&context),
    }
}

/// The run with this id, or the answer to give instead.
pub(super) async fn stored_run(processes: &Processes, id: &str, context: &Context) -> Result<Run, Response> {
    let Ok(id) = id.parse() else { return Err(Problem::not_found().respond(context)) };
    match processes.store().run(id).await {
        Ok(Some(run)) => Ok(run),
        Ok(None) => Err(Problem::not_found().respond(context)),
        Err(error) => Err(Problem::of_store(&error).respond(context)),
    }
}

/// `GET /runs/{id}/result`
pub(super) async fn result(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
) -> Result<Response, Response> {
    let Run { id, result: Some(result), .. } = stored_run(&processes, &id, &context).await? else {
        return Err(Problem::not_found().respond(&context));
    };
    let text = serde_json::to_string_pretty(&result).unwrap_or_default();
    Ok(download(&format!("{id}.json"), "application/json", Body::from(text)))
}

/// `GET /runs/{id}/files/{name}`
pub(super) async fn file(
    State(processes): State<Processes>,
    Path((id, name)): Path<(String, String)>,
    context: Context,
) -> Result<Response, Response> {
    let run = stored_run(&processes, &id, &context).await?;
    // Looked up by the name people see; the name on the disk was made by the runtime.
    let Some(file) = run.files.iter().find(|file| file.name == name) else {
        return Err(Problem::not_found().respond(&context));
    };
    match tokio::fs::File::open(processes.folder_of(run.id).join(&file.stored)).await {
        Ok(opened) => {
            let body = Body::from_stream(ReaderStream::new(opened));
            let mut response = download(&file.name, &file.media_type, body);
            response.headers_mut().insert(CONTENT_LENGTH, file.size.into());
            Ok(response)
        }
        Err(error) => {
            tracing::error!(run = %run.id, "the file {} cannot be opened: {}", OneLine(&file.name), OneLine(&error));
            Err(Problem::not_found().respond(&context))
        }
    }
}

/// A body that browsers save under this name, and never show or run.
pub(super) fn download(name: &str, content_type: &str, body: Body) -> Response {
    let content_type = HeaderValue::try_from(content_type);
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", path::segment(name));
    let disposition = HeaderValue::try_from(disposition);
    let mut response =
        ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, HeaderValue::from_static("no-store"))], body)
            .into_response();
    let attachment = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    response.headers_mut().insert(CONTENT_DISPOSITION, attachment);
    response
}
