//! The routes of one run: its page or JSON, its result and its files.

use std::io::ErrorKind;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio_util::io::ReaderStream;

use crate::access::Action;
use crate::access::ShareGrant;
use crate::processes::Processes;
use crate::run::{Run, RunId};
use crate::store::StoreError;
use crate::text::OneLine;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::cookies::set_cookie;
use crate::web::request::json::{json as json_of, run_json};
use crate::web::request::problem::Problem;
use crate::web::request::query::query;
use crate::web::request::share_link::{KEPT, MOST, SHARE, asked, kept};
use crate::web::routes::compare::before;
use crate::web::routes::download::{DownloadPermit, download};
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
pub(in crate::web) async fn result(Path(id): Path<String>, context: Context) -> Result<Response, Response> {
    let (Run { id, result: Some(result), .. }, _) = context.run(&id, Action::Download).await? else {
        return Err(context.nothing().await);
    };
    let permit = DownloadPermit::take(&context.processes).map_err(|problem| problem.respond(&context))?;
    let text = serde_json::to_string_pretty(&result).unwrap_or_default();
    Ok(download(&format!("{id}.json"), "application/json", permit.hold(Body::from(text))))
}

/// `GET /runs/{id}/files/{name}`
pub(in crate::web) async fn file(
    State(processes): State<Processes>,
    Path((id, name)): Path<(String, String)>,
    context: Context,
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
    let permit = DownloadPermit::take(&processes).map_err(|problem| problem.respond(&context))?;
    match tokio::fs::File::open(processes.folder_of(run.id).join(&file.stored)).await {
        Ok(opened) => {
            let body = permit.hold(Body::from_stream(ReaderStream::new(opened)));
            let mut response = download(&file.name, &file.media_type, body);
            response.headers_mut().insert(CONTENT_LENGTH, file.size.into());
            Ok(response)
        }
        Err(error) => {
            tracing::error!(run = %run.id, "could not open the file {}: {}", OneLine(&file.name), OneLine(&error));
            // The file may exist: the program can have too many open files.
            let problem = match error.kind() {
                ErrorKind::NotFound => Problem::not_found(),
                _ => Problem::later("problem.no_read"),
            };
            Err(problem.respond(&context))
        }
    }
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
