//! Owns the routes of runs: index, one run, and downloads of what it made.
//! Refuses to know how a run came to be.

use std::io::ErrorKind;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_util::io::ReaderStream;

use super::compare::before;
use super::describe::process_json;
use super::downloads::DownloadPermit;
use super::opening::{TAIL_BYTES, tail};
use super::respond::{Context, MAX_SOUGHT, Problem, json as json_of, query, run_json, too_long};
use super::rights::Rights;
use super::share::keep;
use super::{pages, path};
use crate::access::Action;
use crate::processes::Processes;
use crate::run::{Run, RunId};
use crate::store::{RunFilter, StoreError};
use crate::text::OneLine;

/// `GET /`
pub(super) async fn index(context: Context, uri: Uri) -> Result<Response, Response> {
    let searched =
        query(&uri).find(|(name, _)| name == "q").map_or_else(String::new, |(_, words)| words.into_owned());
    if searched.len() > MAX_SOUGHT {
        return Err(Problem::new(StatusCode::BAD_REQUEST, too_long("q")).respond(&context));
    }
    let mut entries = Vec::new();
    let mut told = Vec::new();
    for process in context.all_processes().await? {
        let filter = RunFilter { process: Some(process.route()), limit: 1, ..RunFilter::default() };
        let latest = context.runs(filter).await?.pop();
        let starts = context.is_allowed(Some(process), None, Action::Start).await?;
        let rights = match &latest {
            Some(run) => Some(context.rights(run).await?),
            None => None,
        };
        told.push((starts, rights));
        entries.push(pages::Entry { process, latest });
    }
    let data = || {
        let entry = |(entry, (starts, rights)): (&pages::Entry, &(bool, Option<Rights>))| {
            let latest = entry.latest.as_ref().zip(*rights);
            process_json(&context.base, entry.process, latest, *starts)
        };
        json!({ "processes": entries.iter().zip(&told).map(entry).collect::<Vec<_>>() })
    };
    if context.page {
        return Ok(context.show(StatusCode::OK, &pages::index(&context.shell(), &entries, &searched), data));
    }
    Ok(json_of(StatusCode::OK, &data()))
}

/// Everything else; the mount's own address with a slash at its end is the index too.
pub(super) async fn index_or_not_found(context: Context, request: Request) -> Result<Response, Response> {
    let at_root = matches!(request.uri().path(), "" | "/");
    if at_root && [Method::GET, Method::HEAD].contains(request.method()) {
        return index(context, request.uri().clone()).await;
    }
    Err(context.nothing().await)
}

/// A run as it is at this moment, with the last lines of its log.
pub(super) async fn log_tail(
    processes: &Processes,
    id: RunId,
) -> Result<Option<(Run, pages::LogTail)>, StoreError> {
    let Some(feed) = processes.feeds().open(id).await? else { return Ok(None) };
    if !feed.is_over() {
        // Its end is stored before it is told here, and may have been told by a list or another answer already: what
        // ended goes on for nobody.
        if let Some(ended) = processes.store().run(id).await?.filter(|run| run.status.is_terminal()) {
            feed.end(ended);
        }
    }
    let (run, _, log) = tail(processes, &feed, TAIL_BYTES).await;
    Ok(Some((run, pages::LogTail { entries: log.entries, earlier: log.after, last: log.last })))
}

/// `GET /runs/{id}`
pub(super) async fn show(Path(id): Path<String>, context: Context, uri: Uri) -> Result<Response, Response> {
    let Ok(id) = id.parse() else { return Err(context.nothing().await) };
    if let Some(led) = keep(&context, id, &uri) {
        return Ok(led);
    }
    run_page(&context, id, None).await
}

/// A run, for those who may see it, with the link that was just made.
pub(super) async fn run_page(
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
    // The page is true without it.
    let earlier = before(context, &run).await.unwrap_or_default();
    let shown = pages::Shown {
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
pub(super) async fn result(Path(id): Path<String>, context: Context) -> Result<Response, Response> {
    let (Run { id, result: Some(result), .. }, _) = context.run(&id, Action::Download).await? else {
        return Err(context.nothing().await);
    };
    let permit = DownloadPermit::take(&context.processes).map_err(|problem| problem.respond(&context))?;
    let text = serde_json::to_string_pretty(&result).unwrap_or_default();
    Ok(download(&format!("{id}.json"), "application/json", permit.hold(Body::from(text))))
}

/// `GET /runs/{id}/files/{name}`
pub(super) async fn file(
    State(processes): State<Processes>,
    Path((id, name)): Path<(String, String)>,
    context: Context,
) -> Result<Response, Response> {
    let (run, _) = context.run(&id, Action::Download).await?;
    // Looked up by the name people see; the name on the disk was made by the runtime.
    let Some(file) = run.files.iter().find(|file| file.name == name) else {
        return Err(context.nothing().await);
    };
    let permit = DownloadPermit::take(&processes).map_err(|problem| problem.respond(&context))?;
    match tokio::fs::File::open(processes.folder_of(run.id).join(&file.stored)).await {
        Ok(opened) => {
            let body = permit.hold(Body::from_stream(ReaderStream::new(opened)));
            let mut response = download(&file.name, &file.media_type, body);
            response.headers_mut().insert(CONTENT_LENGTH, file.size.into());
            Ok(response)
        }
        Err(error) => {
            tracing::error!(run = %run.id, "the file {} cannot be opened: {}", OneLine(&file.name), OneLine(&error));
            // It may be there all the same, when the program has too many others open.
            let problem = match error.kind() {
                ErrorKind::NotFound => Problem::not_found(),
                _ => Problem::later("problem.no_read"),
            };
            Err(problem.respond(&context))
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
