//! The snapshot at the beginning of a stream, and what a reconnecting client missed: log lines since its
//! `Last-Event-ID`, up to a limit.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::feed::{Feed, Offset};
use crate::log_reader::{LogEntry, LogReader, apart, entries};
use crate::processes::Processes;
use crate::run::{LogLine, Omitted, Run, RunId};
use crate::store::StoreError;
use crate::text::OneLine;
use crate::web::request::json::run_json;
use crate::web::request::rights::Rights;
use crate::wire::{Frame, Lines, Position, event};

/// How many log lines a new viewer gets.
const TAIL: usize = 500;
/// The bytes of these lines, and of the missed lines after a reconnect: more would take a slow connection too long.
pub(in crate::web) const TAIL_BYTES: usize = 1 << 20;
/// The same for a viewer that is known to read slowly: while it reads these, it gets nothing else.
pub(in crate::web) const SLOW_TAIL_BYTES: usize = 64 << 10;
/// How many bytes at a time a viewer that is behind gets.
const MISSED_BYTES: usize = 64 << 10;
/// The first bytes of every stream: how long a browser waits before it reconnects.
pub(in crate::web) const RETRY: &[u8] = b"retry: 2000\n";

/// The recipient of a snapshot.
#[derive(Clone, Copy)]
pub(in crate::web) struct SnapshotOptions<'a> {
    /// Where the router is mounted.
    pub(in crate::web) base: &'a str,
    pub(in crate::web) rights: Rights,
    pub(in crate::web) with_lines: bool,
}

impl SnapshotOptions<'_> {
    /// Distinct for recipients that get different content.
    fn kind(self) -> u8 {
        self.rights.bits() << 1 | u8::from(self.with_lines)
    }
}

/// The snapshot that begins a stream for a client that has seen `last`, and the position after it.
pub(in crate::web) async fn snapshot(
    processes: &Processes,
    feed: &Arc<Feed>,
    told: SnapshotOptions<'_>,
    last: Option<Position>,
    tail_bytes: usize,
) -> (Frame, Offset) {
    let usual = last.is_none() && tail_bytes == TAIL_BYTES;
    if let Some(kept) = feed.cached_snapshot(told.base, told.kind()).filter(|_| usual) {
        return kept;
    }
    let (run, seen, log) = if told.with_lines {
        let (run, seen, log) = beginning(processes, feed, last, tail_bytes).await;
        (run, seen, Some(log))
    } else {
        let (snapshot, seen) = feed.snapshot(0, 0);
        (snapshot.run, seen.without_lines(), None)
    };
    let mut snapshot = run_json(told.base, &run, told.rights);
    let mut position = Position::of(run.id, run.attempt, feed.last_seq());
    if let Some(log) = log {
        position.seq = seen.seq();
        snapshot["log"] = log.json();
    }
    let frame = Frame::of(&[Bytes::from_static(RETRY), event(position, "snapshot", &snapshot)]);
    if usual {
        feed.cache_snapshot(told.base, told.kind(), &frame, seen);
    }
    (frame, seen)
}

/// A part of a run's log, for a client that has the lines up to `after`.
#[derive(Debug)]
pub(in crate::web) struct Tail {
    pub(in crate::web) after: u64,
    pub(in crate::web) entries: Vec<LogEntry>,
    /// The number of the last line.
    pub(in crate::web) last: u64,
}

impl Tail {
    fn json(&self) -> Value {
        let (lines, omitted) = apart(&self.entries);
        json!({ "after": self.after, "last": self.last, "lines": lines, "omitted": omitted })
    }
}

