//! The load client counts right whatever pieces it reads; all viewers of a run see its end and its last value, by the
//! thousand too, and leave nothing behind.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

mod besieged;
mod crowds;
mod hostile;
mod pieces;
mod soak;
mod thousands;
mod visitors;
