//! What is promised to those who test their processes: a run without a server, and all it said.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod begin;
mod cancel;
mod cursor;
mod ending;
mod kill;
mod reports;
mod time;
