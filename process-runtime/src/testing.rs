//! Unit tests of processes: executes a process without a server, a store or a browser, and records what it reports.
//!
//! # Testing a process
//!
//! ```
//! use process_runtime::RunStatus;
//! use process_runtime::prelude::*;
//! use process_runtime::testing::TestRun;
//! use serde_json::json;
//!
//! struct Catalog { products: Vec<&'static str> }
//!
//! #[process(title = "Recalculating prices")]
//! async fn recalculate_prices(
//!     catalog: State<Catalog>,
//!     #[field(default = 2.5)] percent: f64,
//! ) -> Result<usize, String> {
//!     for (index, product) in catalog.products.iter().enumerate() {
//!         set_progress_of(index + 1, catalog.products.len());
//!         set_progress_text(format!("{product}: {percent} %"));
//!     }
//!     Ok(catalog.products.len())
//! }
//!
//! # async fn test() -> Result<(), process_runtime::testing::TestError> {
//! // In a function with #[tokio::test]:
//! let run = TestRun::of::<RecalculatePrices>()
//!     .state(Catalog { products: vec!["Lamp", "Chair"] })
//!     .input(json!({ "percent": 5 }))
//!     .execute()
//!     .await?;
//! assert_eq!(run.status, RunStatus::Succeeded);
//! assert_eq!(run.percents, [Some(50.0), Some(100.0)]);
//! assert_eq!(run.texts, ["Lamp: 5 %", "Chair: 5 %"]);
//! assert_eq!(run.result, json!(2));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
//! ```
//!
//! # What is the same as in a real run
//!
//! The input passes the same checks, with the same defaults and the same error messages. The body has its own
//! thread and finds its timers, sockets and spawned tasks in a runtime separate from that of the test, so the body
//! may block or never await. Errors, panics, `end_process`, cancellation and artifacts take the same path. The
//! message of a panic is printed to standard error; [`TestedRun::error`] contains the text that viewers would read.
//!
//! # What differs
//!
//! Nothing is stored or sent, and nothing is conflated: viewers see at most 20 values per second, whereas a test
//! sees every value. A test keeps the newest 100,000 values of each kind; [`TestedRun::dropped`] counts the others.
//!
//! # Time
//!
//! The paused clock of a test (`#[tokio::test(start_paused = true)]`) does not apply to the body: sleeps of the
//! body take real time, while a `timeout` in the test elapses at once. With
//! [`on_this_runtime`](TestRun::on_this_runtime), the body uses the clock of the test, and its sleeps take no time.
//!
//! # Killing it at every step
//!
//! A program can end at any moment: by a power failure, a deployment, `kill -9`. [`TestRun::kill_at`] executes a
//! run up to a given step and no further, and the test then checks the state that the run has left:
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use process_runtime::prelude::*;
//! use process_runtime::testing::TestRun;
//!
//! #[derive(Default)]
//! struct Account { moved: Mutex<(i64, i64)> }
//!
//! #[process(title = "Moving money")]
//! async fn move_money(account: State<Account>) {
//!     for step in 1..=10 {
//!         // Both at once. With a report between the two this test would fail.
//!         *account.moved.lock().unwrap() = (-step, step);
//!         set_progress_of(step, 10);
//!     }
//! }
//!
//! # async fn test() -> Result<(), process_runtime::testing::TestError> {
//! for step in 1.. {
//!     let account = Arc::new(Account::default());
//!     let run = TestRun::of::<MoveMoney>().state_arc(account.clone()).kill_at(step).execute().await?;
//!     let (taken, given) = *account.moved.lock().unwrap();
//!     assert_eq!(taken + given, 0, "after step {step}");
//!     if !run.killed {
//!         break; // It has fewer steps: all were tried.
//!     }
//! }
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
//! ```
//!
//! # Going on after a kill at every step
//!
//! A process with a [`Cursor`](crate::Cursor) resumes after a crash. With [`TestRun::resume`], the next run resumes
//! where a killed run would: from its cursor, with everything that had been counted by then.
//!
//! ```
//! use std::sync::{Arc, Mutex};
//!
//! use process_runtime::prelude::*;
//! use process_runtime::testing::TestRun;
//!
//! #[derive(Default)]
//! struct Db { rows: Mutex<Vec<u64>> }
//!
//! #[process(title = "Importing")]
//! async fn import(db: State<Db>, cursor: Cursor<u64>) {
//!     for row in (1..=5).resume_from(&cursor).progress() {
//!         db.rows.lock().unwrap().push(row);
//!         set_progress_text(format!("Row {row}"));
//!     }
//! }
//!
//! # async fn test() -> Result<(), process_runtime::testing::TestError> {
//! for step in 1.. {
//!     let db = Arc::new(Db::default());
//!     let run = TestRun::of::<Import>().state_arc(db.clone()).kill_at(step).execute().await?;
//!     if !run.killed {
//!         break; // It has fewer steps: all were tried.
//!     }
//!     TestRun::of::<Import>().state_arc(db.clone()).resume(&run).execute().await?;
//!     let rows = db.rows.lock().unwrap();
//!     for row in 1..=5 {
//!         let times = rows.iter().filter(|imported| **imported == row).count();
//!         assert!(times == 1 || times == 2, "row {row} was imported {times} times");
//!     }
//!     assert!(rows.len() <= 6, "more than the row at hand was imported twice: {rows:?}");
//! }
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
//! ```
//!
//! In a test, every save of the cursor is stored at once, so only the current row can be repeated. For a real run,
//! see [`Cursor`](crate::Cursor).

mod error;
mod execute;
mod tested;

pub use error::TestError;
pub use execute::TestRun;
pub use tested::{TestFile, TestedRun};
