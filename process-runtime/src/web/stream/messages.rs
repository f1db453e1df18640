//! Streams of plain messages (`?format=message`) for clients with only `EventSource`.
//!
//! Few clients use it, so each client's messages are written for it alone. For a slow client, one chunk and a position
//! are buffered.

use std::convert::Infallible;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;
use tokio::time::sleep;

use crate::feed::{Feed, Subscription};
use crate::feeds::SILENCE;
use crate::log_reader::{LogEntry, LogReader};
use crate::processes::{AccessGrant, GrantStatus, Processes};
use crate::run::{Run, RunStatus, chain};
use crate::store::StoreError;
use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::viewers::Ticket;
use crate::web::pages;
use crate::web::request::problem::{Problem, excerpt};
use crate::web::request::query::query;
use crate::web::stream::response::{head, last_id};
use crate::web::stream::snapshot::RETRY;
use crate::web::stream::watching::retry;
use crate::wire::{Position, write_message};

/// The id of the last message.
const CLOSE: &str = "CLOSE";
/// The digest in the id of the message with 100 %.
const DONE: u32 = 100;
/// How many bytes of log are written at a time; a single longer line is written whole.
const MOST: usize = 64 * 1024;

/// The format in which a client wants the events of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::web) enum Format {
    /// Named events.
    Events,
    /// Unnamed messages.
    Messages,
}

impl Format {
    /// Parses the query.
    pub(in crate::web) fn asked(uri: &Uri) -> Result<Self, Problem> {
        match query(uri).find(|(name, _)| name == "format") {
            None => Ok(Self::Events),
            Some((_, format)) if format == "message" => Ok(Self::Messages),
            Some((_, other)) => {
                let detail = Message::new("problem.format").with("given", excerpt(&other));
                Err(Problem::new(StatusCode::BAD_REQUEST, detail))
            }
        }
    }

    /// The answer to a client that reconnects after the last message: a 204 ends an `EventSource`.
    pub(in crate::web) fn over(self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        let has_seen_all = self == Self::Messages && last_id(headers, uri).any(|id| id == CLOSE);
        has_seen_all.then(|| StatusCode::NO_CONTENT.into_response())
    }
}

/// The messages of a run, from the client's position. A HEAD request gets the headers only.
pub(in crate::web) fn messages(
    processes: &Processes,
    feed: Arc<Feed>,
    (grant, ticket): (Option<Arc<AccessGrant>>, Ticket),
    headers: &HeaderMap,
    uri: &Uri,
    method: &Method,
) -> Response {
    if method == Method::HEAD {
        return head(Body::empty());
    }
    let last = last_id(headers, uri).find_map(|id| MessageId::read(&id));
    let last = last.filter(|last| last.position.belongs_to(feed.id()));
    let following = Following {
        // Before the first read, so that nothing is missed.
        subscription: feed.subscribe(),
        // A crash may have lost lines that the client has seen, so all lines count as new.
        log: LogReader::new(
            Arc::clone(processes.store()),
            Arc::clone(&feed),
            last.map_or(0, |last| last.position.seq.min(feed.last_seq())),
        ),
        grant,
        feed,
        told: Told::default(),
        told_before: last.map(|last| last.told),
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

/// What a client was told of the progress: the text under the bar, and the percentage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Told {
    text: String,
    figure: Option<u8>,
}

impl Told {
    /// Tells it from others in an id.
    fn digest(&self) -> u32 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish() as u32
    }
}

/// The id of a message: the position in the log, and what was told of the progress. So a client that reconnects is not told
/// the same again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MessageId {
    position: Position,
    told: u32,
}

impl MessageId {
    /// `None` for any other text.
    fn read(text: &str) -> Option<Self> {
        let (position, told) = text.split_once('~')?;
        Some(Self { position: position.parse().ok()?, told: u32::from_str_radix(told, 16).ok()? })
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{:x}", self.position, self.told)
    }
}

/// Turns new events of a feed into messages.
struct Following {
    /// Checked before each message.
    grant: Option<Arc<AccessGrant>>,
    feed: Arc<Feed>,
    subscription: Subscription,
    log: LogReader,
    /// The text and the percentage that were sent last.
    told: Told,
    /// The digest of what the client was told before it reconnected.
    told_before: Option<u32>,
    begun: bool,
    over: bool,
    /// Its ticket from the limit of streams.
    _ticket: Ticket,
}

