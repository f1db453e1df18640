//! Owns the stream for pages with nothing but an `EventSource`: messages without a name, each with a text and a
//! number, and a last one whose id says that it was the last.
//! Refuses to know what else a run can tell: whoever wants to know more takes the stream of events.
//!
//! It is the way of the few: each client's messages are written for it alone. What waits for a client that reads
//! slowly is one piece of its stream, and where it stands.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::time::{Duration, sleep};

use super::opening::RETRY;
use super::pages;
use super::respond::{Problem, excerpt, query};
use super::stream::{head, last_id, last_seen};
use super::watching::retry;
use crate::feed::{Feed, News, Opening};
use crate::feeds::SILENCE;
use crate::processes::{Pass, Processes, Worth};
use crate::run::{LogLine, Run, RunStatus};
use crate::store::{LogFilter, StoreError};
use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::viewers::Ticket;
use crate::wire::{Position, write_message};

/// The id of the last message.
const CLOSE: &str = "CLOSE";
/// How much is written at a time, in bytes, but for one line that is longer.
const MOST: usize = 64 * 1024;
/// How many stored lines are read at a time.
const PAGE: usize = 100;
/// How long to wait for lines that are on their way to the store.
const SOON: Duration = Duration::from_millis(50);

/// How a client wants to be told of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As events with a name.
    Events,
    /// As messages.
    Messages,
}

impl Format {
    /// What the query asks for.
    pub(super) fn asked(uri: &Uri) -> Result<Self, Problem> {
        match query(uri).find(|(name, _)| name == "format") {
            None => Ok(Self::Events),
            Some((_, format)) if format == "message" => Ok(Self::Messages),
            Some((_, other)) => {
                let detail = Message::new("problem.format").with("given", excerpt(&other));
                Err(Problem::new(StatusCode::BAD_REQUEST, detail))
            }
        }
    }

    /// The answer to a client that comes back after the last message: a 204 ends an `EventSource`.
    pub(super) fn over(self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        let has_seen_all = self == Self::Messages && last_id(headers, uri).any(|id| id == CLOSE);
        has_seen_all.then(|| StatusCode::NO_CONTENT.into_response())
    }
}

/// The messages of a run, for a client that has seen so much. To a HEAD request it gives the headers, and opens
/// nothing.
pub(super) fn messages(
    processes: &Processes,
    feed: Arc<Feed>,
    (pass, ticket): (Option<Arc<Pass>>, Ticket),
    headers: &HeaderMap,
    uri: &Uri,
    method: &Method,
) -> Response {
    if method == Method::HEAD {
        return head(Body::empty());
    }
    let last = last_seen(headers, uri).into_iter().find(|last| last.belongs_to(feed.id()));
    let following = Following {
        // Before the first look: what is published from here on wakes us.
        news: feed.news(),
        // A crash may have lost lines that were seen: what comes now is new all the same.
        seq: last.map_or(0, |last| last.seq.min(feed.last_seq())),
        processes: processes.clone(),
        pass,
        feed,
        told: (String::new(), None),
        begun: false,
        over: false,
        _ticket: ticket,
    };
    let pieces = unfold(following, |mut following| async move {
        let piece = following.next().await?;
        Some((Ok::<_, Infallible>(piece), following))
    });
    head(Body::from_stream(pieces))
}

/// Turns what is new in a feed into messages.
struct Following {
    processes: Processes,
    /// Looked at before anything is told.
    pass: Option<Arc<Pass>>,
    feed: Arc<Feed>,
    news: News,
    /// The last line that was told.
    seq: u64,
    /// The text under the bar and the figure, as they were told last.
    told: (String, Option<u8>),
    begun: bool,
    over: bool,
    /// Its place among the streams that may be open.
    _ticket: Ticket,
}

