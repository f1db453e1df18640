//! The route of a run's log: parses the filter, and sends a download or a page.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use futures_util::stream::unfold;
use serde_json::json;

use crate::access::Action;
use crate::log_reader::{LogEntry, LogReader, StoredLog, apart};
use crate::processes::Processes;
use crate::run::{Level, Run};
use crate::store::{LogFilter, StoreError};
use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::run_json;
use crate::web::request::problem::Problem;
use crate::web::request::query::{MAX_SOUGHT, query, too_long};
use crate::web::routes::download::{Head, permit};
use crate::web::stream::held_body::hold;

/// How many bytes a download reads and sends at a time; a single longer line is sent whole.
const AT_ONCE: usize = 16 << 10;
/// The lines on one page, and their bytes.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 256 << 10;

/// `GET /runs/{id}/log?q=&level=&after=&download=`: the whole log that is kept, or the matching lines.
///
/// Sends a download, or a page if a browser requests certain lines.
pub(in crate::web) async fn log(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    uri: Uri,
) -> Result<Response, Response> {
    // Before anything is read, so that a rejected request costs next to nothing.
    let names = |wanted: &[&str]| query(&uri).any(|(name, _)| wanted.contains(&&*name));
    let picks = names(&["q", "level"]);
    let Ok(_search) = picks.then(|| processes.searches().try_acquire()).transpose() else {
        return Err(Problem::later("problem.busy").respond(&context));
    };
    let (run, _) = context.run(&id, Action::View).await?;
    let filter =
        asked(&uri).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context))?;
    let unread = |error: StoreError| Problem::of_store(&error).respond(&context);
    if !context.page || names(&["download"]) || !names(&["q", "level", "after"]) {
        context.may_with(&run, Action::Download).await?;
        let permit = permit(&processes).map_err(|problem| problem.respond(&context))?;
        let source = Source::open(&processes, &run, filter).await.map_err(unread)?;
        let head = Head::attachment(&format!("{}.log", run.id), "text/plain; charset=utf-8");
        return Ok(head.stream(hold(Body::from_stream(text(run.clone(), source)), permit)));
    }
    let (entries, next) = page(&processes, &run, &filter).await.map_err(unread)?;
    let process = processes.registry().get(&run.process);
    let rights = context.rights(&run).await?;
    let log = pages::Log { process, run: &run, filter: &filter, entries: &entries, next, rights };
    let data = || {
        let (lines, omitted) = apart(&entries);
        let run = run_json(&context.base, &run, rights);
        json!({ "run": run, "lines": lines, "omitted": omitted, "has_more": next.is_some() })
    };
    Ok(context.show(StatusCode::OK, &pages::log(&context.shell(), &log), data))
}

/// The lines of a page, and the line after which the next page begins, if there are more.
async fn page(
    processes: &Processes,
    run: &Run,
    filter: &LogFilter,
) -> Result<(Vec<LogEntry>, Option<u64>), StoreError> {
    let mut log = StoredLog::new(Arc::clone(processes.store()), run.id, filter.clone());
    let (mut entries, mut last, mut lines, mut bytes) = (Vec::new(), filter.after, 0, 0);
    while lines < PAGE && bytes < PAGE_BYTES {
        let some = log.next(PAGE - lines, PAGE_BYTES - bytes).await?;
        if some.is_empty() {
            return Ok((entries, None));
        }
        for entry in &some {
            if let LogEntry::Line(line) = entry {
                (last, lines, bytes) = (line.seq, lines + 1, bytes + line.text.len());
            }
        }
        entries.extend(some);
    }
    let has_more = !log.next(1, 1).await?.is_empty();
    Ok((entries, has_more.then_some(last)))
}

/// Parses the filter of a query. An empty input is ignored.
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

/// The source of the lines of a download.
enum Source {
    /// All lines up to this one, including those that are not stored yet.
    Whole(LogReader, u64),
    /// The matching lines that are stored.
    Matching(StoredLog),
}

impl Source {
    async fn open(processes: &Processes, run: &Run, filter: LogFilter) -> Result<Self, StoreError> {
        let store = Arc::clone(processes.store());
        if !filter.is_selective()
            && let Some(feed) = processes.feeds().open(run.id).await?
        {
            let until = feed.last_seq();
            return Ok(Self::Whole(LogReader::new(store, feed, filter.after), until));
        }
        Ok(Self::Matching(StoredLog::new(store, run.id, filter)))
    }

    async fn next(&mut self) -> Result<Vec<LogEntry>, StoreError> {
        match self {
            // Lines that are logged during the download would make it endless.
            Self::Whole(log, until) if log.position() >= *until => Ok(Vec::new()),
            Self::Whole(log, _) => log.next(AT_ONCE).await,
            Self::Matching(log) => log.next(usize::MAX, AT_ONCE).await,
        }
    }
}

/// The lines as text, one on each line, whatever was logged.
fn text(
    run: Run,
    source: Source,
) -> impl futures_util::Stream<Item = Result<String, StoreError>> + Send + 'static {
    unfold(Some(source), move |source| {
        let id = run.id;
        async move {
            let mut source = source?;
            match source.next().await {
                Ok(entries) if entries.is_empty() => None,
                Ok(entries) => Some((Ok(written(&entries)), Some(source))),
                Err(error) => {
                    // The download breaks off, which the client notices as an incomplete transfer.
                    tracing::error!("could not read the log of run {id}: {}", OneLine(&error));
                    Some((Err(error), None))
                }
            }
        }
    })
}

fn written(entries: &[LogEntry]) -> String {
    let mut text = String::new();
    for entry in entries {
        match entry {
            LogEntry::Omitted(omitted) => {
                let lines = Texts::english().counted("log.omitted", omitted.lines);
                text += &format!("… {lines} …\n");
            }
            LogEntry::Line(line) => {
                let said = line.text.replace('\r', "\\r").replace('\n', "\\n");
                text += &format!("{} {:<4} {said}\n", line.at, line.level.as_str().to_uppercase());
            }
        }
    }
    text
}
