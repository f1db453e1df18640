//! The events that all measured servers send, equal to ours.

use bytes::Bytes;
use process_runtime::run::{Level, LogLine};
use process_tests::load::{Rounds, stamped};

/// The lines of a run, in time.
pub(crate) struct Lines {
    rounds: Rounds,
    last: u64,
}

impl Lines {
    pub(crate) fn new(rounds: Rounds) -> Self {
        Self { rounds, last: 0 }
    }

    /// The next burst; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Vec<LogLine>> {
        if !self.rounds.next().await {
            return None;
        }
        let pace = self.rounds.pace();
        Some(std::iter::repeat_with(|| self.line(pace.bytes)).take(pace.burst).collect())
    }

    fn line(&mut self, bytes: usize) -> LogLine {
        self.last += 1;
        LogLine {
            seq: self.last,
            at: jiff::Timestamp::now(),
            level: Level::Info,
            text: stamped(bytes),
            styles: Vec::new(),
        }
    }
}

pub(crate) fn id(seq: u64) -> String {
    format!("0123abcd-1-{seq}")
}

/// A line as one event.
pub(crate) fn log(line: &LogLine) -> Vec<u8> {
    let mut event = b"event: log\ndata: ".to_vec();
    serde_json::to_writer(&mut event, line).unwrap();
    event.extend_from_slice(format!("\nid: {}\n\n", id(line.seq)).as_bytes());
    event
}

/// What each viewer gets first, and last.
pub(crate) const SNAPSHOT: Bytes = Bytes::from_static(b"event: snapshot\ndata: {\"status\":\"running\"}\n\n");
pub(crate) const END: Bytes = Bytes::from_static(b"event: end\ndata: {\"status\":\"succeeded\"}\n\n");
