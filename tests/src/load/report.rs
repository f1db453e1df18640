//! The client's report, as one line of JSON.

use serde::{Deserialize, Serialize};

/// What viewers have seen, all of them together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Connections that were opened, and those that were answered with 200.
    pub connected: u64,
    pub answered: u64,
    /// Those that have seen `end`, and those that the server closed.
    pub ended: u64,
    pub closed: u64,
    /// Connections that could not be opened, broke, or got something that is no stream.
    pub errors: u64,
    /// The first of these errors.
    pub error: Option<String>,
    pub events: Counts,
    /// Log lines with a time in them: those from events, and those from snapshots.
    pub lines: u64,
    pub old_lines: u64,
    /// Everything that was read, heads and frames included.
    pub bytes: u64,
    /// From the time in a log line to the read that brought it.
    pub latency: Latency,
    /// From the first time in a wave of lines to the last read that brought one, for each wave.
    pub waves_ns: Vec<u64>,
    /// How far the run was by the last event of each viewer.
    pub current: Span,
    pub percent: Span,
    pub elapsed_ms: u64,
}

/// How many events of each name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub snapshot: u64,
    pub progress: u64,
    pub log: u64,
    pub end: u64,
    pub ping: u64,
    pub other: u64,
}

/// In nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
}

/// The lowest and the highest last value, and how many viewers have none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    pub min: f64,
    pub max: f64,
    pub unknown: u64,
}

impl Span {
    pub(super) fn of(values: impl Iterator<Item = Option<f64>>) -> Self {
        let mut span = Self { min: f64::INFINITY, max: f64::NEG_INFINITY, unknown: 0 };
        for value in values {
            match value {
                Some(value) => (span.min, span.max) = (span.min.min(value), span.max.max(value)),
                None => span.unknown += 1,
            }
        }
        // JSON has no infinity.
        if span.min > span.max { Self { min: 0.0, max: 0.0, ..span } } else { span }
    }
}
