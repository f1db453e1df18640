//! Runs during and after a shutdown.

use std::time::{Duration, Instant};

use process_runtime::Processes;
use process_tests::Server;
use serde_json::json;
use tempfile::TempDir;

use crate::control::{done, each_once, tally, until_current};

/// The next program after a shutdown.
async fn next(server: Server, grace: Duration) -> Server {
    let Server { processes, folder, .. } = server;
    processes.drain(grace).await;
    assert_eq!(Processes::running(&processes), 0);
    let store = processes.store().clone();
    drop(processes);
    Server::built(folder, "", |builder| builder.store(store)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_run_saves_cursor_and_resumes() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 40, 0)).await;
    until_current(&server, &run, 5).await;
    let began = Instant::now();
    let server = next(server, Duration::from_secs(10)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "it did not stop at a save: {:?}", began.elapsed());
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(done(notes.path(), &run), each_once(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_process_ends_in_time() {
    let server = Server::start().await;
    let run = server.run("minds-the-end", json!({})).await;
    server.until_status(&run, "running").await;
    let server = next(server, Duration::from_secs(10)).await;
    assert_eq!(server.ended(&run).await["result"], "ended in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_timeout_interrupts_the_run() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let spins = server.run("spin", json!({})).await;
    let deaf = server.run("deaf", json!({ "milliseconds": 3_000 })).await;
    for run in [&run, &spins, &deaf] {
        server.until_status(run, "running").await;
    }
    let queued = server.run("wait", json!({})).await;
    let server = next(server, Duration::from_millis(300)).await;
    for run in [&run, &spins, &deaf] {
        let ended = server.ended(run).await;
        assert_eq!(ended["status"], "interrupted", "{ended}");
        assert_eq!(ended["error"], "The server stopped while this was running.");
    }
    // A queued run starts.
    server.until_status(&queued, "running").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_node_claims_nothing() {
    let server = Server::start().await;
    server.processes.shut_down();
    let run = server.run("says-nothing", json!({})).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.until_status(&run, "queued").await;
    let server = next(server, Duration::from_secs(1)).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
}
