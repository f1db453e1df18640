//! What is promised of a run's life: it waits its turn, pauses, goes on, is tried again, and ends once.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

#[cfg(unix)]
mod children;
mod control;
mod deploys;
mod drain;
mod leases;
mod nodes;
mod queue;
mod retention;
mod retries;
mod stuck;