/// A run, the client's position after its snapshot, and the log to send: the lines missed since `last`, up to the
/// limit, or the last lines.
async fn beginning(
    processes: &Processes,
    feed: &Arc<Feed>,
    last: Option<Position>,
    bytes: usize,
) -> (Run, Offset, Tail) {
    let (now, seen) = feed.snapshot(0, 0);
    let run = now.run;
    // Positions of an earlier attempt are invalid, because a crash may have lost lines, except for the beginning.
    let still_true = |last: &Position| last.attempt == run.attempt || last.seq == 0;
    let known = last.filter(|last| last.belongs_to(run.id)).filter(still_true).map(|last| last.seq);
    if let Some(after) = known.filter(|after| *after <= now.last_seq) {
        let mut log = LogReader::new(Arc::clone(processes.store()), Arc::clone(feed), after);
        match log.next(bytes).await {
            Ok(entries) => {
                let seen = seen.with_lines_to(log.position());
                let last = now.last_seq.max(log.position());
                return (run, seen, Tail { after, entries, last });
            }
            Err(error) => not_read(&run, &error),
        }
    }
    tail(processes, feed, bytes).await
}

/// A run, the position after its snapshot, and the last lines of its log.
pub(in crate::web) async fn tail(processes: &Processes, feed: &Feed, bytes: usize) -> (Run, Offset, Tail) {
    let (now, seen) = feed.snapshot(TAIL, bytes);
    let (run, mut lines) = (now.run, now.recent);
    // Are there more lines than the feed has in memory?
    let first_at_hand = lines.first().map_or(now.last_seq, |line| line.seq - 1);
    if lines.len() < TAIL && first_at_hand == now.evicted && now.evicted > 0 {
        let mut earlier = processes.store().log_tail(run.id, TAIL).await.unwrap_or_else(|error| {
            not_read(&run, &error);
            Vec::new()
        });
        earlier.retain(|line| line.seq <= now.evicted);
        earlier.append(&mut lines);
        lines = earlier;
    }
    let mut left = bytes;
    let fits = lines.iter().rev().take(TAIL).take_while(|line| {
        let rest = left.checked_sub(line.size());
        left = rest.unwrap_or(0);
        rest.is_some()
    });
    lines.drain(..lines.len() - fits.count());
    let after = lines.first().map_or(now.last_seq, |line| line.seq - 1);
    (run, seen, Tail { after, entries: entries(after, lines), last: now.last_seq })
}

/// The data of an `omitted` event: lines that were not kept.
#[derive(Serialize)]
struct NotKept {
    run: RunId,
    #[serde(flatten)]
    omitted: Omitted,
}

/// Some of the lines that a slow viewer has missed, after the latest progress. `None` if they are not available: they
/// were lost, or the store cannot be read.
pub(in crate::web) async fn missed(
    processes: &Processes,
    feed: &Arc<Feed>,
    seen: &mut Offset,
) -> Option<Frame> {
    let run = feed.run();
    if seen.seq() > feed.last_seq() {
        return None;
    }
    let mut log = LogReader::new(Arc::clone(processes.store()), Arc::clone(feed), seen.seq());
    let entries = log.next(MISSED_BYTES).await.map_err(|error| not_read(&run, &error)).ok()?;
    let mut parts: Vec<Bytes> = feed.late_progress(seen).into_iter().flatten().collect();
    let mut lines = Vec::new();
    let encode = |lines: &mut Vec<LogLine>, parts: &mut Vec<Bytes>| {
        let chunks = Lines::encode(run.id, run.attempt, &std::mem::take(lines));
        parts.extend(chunks.iter().filter_map(|chunk| chunk.after(0)));
    };
    for entry in entries {
        match entry {
            LogEntry::Line(line) => lines.push(line),
            LogEntry::Omitted(omitted) => {
                encode(&mut lines, &mut parts);
                let position = Position::of(run.id, run.attempt, omitted.last());
                parts.push(event(position, "omitted", &NotKept { run: run.id, omitted }));
            }
        }
    }
    encode(&mut lines, &mut parts);
    *seen = seen.with_lines_to(log.position());
    (!parts.is_empty()).then(|| Frame::of(&parts))
}

fn not_read(run: &Run, error: &StoreError) {
    tracing::error!("could not read the log of run {}: {}", run.id, OneLine(error));
}
