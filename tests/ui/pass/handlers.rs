//! The controller's handlers fit an axum router, and its start a spawned task.
#![deny(warnings)]

use axum::Router;
use axum::routing::{get, post};
use process_runtime::prelude::*;
use process_runtime::{Processes, RunHandle, StartError};

/// Imports users.
#[process(title = "Importing users")]
async fn import_users(file: String) {
    log(file);
}

fn by_hand() -> Router<Processes> {
    Router::new()
        .route("/import", get(ImportUsers::show_progress))
        .route("/import/start", post(ImportUsers::handle_start))
}

async fn from_code(processes: Processes) -> Result<RunHandle, StartError> {
    ImportUsers::start(&processes, ImportUsersInput { file: "users.csv".into() }).await
}

fn spawnable(
    processes: Processes,
) -> impl std::future::Future<Output = Result<RunHandle, StartError>> + Send {
    from_code(processes)
}

fn main() {
    let _ = (by_hand, spawnable);
}
