//! `TestRun`: a run without a server, and everything that it reported.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod begin;
mod cancel;
mod cursor;
mod ending;
mod kill;
mod reports;
mod time;
