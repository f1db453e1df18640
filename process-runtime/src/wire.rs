//! The wire format of streams: event ids, and events encoded once, each on one line of JSON.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use bytes::{Bytes, BytesMut};
use serde::Serialize;

use crate::run::{FailedItem, Level, LogLine, Run, RunFile, RunId, StyledSpan};
use crate::text::OneLine;

/// The position of a viewer in a run's stream: the `id` of an event.
///
/// Opaque to clients; ordered within a run; at most 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Distinguishes runs.
    pub(crate) tag: u32,
    /// Distinguishes attempts: a crash may have lost lines that a viewer has seen.
    pub(crate) attempt: u32,
    /// The last log line seen.
    pub(crate) seq: u64,
    /// True when the end was seen too.
    pub(crate) ended: bool,
}

impl Position {
    pub(crate) fn of(id: RunId, attempt: u32, seq: u64) -> Self {
        Self { tag: id.tag(), attempt, seq, ended: false }
    }

    /// The position of a viewer that has seen the end of all these runs.
    pub(crate) fn end_of(ids: impl Iterator<Item = RunId>) -> Self {
        let tag = ids.fold(0, |tags, id| tags ^ id.tag());
        Self { tag, attempt: 0, seq: 0, ended: true }
    }

    /// True if this position belongs to the run `id`.
    pub(crate) fn belongs_to(&self, id: RunId) -> bool {
        self.tag == id.tag()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tag, attempt, seq, ended } = self;
        write!(f, "{tag:08x}-{attempt}-{seq}{}", if *ended { "-end" } else { "" })
    }
}

impl FromStr for Position {
    type Err = ();

    /// Text that [`Display`](fmt::Display) did not write is an unknown position.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() > 64 {
            return Err(());
        }
        let mut parts = text.split('-');
        let mut next = || parts.next().ok_or(());
        let tag = u32::from_str_radix(next()?, 16).map_err(drop)?;
        let attempt = next()?.parse().map_err(drop)?;
        let seq = next()?.parse().map_err(drop)?;
        let ended = match parts.next() {
            None => false,
            Some("end") => true,
            Some(_) => return Err(()),
        };
        let position = Self { tag, attempt, seq, ended };
        if parts.next().is_some() || position.to_string() != text { Err(()) } else { Ok(position) }
    }
}

/// The part of a run that changes while it runs: the data of a `progress` event.
///
/// It is complete each time, so that a viewer may miss earlier ones.
#[derive(Serialize)]
pub(crate) struct Changing<'a> {
    run: RunId,
    status: &'a str,
    pausing: bool,
    stalled: bool,
    due_at: Option<jiff::Timestamp>,
    attempt: u32,
    started_at: Option<jiff::Timestamp>,
    elapsed_ms: u64,
    #[serde(flatten)]
    progress: &'a crate::run::ProgressState,
}

impl<'a> Changing<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        Self {
            run: run.id,
            status: run.status.as_str(),
            pausing: run.pausing,
            stalled: run.stalled,
            due_at: run.due_at,
            attempt: run.attempt,
            started_at: run.started_at,
            elapsed_ms: run.elapsed_ms,
            progress: &run.progress,
        }
    }
}

/// The data of an `end` event.
#[derive(Serialize)]
pub(crate) struct Ended<'a> {
    run: RunId,
    status: &'a str,
    elapsed_ms: u64,
    finished_at: Option<jiff::Timestamp>,
    result: &'a Option<serde_json::Value>,
    error: &'a Option<String>,
    causes: &'a [String],
    resume: Option<ResumePoint>,
    files: Vec<Offered<'a>>,
    failed_items: &'a [FailedItem],
    /// With the last lines others may have gone.
    omitted_lines: u64,
}

/// Where a retry continues.
#[derive(Serialize)]
pub(crate) struct ResumePoint {
    /// `None` if it is unknown how far the run was.
    percent: Option<f64>,
}

impl ResumePoint {
    /// `None` if a retry starts over.
    pub(crate) fn of(run: &Run) -> Option<Self> {
        let cursor = run.bookkeeping.cursor.as_ref()?;
        Some(Self { percent: cursor.facts.as_ref().and_then(|facts| facts.percent) })
    }
}

/// A file as viewers see it, without the place where it is stored.
#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    size: u64,
    viewable: bool,
}

impl<'a> Offered<'a> {
    fn of(file: &'a RunFile) -> Self {
        Self { name: &file.name, size: file.size, viewable: file.is_viewable() }
    }
}

impl<'a> Ended<'a> {
    pub(crate) fn of(run: &'a Run) -> Self {
        Self {
            run: run.id,
            status: run.status.as_str(),
            elapsed_ms: run.elapsed_ms,
            finished_at: run.finished_at,
            result: &run.result,
            error: &run.error,
            causes: &run.causes,
            resume: ResumePoint::of(run),
            files: run.files.iter().map(Offered::of).collect(),
            failed_items: &run.failed_items,
            omitted_lines: run.progress.omitted_lines,
        }
    }
}

