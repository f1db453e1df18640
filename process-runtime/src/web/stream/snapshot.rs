//! The snapshot at the beginning of a stream, and what a client that reconnects has missed: log lines since its
//! `Last-Event-ID`, as far as they fit.

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

/// How many lines of the log a viewer gets who has seen none.
const TAIL: usize = 500;
/// How much these lines may be, and those of one that comes back, in bytes: a slow line takes long enough for it.
pub(in crate::web) const TAIL_BYTES: usize = 1 << 20;
/// The same for one who is known to read slowly: while it reads these, it learns of nothing else.
pub(in crate::web) const SLOW_TAIL_BYTES: usize = 64 << 10;
/// How much is given at a time to one who has fallen behind, in bytes.
const MISSED_BYTES: usize = 64 << 10;
/// How long a browser waits before it opens a stream again that was cut, and the first bytes of every stream.
pub(in crate::web) const RETRY: &[u8] = b"retry: 2000\n\n";

/// Who is told, and how much.
#[derive(Clone, Copy)]
pub(in crate::web) struct SnapshotOptions<'a> {
    /// Where the router is mounted.
    pub(in crate::web) base: &'a str,
    pub(in crate::web) rights: Rights,
    pub(in crate::web) with_lines: bool,
}

impl SnapshotOptions<'_> {
    /// Different for those who are told something else.
    fn kind(self) -> u8 {
        self.rights.bits() << 1 | u8::from(self.with_lines)
    }
}

/// The snapshot that begins a stream, for someone who has seen `last`, and what it has seen by that.
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

/// A part of a run's log, for someone who has seen the lines up to `after`.
#[derive(Debug)]
pub(in crate::web) struct Tail {
    pub(in crate::web) after: u64,
    pub(in crate::web) entries: Vec<LogEntry>,
    /// The number of the last line there is.
    pub(in crate::web) last: u64,
}

impl Tail {
    fn json(&self) -> Value {
        let (lines, omitted) = apart(&self.entries);
        json!({ "after": self.after, "last": self.last, "lines": lines, "omitted": omitted })
    }
}

/// A run, what someone has seen who is told of it, and the log that is told: what was missed since `last`, as far as it
/// fits, or the last lines.
async fn beginning(
    processes: &Processes,
    feed: &Arc<Feed>,
    last: Option<Position>,
    bytes: usize,
) -> (Run, Offset, Tail) {
    let (now, seen) = feed.snapshot(0, 0);
    let run = now.run;
    // What was seen of an earlier attempt may have been lost with it, unless it was nothing.
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

/// A run, what someone has seen who is told of it, and the last lines of its log.
pub(in crate::web) async fn tail(processes: &Processes, feed: &Feed, bytes: usize) -> (Run, Offset, Tail) {
    let (now, seen) = feed.snapshot(TAIL, bytes);
    let (run, mut lines) = (now.run, now.recent);
    // Is there more than what is at hand?
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

/// The data of an `omitted` event: here are lines that were not kept.
#[derive(Serialize)]
struct NotKept {
    run: RunId,
    #[serde(flatten)]
    omitted: Omitted,
}

/// Some of the lines that a viewer has missed who has fallen behind, with the latest progress in front of them. `None`
/// when they cannot be told: they were lost, or the store cannot be read.
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
    tracing::error!("the log of run {} could not be read: {}", run.id, OneLine(error));
}
