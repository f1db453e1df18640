//! Owns the stream as an answer: its headers, its opening snapshot, and the way from a viewer to a body.
//! Refuses to know what is in the events that a feed publishes.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use serde_json::{Value, json};

use super::respond::{query, run_json};
use crate::feed::{Due, Feed, Opening, Viewer};
use crate::processes::Processes;
use crate::run::{LogLine, Run, RunId};
use crate::store::LogFilter;
use crate::wire::{Position, event};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How many lines of the log a viewer gets who has seen none.
const TAIL: usize = 500;
/// How many missed lines a viewer who comes back gets; one who missed more starts anew with the tail.
const MAX_MISSED: usize = 10_000;

/// What the client says it has seen last, by header or by `?last=`.
pub(super) fn last_seen(headers: &HeaderMap, uri: &Uri) -> Option<Position> {
    let header = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    if let Some(position) = header.and_then(|id| id.parse().ok()) {
        return Some(position);
    }
    query(uri).find(|(name, _)| name == "last").and_then(|(_, id)| id.parse().ok())
}

/// The stream of a run. To a HEAD request it gives the headers, and opens nothing.
pub(super) fn stream(
    processes: &Processes,
    feed: Arc<Feed>,
    base: String,
    last: Option<Position>,
    method: &Method,
) -> Response {
    let body = if method == Method::HEAD { Body::empty() } else { body(processes.clone(), feed, base, last) };
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

struct Connection {
    processes: Processes,
    viewer: Viewer,
    base: String,
    /// Already due, in order.
    due: VecDeque<Bytes>,
    /// Set at first, and when the viewer fell behind: the opening, and what the client has seen.
    opening: Option<(Opening, Option<Position>)>,
}

fn body(processes: Processes, feed: Arc<Feed>, base: String, last: Option<Position>) -> Body {
    let (viewer, opening) = Viewer::open(feed);
    let due = VecDeque::from([Bytes::from_static(b"retry: 2000\n\n")]);
    let connection = Connection { processes, viewer, base, due, opening: Some((opening, last)) };
    Body::from_stream(unfold(connection, |mut connection| async move {
        let bytes = connection.next().await?;
        Some((Ok::<_, std::convert::Infallible>(bytes), connection))
    }))
}

impl Connection {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.due.pop_front() {
                return Some(bytes);
            }
            if let Some((opening, last)) = self.opening.take() {
                let log = tail(&self.processes, &opening.run, opening.recent, opening.evicted, last).await;
                let position = Position::of(opening.run.id, opening.run.attempt, opening.last_seq);
                let mut snapshot = run_json(&self.base, &opening.run);
                snapshot["log"] = log.json(opening.last_seq);
                return Some(event(position, "snapshot", &snapshot));
            }
            match self.viewer.due().await {
                Due::Bytes(bytes) => self.due.extend(bytes),
                Due::Opening => {
                    let seen = self.viewer.position();
                    self.opening = Some((self.viewer.reopen(), Some(seen)));
                }
                // Browsers come back after a while, and not all at the same moment.
                Due::Elsewhere => return Some(format!("retry: {}\n\n", 1_000 + random() % 4_000).into()),
                Due::Nothing => return None,
            }
        }
    }
}

fn random() -> u64 {
    // Every state is seeded anew by the operating system; nothing secret hangs on it.
    RandomState::new().build_hasher().finish()
}

/// A part of a run's log, for someone who has seen the lines up to `after`.
#[derive(Debug)]
pub(super) struct Tail {
    after: u64,
    pub(super) lines: Vec<LogLine>,
}

impl Tail {
    fn json(&self, last: u64) -> Value {
        json!({ "after": self.after, "last": last, "lines": self.lines })
    }
}

/// The log a viewer is shown first: what it has missed, or the last lines.
pub(super) async fn tail(
    processes: &Processes,
    run: &Run,
    mut recent: Vec<LogLine>,
    evicted: u64,
    last: Option<Position>,
) -> Tail {
    // What was seen of an earlier attempt may have been lost with it, unless it was nothing.
    let still_true = |last: &Position| last.attempt == run.attempt || last.seq == 0;
    let seen = last.filter(|last| last.belongs_to(run.id)).filter(still_true).map(|last| last.seq);
    let newest = recent.last().map_or(evicted, |line| line.seq);
    if let Some(after) = seen.filter(|seen| *seen <= newest) {
        if let Some(mut lines) = stored(processes, run.id, after, evicted, MAX_MISSED).await {
            lines.extend(recent.into_iter().filter(|line| line.seq > after));
            return Tail { after, lines };
        }
    }
    let mut lines = Vec::new();
    if recent.len() < TAIL && evicted > 0 {
        lines = processes.store().log_tail(run.id, TAIL).await.unwrap_or_else(|error| {
            tracing::error!("the log of run {} could not be read: {error}", run.id);
            Vec::new()
        });
        lines.retain(|line| line.seq <= evicted);
    }
    lines.append(&mut recent);
    lines.drain(..lines.len().saturating_sub(TAIL));
    let after = lines.first().map_or(newest, |line| line.seq - 1);
    Tail { after, lines }
}

/// The stored lines from `after` to `until`; `None` if they are more than `limit` or cannot be read.
async fn stored(
    processes: &Processes,
    id: RunId,
    after: u64,
    until: u64,
    limit: usize,
) -> Option<Vec<LogLine>> {
    if after >= until {
        return Some(Vec::new());
    }
    match processes.store().log(id, LogFilter::after(after, limit + 1)).await {
        Ok(mut lines) => {
            lines.retain(|line| line.seq <= until);
            (lines.len() <= limit).then_some(lines)
        }
        Err(error) => {
            tracing::error!("the log of run {id} could not be read: {error}");
            None
        }
    }
}
