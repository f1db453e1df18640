//! What operators are told: spans, probes, and a log in which nobody else can write.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod heard;
mod log;
mod poison;
mod probes;
mod spans;