/// The data of a `ping` event, and of a `gone` event, which means that the run does not exist or no longer does.
#[derive(Serialize)]
pub(crate) struct Ping {
    pub(crate) run: RunId,
}

/// The data of a `log` event.
#[derive(Serialize)]
struct Logged<'a> {
    run: RunId,
    seq: u64,
    at: jiff::Timestamp,
    level: Level,
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    styles: &'a [StyledSpan],
}

impl<'a> Logged<'a> {
    fn of(run: RunId, line: &'a LogLine) -> Self {
        Self { run, seq: line.seq, at: line.at, level: line.level, text: &line.text, styles: &line.styles }
    }
}

/// Appends one event to `out`.
///
/// JSON escapes line breaks inside texts, so the data is always one line.
pub(crate) fn write_event(out: &mut Vec<u8>, position: Position, name: &str, data: &impl Serialize) {
    write(out, Some(name), data, &position);
}

/// Writes one event. The id comes last: some clients apply an id as soon as they read its line, and would skip the
/// event if the connection broke before the rest.
fn write(out: &mut Vec<u8>, name: Option<&str>, data: &impl Serialize, id: &impl fmt::Display) {
    let start = out.len();
    let head = match name {
        Some(name) => write!(out, "event: {name}\ndata: "),
        None => write!(out, "data: "),
    };
    let written = head.map_err(serde_json::Error::io).and_then(|()| serde_json::to_writer(&mut *out, data));
    let written = written.and_then(|()| write!(out, "\nid: {id}\n\n").map_err(serde_json::Error::io));
    // Our own types always serialize; if one did not, the stream would stay valid without the event.
    if let Err(error) = written {
        let name = name.unwrap_or("message");
        tracing::error!("could not serialize the event {name}: {}", OneLine(&error));
        out.truncate(start);
    }
}

/// The same event without its position, in pieces.
pub(crate) fn without_position(event: &Bytes) -> [Bytes; 2] {
    let end = event.windows(5).rposition(|five| five == b"\nid: ").map_or(event.len(), |end| end + 1);
    [event.slice(..end), Bytes::from_static(b"\n")]
}

/// Writes one unnamed event, which a browser treats as a message: a text, and a number from 0 to 100 or null.
pub(crate) fn write_message(out: &mut Vec<u8>, id: &impl fmt::Display, message: &str, progress: Option<u8>) {
    #[derive(Serialize)]
    struct Message<'a> {
        message: &'a str,
        progress: Option<u8>,
    }
    write(out, None, &Message { message, progress }, id);
}

/// One event as separate bytes.
pub(crate) fn event(position: Position, name: &str, data: &impl Serialize) -> Bytes {
    let mut out = Vec::with_capacity(256);
    write_event(&mut out, position, name, data);
    out.into()
}

/// Consecutive events, written together.
///
/// They are framed as an HTTP/1.1 chunk, so that a server that writes to sockets itself can share the bytes; other
/// servers get the content.
#[derive(Debug, Clone)]
pub(crate) struct Frame(Bytes);

impl Frame {
    /// The length of the events in hexadecimal digits, always as many, and a line break.
    const HEAD: usize = 10;
    const TAIL: &[u8] = b"\r\n";

    pub(crate) fn of(parts: &[Bytes]) -> Self {
        let length = parts.iter().map(Bytes::len).sum::<usize>();
        let mut bytes = BytesMut::with_capacity(Self::HEAD + length + Self::TAIL.len());
        bytes.extend_from_slice(format!("{length:08x}\r\n").as_bytes());
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        bytes.extend_from_slice(Self::TAIL);
        Self(bytes.freeze())
    }

    /// The events in the frame of a chunk.
    pub(crate) fn chunk(&self) -> Bytes {
        self.0.clone()
    }

    /// The events alone.
    pub(crate) fn events(&self) -> Bytes {
        self.0.slice(Self::HEAD..self.0.len() - Self::TAIL.len())
    }
}

/// Consecutive encoded log lines, each of which can be found again.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    bytes: Bytes,
    /// The number of each line, and where its event begins.
    starts: Vec<(u64, usize)>,
}

impl Lines {
    /// The approximate size of a chunk of lines, which a slow viewer keeps in memory.
    const MOST: usize = 32 * 1024;

