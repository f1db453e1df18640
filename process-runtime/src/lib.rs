//! Long-running processes that people watch: bulk imports, reports, recalculations, backups, mass e-mail.
//!
//! Annotate an async function and mount one router. Each process then has a form generated from its parameters, a
//! live progress page, a cancel button, a history that survives a crash, results and files to download.
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
//! If your program contains nothing but processes, call [`serve`] instead. To share a value with processes, such as
//! a database, pass it to the [`builder`] and take it as a [`State<T>`](State) parameter.
//!
//! # How processes are found
//!
//! The runtime finds every process that is linked into the program: in the binary, in nested modules and in
//! libraries. The linker, however, drops a library that the program never names, together with all its processes.
//! Name such a library once in the program:
//!
//! ```ignore
//! use my_jobs as _;
//! ```
//!
//! In a chain (the program uses `a`, and `a` uses `b`), the program must name `a` *and* `a` must name `b`.
//!
//! # How a process runs
//!
//! Each run has its own thread, which polls the body of the process. A tokio runtime that all runs share drives
//! timers, sockets and spawned tasks. It is separate from the runtime that serves pages. A loop without an await,
//! or a call that blocks, therefore holds up only its own run.
//!
//! The runtime stores a run before it answers the start request, and a run does not depend on any browser. When you
//! cancel a run, its body is dropped at its next await, or unwinds at its next helper call. Destructors run in both
//! cases.
//!
//! The return value does not undo what the body has done. If a result cannot be written as JSON, the runtime leaves
//! it out and logs a warning, and the run still succeeds.
//!
//! # What a stopped run leaves behind
//!
//! A run is stopped when it is cancelled, when it reaches its timeout, and when the program shuts down. Two things
//! outlive a stopped run unless your process takes care of them.
//!
//! **Locks.** In a stopped run, a helper call unwinds like a panic. If the body holds a guard of a
//! [`std::sync::Mutex`] or `RwLock` across a helper call, the unwinding poisons the lock. If that lock is in a
//! [`State`], every later run that calls `lock().unwrap()` panics until the program restarts. To avoid this, drop
//! the guard before you call a helper; or use a lock that has no poisoning, such as `parking_lot::Mutex` or
//! `tokio::sync::Mutex`; or take the value anyway, with `lock().unwrap_or_else(PoisonError::into_inner)`. The
//! operator's log names the process whose run encountered a poisoned lock. A `LazyLock` whose initializer calls a
//! helper can be poisoned in the same way, permanently.
//!
//! **Child processes.** If a process awaits a child program and the run is stopped, the body is dropped at that
//! await and the child keeps running: neither `std` nor tokio ends a child when its handle is dropped.
//! `kill_on_drop(true)` ends the child, but not the programs that the child has started, as a shell does. To reach
//! all of them, put them into a process group:
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
//! Destructors do not run when the program itself is killed, by `kill -9` or a power failure. In that case the
//! child processes keep running.
//!
//! # Processes that resume after a crash
//!
//! If a process takes a [`Cursor`] and the program stops while a run of it is active, the runtime calls the process
//! again with the last stored cursor. [`resume_from`](ProgressIterator::resume_from) skips the items that are
//! already done:
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
//! When you pause a run or shut down the program, the body ends between two items, so no item is processed twice.
//! After a crash, a few items are processed again; [`Cursor`] documents how many. Without a cursor, the runtime
//! does not call an interrupted run again, because it cannot tell how far the run had got.
//!
//! # When the program changes
//!
//! A new version of the program finds runs that an earlier version accepted: queued, paused, interrupted by a
//! crash, or waiting for a retry. The runtime checks whether their stored values fit the new version:
//!
//! - An input fits if it can be read into the current fields. You can add a field that is optional or has a
//!   default, and you can widen a type. Values of fields that no longer exist are left out, with a warning in the
//!   run's log. Bounds are checked again; `validate` is not called a second time.
//! - A cursor fits if it can be read into its type: the run [continues from it](Cursor#when-the-program-changes).
//!   A list that the run resumes fits if it is [still the same](ProgressIterator::resume_from).
//!
//! If a value does not fit, the run fails with a message that names the field, the stored value and what the field
//! now expects. The runtime keeps the cursor and offers *Retry* again once the input and the cursor fit. A paused
//! run that does not fit stays paused.
//!
//! If an update adds a cursor to a process, the runtime does not restart runs that were cut off before the update.
//! They end as interrupted, as the version that started them promised.
//!
//! # Scheduled processes
//!
//! `#[process(schedule = "0 3 * * *")]` starts a run every night at 03:00. The fields are minute, hour, day of the
//! month, month and day of the week, in UTC; with six fields, the first is the second. A scheduled run uses the
//! default of every field, and its actor is "schedule". Otherwise it behaves like a run that a person starts: if
//! the process is `exclusive` and still running, no second run starts; a run of any other process is queued until
//! there is room for it. When several nodes share a store, each scheduled time makes one run. The runtime does not
//! make up for times that it missed while no program was running. To disable schedules on a node, use
//! [`Builder::run_schedules`].
//!
//! # Testing a process
//!
//! [`testing::TestRun`] executes a process in a unit test, without a server, a store or a browser, and returns
//! everything that the process reported. It can also cancel or kill the run at any step:
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

