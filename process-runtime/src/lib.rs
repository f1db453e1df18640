//! Long-running processes that people watch: bulk imports, reports, recalculations, backups, mass e-mail.
//!
//! Annotate an async function, mount one router, and get for every process a form made from its parameters,
//! a live progress page, cancel, history that survives a crash, results and files to download.
//!
//! ```no_run
//! use axum::Router;
//! use process_runtime::prelude::*;
//!
//! /// Recalculates the price of every product in the catalog.
//! #[process(title = "Recalculate catalog prices")]
//! async fn recalculate_prices(
//!     #[field(help = "How much to add, in percent", default = 2.5)] percent: f64,
//! ) -> Result<String, std::convert::Infallible> {
//!     for product in 1..=100 {
//!         // … reprice it by `percent` …
//!         set_progress_of(product, 100);
//!         set_progress_text(format!("Updating product ID: #{product}"));
//!     }
//!     Ok(format!("Prices changed by {percent} %"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let app = Router::new().nest("/processes", process_runtime::router());
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     axum::serve(listener, app.into_make_service()).await
//! }
//! ```
//!
//! A program that is nothing but processes calls [`serve`] instead. What processes share, such as a
//! database, is given to the [`builder`] and taken as [`State<T>`](State).
//!
//! # Where processes are found
//!
//! Everywhere in the program: in the binary, in nested modules, in libraries. But the linker drops a library
//! that nobody names, with all the processes in it. A program names such a library once:
//!
//! ```ignore
//! use my_jobs as _;
//! ```
//!
//! In a chain (the program uses `a`, `a` uses `b`) the program names `a` *and* `a` names `b`.
//!
//! # How a process runs
//!
//! Each run has a thread of its own, on which its body is polled; timers, sockets and spawned tasks are
//! driven by a tokio runtime that all runs share, and that is not the one that serves pages. So a loop
//! without an await, or a call that blocks, holds up nothing but its own run.
//!
//! A run is stored before its start is answered, and does not depend on any browser. When it is cancelled,
//! its body is dropped at its next await, or leaves at its next helper call; destructors run in both cases.
//!
//! What it returns does not undo what it has done: a result that cannot be written as JSON is left out, with a warning
//! in its log, and the run has succeeded.
//!
//! # What a stopped run leaves behind
//!
//! A run is stopped by cancel, by its timeout, and when the program ends. Two things outlive that unless the process
//! takes care of them.
//!
//! **Locks.** A helper call of a run that was stopped unwinds, like a panic. A guard of a [`std::sync::Mutex`] or
//! `RwLock` that is held over a helper call poisons its lock, and where that lock is in a [`State`], every later run
//! that calls `lock().unwrap()` panics, until the program starts anew. So drop the guard before a helper is called; or
//! take a lock without poison, such as `parking_lot::Mutex` or `tokio::sync::Mutex`; or take the value all the same, by
//! `lock().unwrap_or_else(PoisonError::into_inner)`. The operator's log names the process whose run has met such a
//! lock. A `LazyLock` whose initialisation calls a helper can be poisoned in the same way, for good.
//!
//! **Child processes.** A process that awaits a program it has started is dropped at that await, and the program runs
//! on: neither `std` nor tokio ends a child that is dropped. `kill_on_drop(true)` ends the child, but not what the
//! child has started itself, as a shell does. A group of its own reaches all of them:
//!
//! ```ignore
//! /// Ends a group of processes when it is dropped.
//! struct Group(u32);
//!
//! impl Drop for Group {
//!     fn drop(&mut self) {
//!         let _ = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0)]).status();
//!     }
//! }
//!
//! #[process(title = "Back up")]
//! async fn back_up() -> Result<(), std::io::Error> {
//!     let mut command = tokio::process::Command::new("sh");
//!     command.args(["-c", "pg_dump shop | gzip > shop.gz"]).process_group(0).kill_on_drop(true);
//!     let mut child = command.spawn()?;
//!     let _group = child.id().map(Group);
//!     child.wait().await?;
//!     Ok(())
//! }
//! ```
//!
//! Destructors do not run when the program itself is killed, by `kill -9` or a power cut: children live on then.
//!
//! # Processes that go on after a crash
//!
//! A process that takes a [`Cursor`] is called again when its program went away while it ran, with the cursor as
//! it was last stored. [`resume_from`](ProgressIterator::resume_from) leaves out what is done:
//!
//! ```
//! use process_runtime::prelude::*;
//!
//! #[process(title = "Importing")]
//! async fn import(cursor: Cursor<u64>, file: Upload) -> Result<(), std::io::Error> {
//!     let text = std::fs::read_to_string(file.path())?;
//!     for row in text.lines().resume_from(&cursor).progress_of(text.lines().count()) {
//!         // … store the row …
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Pausing a run and stopping the program end the body between two items, so nothing is done twice then; after
//! a crash a few items are, as many as [`Cursor`] says. Without a cursor a run that is cut off is not called
//! again: nobody knows how far it was.
//!
//! # When the program changes
//!
//! A new version of the program finds runs that an earlier one has accepted: waiting, paused, cut off in the middle, or
//! to be retried. They are judged by their values. An input that reads into the fields as they are now is taken: a
//! field that is optional or has a default may be added, one may get a wider type, and what is not asked for any more
//! is left out, with a warning in the run's log. Bounds hold, and `validate` is not asked a second time. A cursor that
//! reads into its type [is gone on from](Cursor#when-the-program-changes), and so is a list that is
//! [still the same](ProgressIterator::resume_from). What does not fit fails the run in words: which field,
//! what was stored, what is asked for. Its cursor is kept, and *Retry* is offered again once it fits. A paused run that
//! does not fit stays paused.
//!
//! A process that takes a cursor only since an update does not begin runs anew that were cut off before: those are
//! interrupted, as they were promised.
//!
//! # Processes that start by themselves
//!
//! `#[process(schedule = "0 3 * * *")]` starts a run every night at three: minute, hour, day of the month, month and
//! day of the week, in UTC; with six fields the first is the second. It starts with the default of every field, as
//! the person called "schedule", and is otherwise like a start by hand: an `exclusive` process that is still running
//! is left alone, and a run of another waits for its turn. Where several nodes share a store, each time makes one
//! run. What is missed while no program runs is not made up for. [`Builder::run_schedules`] turns it off.
//!
//! # Testing a process
//!
//! [`testing::TestRun`] executes a process in a unit test, without server, store and browser, and gives all
//! it reported. It can also cancel or kill it at any step:
//!
//! ```
//! use process_runtime::prelude::*;
//! use process_runtime::testing::TestRun;
//! use serde_json::json;
//!
//! #[process(title = "Counting down")]
//! async fn count_down(#[field(default = 10)] from: u64) {
//!     for step in 1..=from {
//!         set_progress_of(step, from);
//!     }
//! }
//!
//! # async fn test() -> Result<(), process_runtime::testing::TestError> {
//! // In a function with #[tokio::test]:
//! let run = TestRun::of::<CountDown>().input(json!({ "from": 2 })).execute().await?;
//! assert_eq!(run.percents, [Some(50.0), Some(100.0)]);
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
//! ```
//!
//! # The house
//!
//! A module imports only what stands below it: `web` and `testing`, `processes`, `runner`, `feeds`, `log_reader` and
//! `measured`,
//! `feed`, `layer` and `steps`, `registry` and `context`, `wire`, `store`, `access` and `schema`, `process`, `cursor`,
//! `parameter`, `uploads`, `field`, `progress`, `artifact` and `assets`, `branding`, `layout`, `rate`, `redirect` and
//! `viewers`, `meters`, and at the bottom `limits`, `run`, `number`, `schedule`, `text` and `texts`.

