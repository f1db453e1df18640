//! What is promised over HTTP: routes, answers, streams, and who is refused.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bad_input;
mod fields;
mod guard;
mod history;
mod http2;
mod languages;
mod log;
mod many;
mod messages;
mod routes;
mod rules;
mod secrets;
mod stream;
mod uploads;
mod viewers;