    pub(crate) fn encode(id: RunId, attempt: u32, mut lines: &[LogLine]) -> Vec<Self> {
        let mut chunks = Vec::new();
        while !lines.is_empty() {
            let mut out = Vec::with_capacity(lines.len().min(128) * 256);
            let mut starts = Vec::with_capacity(lines.len().min(128));
            for line in lines {
                if out.len() >= Self::MOST {
                    break;
                }
                starts.push((line.seq, out.len()));
                write_event(&mut out, Position::of(id, attempt, line.seq), "log", &Logged::of(id, line));
            }
            lines = lines.get(starts.len()..).unwrap_or_default();
            chunks.push(Self { bytes: out.into(), starts });
        }
        chunks
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.starts.last().map_or(0, |(seq, _)| *seq)
    }

    /// The events of all lines with a number above `seq`: a slice of the shared bytes.
    pub(crate) fn after(&self, seq: u64) -> Option<Bytes> {
        let index = self.starts.partition_point(|(line, _)| *line <= seq);
        self.starts.get(index).map(|(_, start)| self.bytes.slice(start..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forged_event_ids_are_rejected() {
        let position = Position { tag: 0xab, attempt: 3, seq: u64::MAX, ended: true };
        let text = position.to_string();
        assert!(text.len() <= 64);
        assert_eq!(text.parse(), Ok(position));
        let forged =
            ["", "0", "000000ab-1", "000000ab-1-2-", "000000ab-1-2-end-end", "000000AB-1-2", "ab-1-2"];
        for text in forged.into_iter().chain(["000000ab-01-2", "000000ab-1--2", "-1-1-1", "\u{0}"]) {
            assert_eq!(text.parse::<Position>(), Err(()), "{text:?}");
        }
        assert_eq!("1".repeat(1_000_000).parse::<Position>(), Err(()));
    }

    #[test]
    fn text_cannot_break_out_of_event() {
        let id = RunId::new();
        let text = "a\r\nid: 1\n\nevent: end\ndata: {}\n\n\0\u{2028}".to_owned();
        let line =
            LogLine { seq: 1, at: jiff::Timestamp::now(), level: Level::Info, text, styles: Vec::new() };
        let lines = Lines::encode(id, 1, std::slice::from_ref(&line));
        let bytes = lines[0].after(0).unwrap();
        let event = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(event.lines().count(), 4);
        assert_eq!(event.matches("\n\n").count(), 1);
        assert!(event.starts_with("event: log\ndata: {"));
        assert!(!event.contains('\r') && !event.contains('\0'));
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        assert_eq!(serde_json::from_str::<LogLine>(data).unwrap(), line);
    }

    #[test]
    fn event_id_is_the_last_line() {
        let run = RunId::new();
        let position = Position::of(run, 1, 7);
        let event = event(position, "ping", &serde_json::json!({ "text": "\nid: 1" }));
        let rest = "event: ping\ndata: {\"text\":\"\\nid: 1\"}\n";
        assert_eq!(event, format!("{rest}id: {position}\n\n"));
        assert_eq!(without_position(&event).concat(), format!("{rest}\n").as_bytes());
        let mut message = Vec::new();
        write_message(&mut message, &"CLOSE", "done", Some(100));
        assert_eq!(message, b"data: {\"message\":\"done\",\"progress\":100}\nid: CLOSE\n\n");
    }

    #[test]
    fn many_lines_become_bounded_chunks() {
        let at = jiff::Timestamp::now();
        let line = |seq| LogLine { seq, at, level: Level::Info, text: "x".repeat(1_000), styles: Vec::new() };
        let lines: Vec<_> = (1..=500).map(line).collect();
        let chunks = Lines::encode(RunId::new(), 1, &lines);
        assert!(chunks.iter().all(|chunk| chunk.bytes.len() < Lines::MOST + 2_000));
        let numbers = chunks.iter().flat_map(|chunk| chunk.starts.iter().map(|(seq, _)| *seq));
        assert!(numbers.eq(1..=500));
        assert!(chunks.len() > 10);
    }

    #[test]
    fn frame_is_one_http_chunk() {
        let frame = Frame::of(&[Bytes::from_static(b"id: 1\n\n"), Bytes::from_static(b"id: 2\n\n")]);
        assert_eq!(&frame.chunk()[..], b"0000000e\r\nid: 1\n\nid: 2\n\n\r\n");
        assert_eq!(&frame.events()[..], b"id: 1\n\nid: 2\n\n");
    }

    #[test]
    fn lines_after_offset_are_a_slice() {
        let at = jiff::Timestamp::now();
        let line =
            |seq| LogLine { seq, at, level: Level::Info, text: format!("line {seq}"), styles: Vec::new() };
        let lines = Lines::encode(RunId::new(), 1, &[line(2), line(5)]);
        let text =
            |seq| lines[0].after(seq).map(|bytes| String::from_utf8_lossy(&bytes).matches("data").count());
        assert_eq!((text(0), text(2), text(4), text(5)), (Some(2), Some(1), Some(1), None));
    }
}
