//! The load client counts right whatever pieces it reads, and all viewers of a run see its end and its last value.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod crowds;
mod pieces;
