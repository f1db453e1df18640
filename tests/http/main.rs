//! The HTTP interface: routes, responses, streams, and rejected requests.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod access;
mod again;
mod amplification;
mod bad_input;
mod bodies;
mod branding;
mod downloads;
mod failures;
mod fields;
mod guard;
mod history;
mod hook;
mod http2;
mod languages;
mod layout;
mod limits;
mod log;
mod many;
mod matrix;
mod messages;
mod openapi;
mod origins;
mod packing;
mod payloads;
mod rate;
mod routes;
mod rules;
mod secrets;
mod share;
mod slow;
mod spelling;
mod stream;
mod tools;
mod uploads;
mod viewers;
