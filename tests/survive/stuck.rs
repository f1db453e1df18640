//! Runs that take too long, report nothing or do not stop.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use process_tests::Server;
use serde_json::json;

use crate::control::ask;

#[tokio::test(flavor = "multi_thread")]
async fn timeout_fails_the_run() {
    let server = Server::start().await;
    let run = server.run("takes-too-long", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!(ended["status"], "failed");
    assert!(ended["error"].as_str().unwrap().starts_with("timed out after 300ms"), "{ended}");
    assert_eq!(server.traces.guards_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn force_stop_ends_stuck_body() {
    let server = Server::start().await;
    let run = server.run("deaf", json!({ "milliseconds": 4_000 })).await;
    server.until_status(&run, "running").await;
    let began = Instant::now();
    assert_eq!(ask(&server, &run, "cancel").await.1["status"], "cancelling");
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.until_status(&run, "cancelling").await;
    assert_eq!(ask(&server, &run, "cancel?force=yes").await.1["status"], "cancelled");
    let ended = server.ended(&run).await;
    assert_eq!(ended["status"], "cancelled");
    let next = server.run("deaf", json!({ "milliseconds": 1 })).await;
    assert_eq!(server.ended(&next).await["status"], "succeeded");
    assert!(began.elapsed() < Duration::from_secs(3), "it waited for the body: {:?}", began.elapsed());
    // What the body still does has no effect.
    tokio::time::sleep(Duration::from_secs(4).saturating_sub(began.elapsed())).await;
    assert_eq!(server.ended(&run).await, ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn stuck_bodies_keep_their_slots() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::built(folder, "", |builder| builder.max_running(2)).await;
    // After a force cancel the threads still exist: two of them use all slots.
    for _ in 0..2 {
        let run = server.run("deaf", json!({ "milliseconds": 5_000 })).await;
        server.until_status(&run, "running").await;
        assert_eq!(ask(&server, &run, "cancel?force=yes").await.1["status"], "cancelled");
    }
    let third = server.run("deaf", json!({ "milliseconds": 1 })).await;
    // Far longer than a run waits for a free slot.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.until_status(&third, "queued").await;
    assert_eq!(server.ended(&third).await["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_run_is_shown_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::built(folder, "", |builder| builder.stalled_after(Duration::from_millis(300))).await;
    let run = server.run("count", json!({ "total": 2, "pause": 900 })).await;
    let events = server.events(&run).await.all().await;
    let stalled: Vec<_> = events.iter().filter_map(|event| event.data["stalled"].as_bool()).collect();
    let mut changes = stalled.clone();
    changes.dedup();
    assert!(changes.starts_with(&[false, true, false]), "{changes:?}");
    assert_eq!(server.ended(&run).await["stalled"], false);
}
