//! Retries, automatic and on request: from where, and how many times.

use std::sync::atomic::Ordering;

use process_runtime::store::StartOptions;
use process_runtime::{Run, RunStatus, run::SavedCursor};
use process_tests::Server;
use process_tests::survivors::{Tally, TallyInput};
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::control::{ask, done, each_once, tally};

#[tokio::test(flavor = "multi_thread")]
async fn error_is_retried_as_declared() {
    let server = Server::start().await;
    let run = server.run("fails-at-first", json!({ "times": 2 })).await;
    let waiting = server.events(&run).await.all().await;
    assert!(waiting.iter().any(|event| event.data["due_at"].is_string()), "nobody saw it wait");
    let ended = server.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"], &ended["result"]),
        (&json!("succeeded"), &json!(3), &json!(2))
    );
    let log = server.get(&format!("{run}/log?level=warn")).send().await.unwrap().text().await.unwrap();
    assert!(
        log.contains("attempt 1 failed: failure 1") && log.contains("attempt 2 failed: failure 2"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn last_attempt_error_fails_run() {
    let server = Server::start().await;
    let run = server.run("fails-at-first", json!({ "times": 9 })).await;
    let ended = server.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["attempt"], &ended["error"]),
        (&json!("failed"), &json!(3), &json!("failure 3"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_is_not_retried() {
    let server = Server::start().await;
    for route in ["panics", "fails"] {
        let run = server.run(route, json!({})).await;
        assert_eq!(server.ended(&run).await["attempt"], 1, "{route}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_retry_can_be_cancelled() {
    let server = Server::start().await;
    let run = server.run("fails-at-first", json!({ "times": 9 })).await;
    for _ in 0..200 {
        if server.traces.bodies_started.load(Ordering::SeqCst) > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    ask(&server, &run, "cancel").await;
    assert_eq!(server.ended(&run).await["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_resumes_in_one_new_run() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 12, 7)).await;
    let failed = server.ended(&run).await;
    assert_eq!((&failed["status"], &failed["error"]), (&json!("failed"), &json!("item 7 is broken")));
    std::fs::write(notes.path().join("repaired"), "").unwrap();
    let (status, again) = ask(&server, &run, "retry").await;
    assert_eq!(status, 201);
    assert_eq!(again["retry_of"], failed["id"]);
    let (_, twice) = ask(&server, &run, "retry").await;
    assert_eq!(twice["id"], again["id"]);
    let new = format!("/runs/{}", again["id"].as_str().unwrap());
    assert_eq!(server.ended(&new).await["status"], "succeeded");
    assert_eq!(done(notes.path(), &run), each_once(6));
    assert_eq!(done(notes.path(), &new), (7..=12).map(|item| (item, 1)).collect());
    // The ended run is unchanged.
    assert_eq!(server.ended(&run).await, failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_from_scratch_repeats_everything() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let folder = notes.path().display().to_string();
    let input = TallyInput { folder, items: 5, pause: 1, fails_at: 3 };
    let run = Tally::start(&server.processes, input).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, RunStatus::Failed);
    std::fs::write(notes.path().join("repaired"), "").unwrap();
    let again = run.retry_from_start().await.unwrap();
    assert_eq!(again.wait().await.unwrap().status, RunStatus::Succeeded);
    assert_eq!(done(notes.path(), &again.id().to_string()), each_once(5));
    let on = run.retry().await.unwrap();
    assert_ne!(on.id(), again.id());
    assert_eq!(on.wait().await.unwrap().status, RunStatus::Succeeded);
    assert_eq!(done(notes.path(), &on.id().to_string()), (3..=5).map(|item| (item, 1)).collect());
}

/// A run as an earlier version of the program would have left it.
async fn left_behind(server: &Server, notes: &TempDir, change: impl FnOnce(&mut Run)) -> serde_json::Value {
    let mut input = Map::new();
    for (name, value) in
        [("folder", json!(notes.path())), ("items", json!(3)), ("pause", json!(1)), ("fails_at", json!(0))]
    {
        input.insert(name.into(), value);
    }
    let mut run = Run::queued("tally", "Tallying", input);
    change(&mut run);
    let id = run.id;
    server.processes.store().start(run, StartOptions::default()).await.unwrap();
    server.ended(&format!("/runs/{id}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_cursor_is_refused() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    for value in [json!("2"), json!(-2), json!({ "line": 2 })] {
        let cursor = SavedCursor::new(value);
        let ended = left_behind(&server, &notes, |run| run.bookkeeping.cursor = Some(cursor)).await;
        assert_eq!(ended["status"], "failed", "{ended}");
        assert!(ended["error"].as_str().unwrap().contains("cursor"), "{ended}");
    }
    assert_eq!(std::fs::read_dir(notes.path()).unwrap().count(), 0, "its body was called");
    // As stored by a version that kept the names of Rust types.
    let cursor = serde_json::from_value(json!({ "type": "shop::Place", "value": 2 })).unwrap();
    let ended = left_behind(&server, &notes, |run| run.bookkeeping.cursor = Some(cursor)).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
}
