//! Observability: spans, probes, and a log without forged lines.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod failures;
mod heard;
mod log;
mod poison;
mod probes;
mod refusals;
mod spans;
