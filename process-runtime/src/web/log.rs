//! Owns the route of a run's log: what is asked of it, as a file to download or as a page to read.
//! Refuses to know how lines are found.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures_util::stream::try_unfold;
use serde_json::json;

use super::downloads::DownloadPermit;
use super::pages;
use super::respond::{Context, MAX_SOUGHT, Problem, query, run_json, too_long};
use super::runs::download;
use crate::access::Action;
use crate::processes::Processes;
use crate::run::{Level, LogLine, RunId};
use crate::store::{LogFilter, StoreError};
use crate::texts::{Message, Texts};

/// How many lines a download reads at a time.
const AT_ONCE: usize = 2_000;
/// How many lines a page shows.
const PAGE: usize = 500;
/// `GET /runs/{id}/log?q=&level=&after=&download=`: all that is kept of it, or the lines that match.
///
/// A file to download; to browsers that ask for certain lines, a page with them.
pub(super) async fn log(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    let (run, _) = context.run(&id, Action::View).await?;
    let mut filter =
        asked(&uri).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context))?;
    let names = |wanted: &[&str]| query(&uri).any(|(name, _)| wanted.contains(&&*name));
    if !context.page || names(&["download"]) || !names(&["q", "level", "after"]) {
        context.may_with(&run, Action::Download).await?;
        let permit = DownloadPermit::take(&processes).map_err(|problem| problem.respond(&context))?;
        let body = permit.hold(Body::from_stream(text(processes, run.id, filter)));
        return Ok(download(&format!("{}.log", run.id), "text/plain; charset=utf-8", body));
    }
    filter.limit = PAGE + 1;
    let read = processes.store().log(run.id, filter.clone()).await;
    let mut lines = read.map_err(|error| Problem::of_store(&error).respond(&context))?;
    let has_more = lines.len() > PAGE;
    lines.truncate(PAGE);
    let process = processes.registry().get(&run.process);
    let rights = context.rights(&run).await?;
    let log = pages::Log { process, run: &run, filter: &filter, lines: &lines, has_more, rights };
    let data =
        || json!({ "run": run_json(&context.base, &run, rights), "lines": lines, "has_more": has_more });
    Ok(context.show(StatusCode::OK, &pages::log(&context.shell(), &log), data))
}

/// The lines that a query asks for. An input that was left empty asks for nothing.
fn asked(uri: &Uri) -> Result<LogFilter, Message> {
    let mut filter = LogFilter::default();
    for (name, value) in query(uri).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "q" if value.len() > MAX_SOUGHT => {
                return Err(too_long("q"));
            }
            "q" => filter.contains = Some(value.into_owned()),
            "level" => {
                let level = value.parse().map_err(|_| no_level())?;
                filter.level = Some(level);
            }
            "after" => {
                let after = value.parse().map_err(|_| Message::new("problem.after"))?;
                filter.after = after;
            }
            _ => {}
        }
    }
    Ok(filter)
}

fn no_level() -> Message {
    let known: Vec<_> = Level::ALL.iter().map(|level| level.as_str()).collect();
    Message::new("problem.level").with("known", known.join(", "))
}

/// The lines as text, one line a line, whatever was logged.
fn text(
    processes: Processes,
    id: RunId,
    filter: LogFilter,
) -> impl futures_util::Stream<Item = Result<String, StoreError>> + Send + 'static {
    let start = filter.after;
    let next = move |after| {
        let (processes, filter) = (processes.clone(), LogFilter { after, limit: AT_ONCE, ..filter.clone() });
        async move {
            let lines = processes.store().log(id, filter.clone()).await?;
            let Some(last) = lines.last().map(|line| line.seq) else { return Ok(None) };
            Ok(Some((written(&filter, &lines), last)))
        }
    };
    try_unfold(start, next)
}

/// Says how many lines were omitted, where that can be told: lines that do not match are missing as well.
fn written(filter: &LogFilter, lines: &[LogLine]) -> String {
    let is_whole = pages::is_whole(filter);
    let (mut text, mut before) = (String::new(), filter.after);
    for line in lines {
        let missing = line.seq.saturating_sub(before + 1);
        if is_whole && missing > 0 {
            text += &format!("… {} …\n", Texts::english().counted("log.omitted", missing));
        }
        let said = line.text.replace('\r', "\\r").replace('\n', "\\n");
        text += &format!("{} {:<4} {said}\n", line.at, line.level.as_str().to_uppercase());
        before = line.seq;
    }
    text
}