// What only the embedded store or the server of our own uses is here without them too.
#![cfg_attr(not(all(feature = "sqlite", feature = "serve")), allow(dead_code))]

// Top to bottom: a module imports only from lines below its own. A test holds us to it.
pub mod testing;
mod web;

mod processes;

mod runner;

mod feeds;
mod log_reader;
#[cfg(feature = "metrics")]
mod measured;

mod feed;

#[cfg(feature = "tracing-layer")]
mod layer;
mod steps;

mod context;
mod registry;

mod wire;

pub mod store;

mod access;
mod schema;

mod process;

mod cursor;

mod parameter;

mod uploads;

mod field;

mod progress;

mod artifact;
mod assets;

mod branding;
mod layout;
mod rate;
mod redirect;
mod viewers;

mod meters;

mod limits;
mod measure;
mod number;
mod run;
mod schedule;
mod text;
mod texts;
mod throttle;

pub use access::{AccessRequest, Action, Actor, Denied};
pub use branding::Branding;
pub use context::{
    artifact, end_process, item_failed, log, orphaned_calls, process_start, set_progress, set_progress_of,
    set_progress_text, set_title, shutting_down, spawn, spawn_blocking, stage, stage_of, tally, tally_of,
    warn,
};
pub use cursor::Cursor;
#[cfg(feature = "email")]
pub use field::Email;
pub use field::{
    Choice, ChoiceOptions, CivilKind, CivilOptions, Field, FieldError, FieldErrors, FieldInfo, FieldMeta,
    FieldOptions, ListOptions, NumberOptions, PlainOptions, Secret, SecretOptions, Shape, TextFormat,
    TextOptions, TextRules, Upload, UploadOptions,
};
#[cfg(feature = "tracing-layer")]
pub use layer::{RunLayer, layer};
pub use layout::{Page, PageKind};
pub use limits::Limits;
pub use number::{Count, Percent};
pub use parameter::{Invocation, NoOptions, Parameter, ParameterInfo, State, States};
pub use process::{BoxFuture, Controller, Input, IntoOutcome, Location, Policy, Process};
pub use process_runtime_macros::{Field, process};
pub use processes::{
    BuildError, Builder, ControlError, Processes, Refusal, RunEvent, RunEvents, RunHandle, Start, StartError,
};
pub use progress::Progress;
pub use redirect::local_redirect;
pub use registry::{Conflict, MissingState, Registry, RegistryError};
pub use run::{
    Counts, FailedItem, InvalidRunId, Level, LogLine, Outcome, PastStage, ProgressState, Run, RunFile, RunId,
    RunStatus, SavedCursor, SavedFacts, SavedList, Stage, UnknownLevel, UnknownStatus,
};
pub use steps::{Checkpoint, ProgressIterator, ProgressStream, ResumeFrom, WithProgress};
#[cfg(feature = "serve")]
pub use web::{ServeError, serve, serve_on, serve_until, serve_with};
pub use web::{builder, router};