// Code that only the embedded store or the built-in server uses is compiled without those features too.
#![cfg_attr(not(all(feature = "sqlite", feature = "serve")), allow(dead_code))]

// Top to bottom: a module imports only from lines below its own. `tests/house` checks this.
pub mod testing;
mod web;

mod processes;

mod runner;

mod feeds;
mod log_reader;
#[cfg(feature = "metrics")]
mod measured;

mod feed;

pub mod iter;
#[cfg(feature = "tracing-layer")]
mod layer;

mod context;
pub mod registry;

mod wire;

pub mod store;

mod access;
mod schema;

mod process;

mod cursor;

pub mod parameter;

mod uploads;

pub mod field;

mod progress;

mod artifact;
mod assets;

mod branding;
mod byte_source;
mod layout;
mod rate;
mod redirect;
mod viewers;

mod meters;

mod estimate;
mod terminal;

mod home;
mod limits;
mod measure;
pub mod number;
pub mod run;
mod schedule;
mod text;
mod texts;
mod throttle;

mod cause;
mod folder;
mod identity;
mod media_type;

pub use access::{AccessRequest, Action, Actor, Denied};
pub use branding::Branding;
pub use context::{
    artifact, end_process, item_failed, log, orphaned_calls, process_start, set_progress, set_progress_of,
    set_progress_text, set_title, shutting_down, spawn, spawn_blocking, stage, stage_of, tally, tally_of,
    warn,
};
pub use cursor::Cursor;
pub use field::{Field, Secret, Upload};
pub use iter::{ProgressIterator, ProgressStream};
#[cfg(feature = "tracing-layer")]
pub use layer::{RunLayer, layer};
pub use layout::{Page, PageKind};
pub use limits::Limits;
pub use parameter::State;
pub use process::{Controller, Input, IntoOutcome, Process};
pub use process_runtime_macros::{Field, process};
pub use processes::{
    BuildError, Builder, ControlError, Processes, Refusal, RunError, RunEvent, RunEvents, RunHandle, Start,
    StartError,
};
pub use progress::Progress;
pub use redirect::local_redirect;
pub use run::{Run, RunId, RunStatus};
#[cfg(feature = "serve")]
pub use web::{ServeError, serve, serve_on, serve_until, serve_with};
pub use web::{builder, router};

// The crates whose types are part of the public API, in the versions that it uses.
pub use {axum, http, jiff, tokio};

/// The imports that a file with processes needs.
///
/// The helpers are not part of it: `#[process]` brings them into scope in the body of each process.
pub mod prelude {
    pub use crate::{Controller, Cursor, Field, Progress, Secret, State, Upload, process};
    pub use crate::{ProgressIterator as _, ProgressStream as _};
}

/// Items that the expansion of `#[process]` uses. Not part of the public API.
#[doc(hidden)]
pub mod __private {
    pub use axum::extract::{Request, State as HandlerState};
    pub use axum::response::Response;
    pub use inventory;
    pub use serde_json::{Map, Value};

    pub use crate::field::{FieldErrors, FieldInfo};
    pub use crate::field::{FromText, Group, Part, choices, marker, not_offered};
    pub use crate::parameter::Injected;
    pub use crate::parameter::{Invocation, Parameter, ParameterInfo};
    pub use crate::process::{BoxFuture, Location, Policy};
    pub use crate::process::{Ending, Registration, causes, validate};
    pub use crate::processes::start;
    pub use crate::run::Bookkeeping;
    pub use crate::web::{handle_start, show_progress};
    pub use crate::{Controller, Field, Input, IntoOutcome, Process, Processes, Start};

    /// In scope in every process's body.
    pub mod helpers {
        pub use crate::{
            artifact, end_process, item_failed, log, process_start, set_progress, set_progress_of,
            set_progress_text, set_title, shutting_down, stage, stage_of, tally, tally_of, warn,
        };
    }
}