impl Following {
    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.over {
            return None;
        }
        if !std::mem::replace(&mut self.begun, true) {
            return Some(Bytes::from_static(RETRY));
        }
        let silent = sleep(SILENCE);
        tokio::pin!(silent);
        loop {
            let (opening, _) = self.feed.opening(self.seq);
            let mut out = Vec::new();
            let soon = match self.gather(&mut out, opening).await {
                // Who comes back is told by the answer.
                _ if self.pass.as_ref().is_some_and(|pass| pass.worth() != Worth::Valid) => return None,
                Ok(soon) => soon,
                Err(error) => {
                    tracing::error!(
                        "the log of run {} could not be read: {}",
                        self.feed.id(),
                        OneLine(&error)
                    );
                    // The client comes back, and goes on where it was.
                    return None;
                }
            };
            if !out.is_empty() {
                return Some(out.into());
            }
            tokio::select! {
                () = self.news.next() => {}
                () = sleep(SOON), if soon => {}
                () = &mut silent => return Some(Bytes::from_static(b": ping\n\n")),
            }
        }
    }

    /// Writes what is new: lines, and once all of them are written how far the run is. True when lines are on
    /// their way to where they can be read.
    async fn gather(&mut self, out: &mut Vec<u8>, opening: Opening) -> Result<bool, StoreError> {
        let Opening { run, recent, evicted, last_seq, closed } = opening;
        if self.seq < evicted {
            let mut lines = self.processes.store().log(run.id, LogFilter::after(self.seq, PAGE)).await?;
            lines.retain(|line| line.seq <= evicted);
            if !lines.is_empty() {
                self.add_lines(out, &run, &lines);
                return Ok(false);
            }
            let stored = self.processes.store().log_tail(run.id, 1).await?.last().map_or(0, |line| line.seq);
            if stored < evicted && !run.status.is_terminal() {
                return Ok(true);
            }
            // The others were not kept.
        }
        if !self.add_lines(out, &run, &recent) {
            return Ok(false);
        }
        self.seq = self.seq.max(last_seq);
        if run.status.is_terminal() {
            write_message(out, &CLOSE, &outcome(&run), figure(&run));
            self.over = true;
        } else if closed {
            out.extend_from_slice(&retry().events());
            self.over = true;
        } else if (self.told.0.as_str(), self.told.1) != (run.progress.text.as_str(), figure(&run)) {
            self.told = (run.progress.text.clone(), figure(&run));
            write_message(out, &self.position(&run), &self.told.0, self.told.1);
        }
        Ok(false)
    }

    /// False when there are more than fit.
    fn add_lines(&mut self, out: &mut Vec<u8>, run: &Run, lines: &[LogLine]) -> bool {
        for line in lines {
            if out.len() >= MOST {
                return false;
            }
            let missing = line.seq.saturating_sub(self.seq + 1);
            if missing > 0 {
                self.seq = line.seq - 1;
                let text = format!("… {} …", Texts::english().counted("log.omitted", missing));
                write_message(out, &self.position(run), &text, figure(run));
            }
            self.seq = line.seq;
            write_message(out, &self.position(run), &line.text, figure(run));
            // The figure is told with it.
            self.told.1 = figure(run);
        }
        true
    }

    fn position(&self, run: &Run) -> Position {
        Position::of(run.id, run.attempt, self.seq)
    }
}

/// How far the run is: rounded down, and never 100 before it has succeeded.
fn figure(run: &Run) -> Option<u8> {
    match run.status {
        RunStatus::Succeeded => Some(100),
        _ => run.progress.percent.map(|percent| percent.floor().clamp(0.0, 99.0) as u8),
    }
}

/// What became of an ended run, in words.
fn outcome(run: &Run) -> String {
    let said = run.result.as_ref().and_then(|result| result.get("message")?.as_str());
    let said = said.or(run.error.as_deref()).filter(|said| !said.is_empty());
    said.unwrap_or_else(|| pages::status(Texts::english(), run.status)).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn run(status: RunStatus, percent: Option<f64>) -> Run {
        let mut run = Run::queued("a", "A", Map::new());
        (run.status, run.progress.percent) = (status, percent);
        run
    }

    #[test]
    fn a_hundred_is_said_of_success_alone_and_always() {
        use RunStatus::{Cancelled, Failed, Running, Succeeded};
        let figures = [
            (Running, None, None),
            (Running, Some(42.99), Some(42)),
            (Running, Some(100.0), Some(99)),
            (Failed, Some(100.0), Some(99)),
            (Cancelled, Some(7.5), Some(7)),
            (Succeeded, None, Some(100)),
        ];
        for (status, percent, expected) in figures {
            assert_eq!(figure(&run(status, percent)), expected, "{status} at {percent:?}");
        }
    }

    #[test]
    fn an_outcome_is_what_the_result_says_or_the_error_or_one_word() {
        let mut succeeded = run(RunStatus::Succeeded, None);
        assert_eq!(outcome(&succeeded), "Succeeded");
        for (result, expected) in
            [(json!({ "message": "All done" }), "All done"), (json!({ "message": 7 }), "Succeeded")]
        {
            succeeded.result = Some(result);
            assert_eq!(outcome(&succeeded), expected);
        }
        let mut failed = run(RunStatus::Failed, None);
        failed.error = Some("the disk is full".into());
        assert_eq!(outcome(&failed), "the disk is full");
        assert_eq!(outcome(&run(RunStatus::Cancelled, None)), "Cancelled");
    }
}