/// What a file with processes needs.
///
/// The helpers are not here: `#[process]` puts them in scope in the body.
pub mod prelude {
    pub use crate::{Controller, Cursor, Field, Progress, Secret, State, Upload, process};
    pub use crate::{ProgressIterator as _, ProgressStream as _};
}

/// What the expansion of `#[process]` uses. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use axum::extract::{Request, State as HandlerState};
    pub use axum::response::Response;
    pub use inventory;
    pub use serde_json::{Map, Value};

    pub use crate::field::{FromText, Group, Part, choices, marker, not_offered};
    pub use crate::parameter::Injected;
    pub use crate::process::{Ending, Registration, validate};
    pub use crate::processes::start;
    pub use crate::run::Books;
    pub use crate::web::{handle_start, show_progress};
    pub use crate::{
        BoxFuture, Controller, Field, FieldErrors, FieldInfo, Input, IntoOutcome, Invocation, Location,
        Parameter, ParameterInfo, Policy, Process, Processes, Start,
    };

    /// In scope in every process's body.
    pub mod helpers {
        pub use crate::{
            artifact, end_process, item_failed, log, process_start, set_progress, set_progress_of,
            set_progress_text, set_title, shutting_down, stage, stage_of, tally, tally_of, warn,
        };
    }
}
