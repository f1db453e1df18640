//! Runs: how they end, how they are controlled, and how they report.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod cancel;
mod ending;
mod events;
mod facts;
mod floods;
mod helpers;
mod long_log;
mod queueing;
mod results;
mod schedule;
mod tracing;
mod typed_start;
