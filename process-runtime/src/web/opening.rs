//! Owns what a viewer is told first: the run as it is, with the log it has missed or the last lines of it.
//! Refuses to know how it is sent, and what follows.

use bytes::Bytes;
use serde_json::{Value, json};

use super::respond::run_json;
use super::rights::Rights;
use crate::feed::{Feed, Seen};
use crate::processes::Processes;
use crate::run::{LogLine, Run, RunId};
use crate::store::LogFilter;
use crate::text::OneLine;
use crate::wire::{Frame, Position, event};

/// How many lines of the log a viewer gets who has seen none.
const TAIL: usize = 500;
/// How many missed lines a viewer who comes back gets; one who missed more starts anew with the tail.
const MAX_MISSED: usize = 10_000;
/// How much text these lines may have, in bytes, and the missed ones: a slow line takes long enough for it.
pub(super) const TAIL_BYTES: usize = 1 << 20;
/// The same for one who is known to read slowly: while it reads these, it learns of nothing else.
pub(super) const SLOW_TAIL_BYTES: usize = 64 << 10;
const MISSED_BYTES: usize = 2 << 20;
/// How long a browser waits before it opens a stream again that was cut, and the first bytes of every stream.
pub(super) const RETRY: &[u8] = b"retry: 2000\n\n";

/// Who is told, and how much.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// Where the router is mounted.
    pub(super) base: &'a str,
    pub(super) rights: Rights,
    pub(super) with_lines: bool,
}

impl Told<'_> {
    /// Different for those who are told something else.
    fn kind(self) -> u8 {
        self.rights.bits() << 1 | u8::from(self.with_lines)
    }
}

/// The opening of a stream, for someone who has seen `last`, and what it has seen by that.
pub(super) async fn opening(
    processes: &Processes,
    feed: &Feed,
    told: Told<'_>,
    last: Option<Position>,
    tail_bytes: usize,
) -> (Frame, Seen) {
    let usual = last.is_none() && tail_bytes == TAIL_BYTES;
    if let Some(kept) = feed.kept_opening(told.base, told.kind()).filter(|_| usual) {
        return kept;
    }
    let (opening, mut seen) = feed.opening(0);
    let position = Position::of(opening.run.id, opening.run.attempt, opening.last_seq);
    let mut snapshot = run_json(told.base, &opening.run, told.rights);
    if told.with_lines {
        let log = tail(processes, &opening.run, opening.recent, opening.evicted, last, tail_bytes).await;
        snapshot["log"] = log.json(opening.last_seq);
    } else {
        seen = seen.without_lines();
    }
    let frame = Frame::of(&[Bytes::from_static(RETRY), event(position, "snapshot", &snapshot)]);
    if usual {
        feed.keep_opening(told.base, told.kind(), &frame, seen);
    }
    (frame, seen)
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
    tail_bytes: usize,
) -> Tail {
    // What was seen of an earlier attempt may have been lost with it, unless it was nothing.
    let still_true = |last: &Position| last.attempt == run.attempt || last.seq == 0;
    let seen = last.filter(|last| last.belongs_to(run.id)).filter(still_true).map(|last| last.seq);
    let newest = recent.last().map_or(evicted, |line| line.seq);
    if let Some(after) = seen.filter(|seen| *seen <= newest) {
        if let Some(mut lines) = stored(processes, run.id, after, evicted, MAX_MISSED).await {
            lines.extend(recent.iter().filter(|line| line.seq > after).cloned());
            if lines.iter().map(|line| line.text.len()).sum::<usize>() <= MISSED_BYTES {
                return Tail { after, lines };
            }
        }
    }
    let mut lines = Vec::new();
    if recent.len() < TAIL && evicted > 0 {
        lines = processes.store().log_tail(run.id, TAIL).await.unwrap_or_else(|error| {
            tracing::error!("the log of run {} could not be read: {}", run.id, OneLine(&error));
            Vec::new()
        });
        lines.retain(|line| line.seq <= evicted);
    }
    lines.append(&mut recent);
    let mut bytes = 0;
    let fits = lines.iter().rev().take(TAIL).take_while(|line| {
        bytes += line.text.len();
        bytes <= tail_bytes
    });
    lines.drain(..lines.len() - fits.count());
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
            tracing::error!("the log of run {id} could not be read: {}", OneLine(&error));
            None
        }
    }
}
