//! The load client counts correctly however its reads are split; thousands of viewers of a run see its end and last
//! value, and leave nothing behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod besieged;
mod crowds;
mod hostile;
mod pieces;
mod soak;
mod thousands;
mod visitors;
