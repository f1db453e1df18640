//! Figures for operators, in a program of their own: it has one recorder for all its servers.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod counted;
mod exposition;