impl Following {
    /// The next chunk of the stream; `None` at its end.
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
            let mut out = Vec::new();
            match self.gather(&mut out).await {
                // The client reconnects, and the response tells it why.
                _ if self.grant.as_ref().is_some_and(|grant| grant.status() != GrantStatus::Valid) => {
                    return None;
                }
                Ok(()) if !out.is_empty() => return Some(out.into()),
                Ok(()) => {}
                Err(error) => {
                    tracing::error!("could not read the log of run {}: {}", self.feed.id(), OneLine(&error));
                    // The client reconnects, and continues at its position.
                    return None;
                }
            }
            tokio::select! {
                () = self.subscription.next() => {}
                () = &mut silent => return Some(Bytes::from_static(b": ping\n\n")),
            }
        }
    }

    /// Writes what is new: a part of the log or, once all of it is written, the progress.
    async fn gather(&mut self, out: &mut Vec<u8>) -> Result<(), StoreError> {
        // Before the log: later lines come after this state.
        let (now, _) = self.feed.snapshot(0, 0);
        let run = now.run;
        let entries = self.log.next(MOST).await?;
        let now_told = Told { text: run.progress.text.clone(), figure: figure(&run) };
        if !entries.is_empty() {
            // The percentage goes with the lines.
            self.told.figure = figure_before_end(&run);
            let told = self.told.digest();
            for entry in entries {
                let (seq, text) = match entry {
                    LogEntry::Line(line) => (line.seq, line.text),
                    LogEntry::Omitted(omitted) => {
                        let lines = Texts::english().counted("log.omitted", omitted.lines);
                        (omitted.last(), format!("… {lines} …"))
                    }
                };
                let id = MessageId { position: Position::of(run.id, run.attempt, seq), told };
                write_message(out, &id, &text, self.told.figure);
            }
        } else if run.status.is_terminal() {
            // Many clients move their bar for every message except the last one.
            if run.status == RunStatus::Succeeded && self.told_before != Some(DONE) {
                let position = Position::of(run.id, run.attempt, self.log.position());
                let percent = Texts::english().percent(100.0);
                write_message(out, &MessageId { position, told: DONE }, &percent, figure(&run));
            }
            write_message(out, &CLOSE, &outcome(&run), figure(&run));
            self.over = true;
        } else if now.closed {
            out.extend_from_slice(&retry().events());
            self.over = true;
        } else if now_told != self.told {
            let before = std::mem::replace(&mut self.told, now_told);
            let told = self.told.digest();
            let known = self.told_before.take() == Some(told);
            let Told { text, figure } = &self.told;
            // Only what is new: without a new text, the percentage itself.
            let message = match figure {
                _ if known => None,
                _ if *text != before.text && !text.is_empty() => Some(text.clone()),
                Some(figure) => Some(Texts::english().percent(f64::from(*figure))),
                None => None,
            };
            if let Some(message) = message {
                let position = Position::of(run.id, run.attempt, self.log.position());
                write_message(out, &MessageId { position, told }, &message, *figure);
            }
        }
        Ok(())
    }
}

/// The percentage of a run: rounded down, and never 100 before it has succeeded.
fn figure(run: &Run) -> Option<u8> {
    match run.status {
        RunStatus::Succeeded => Some(100),
        _ => run.progress.percent.map(|percent| percent.floor().clamp(0.0, 99.0) as u8),
    }
}

/// The percentage to send with log lines: 100 is sent with the end, and the percentage at earlier lines of an ended run
/// is unknown.
fn figure_before_end(run: &Run) -> Option<u8> {
    figure(run).filter(|_| !run.status.is_terminal())
}

/// The outcome of an ended run as text.
fn outcome(run: &Run) -> String {
    let said = run.result.as_ref().and_then(|result| result.get("message")?.as_str());
    let failed = || run.error.as_deref().map(|error| chain(error, &run.causes));
    let said = said.map(str::to_owned).or_else(failed).filter(|said| !said.is_empty());
    said.unwrap_or_else(|| pages::status(Texts::english(), run.status).to_owned())
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
    fn only_success_reports_100_percent() {
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
    fn outcome_is_result_error_or_status() {
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
