//! The life of a run: it queues, pauses, resumes, retries, and ends once.
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
