//! Control of runs: pause, resume, cancel, retry, and refusals with reasons.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use process_tests::Server;
use process_tests::server::json;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How often each item of a run was done.
pub(crate) fn done(folder: &Path, run: &str) -> BTreeMap<u64, usize> {
    let text = std::fs::read_to_string(folder.join(run.trim_start_matches("/runs/"))).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for item in text.lines() {
        *counts.entry(item.parse().unwrap()).or_default() += 1;
    }
    counts
}

pub(crate) fn each_once(items: u64) -> BTreeMap<u64, usize> {
    (1..=items).map(|item| (item, 1)).collect()
}

pub(crate) async fn ask(server: &Server, run: &str, what: &str) -> (u16, Value) {
    let response = server.post(&format!("{run}/{what}")).send().await.unwrap();
    (response.status().as_u16(), json(response).await)
}

pub(crate) async fn until_current(server: &Server, run: &str, at_least: u64) {
    for _ in 0..500 {
        let found = json(server.get(run).send().await.unwrap()).await;
        if found["current"].as_u64() >= Some(at_least) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{run} did not come to {at_least} within 5 seconds");
}

pub(crate) fn tally(folder: &TempDir, items: u64, fails_at: u64) -> Value {
    json!({ "folder": folder.path(), "items": items, "pause": 10, "fails_at": fails_at })
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_run_resumes_without_repeating() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 40, 0)).await;
    until_current(&server, &run, 5).await;
    let (status, asked) = ask(&server, &run, "pause").await;
    assert_eq!((status, &asked["pausing"], &asked["status"]), (200, &json!(true), &json!("running")));
    let paused = server.until_status(&run, "paused").await;
    assert_eq!(paused["pausing"], false);
    let at = paused["current"].as_u64().unwrap();
    assert!((5..40).contains(&at), "{paused}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(done(notes.path(), &run), each_once(at));
    assert_eq!(json(server.get(&run).send().await.unwrap()).await["elapsed_ms"], paused["elapsed_ms"]);
    let (status, _) = ask(&server, &run, "resume").await;
    assert_eq!(status, 200);
    let ended = server.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["result"], &ended["attempt"]),
        (&json!("succeeded"), &json!(40), &json!(2))
    );
    assert_eq!(done(notes.path(), &run), each_once(40));
    let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    let items: Vec<_> = log.lines().filter_map(|line| line.split(" item ").nth(1)).collect();
    assert_eq!(items, (1..=40).map(|item| item.to_string()).collect::<Vec<_>>());
    assert!(!log.contains("omitted"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn viewer_stream_survives_pause_and_resume() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 30, 0)).await;
    let events = server.events(&run).await;
    until_current(&server, &run, 3).await;
    ask(&server, &run, "pause").await;
    server.until_status(&run, "paused").await;
    ask(&server, &run, "resume").await;
    let events = events.all().await;
    let statuses: Vec<_> = events.iter().filter_map(|event| event.data["status"].as_str()).collect();
    let mut changes = statuses.clone();
    changes.dedup();
    let seen = ["running", "paused", "running", "succeeded"];
    let mut left = changes.iter();
    assert!(seen.iter().all(|status| left.any(|change| change == status)), "{changes:?}");
    let pausing = events.iter().any(|event| event.data["pausing"] == true);
    assert!(pausing, "nobody was told that it was asked to pause");
    let seqs =
        events.iter().filter(|event| event.name == "log").map(|event| event.data["seq"].as_u64().unwrap());
    let seqs: Vec<_> = seqs.collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seqs:?}");
    assert_eq!(events.last().unwrap().name, "end");
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_run_frees_slot_survives_restart() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 30, 0)).await;
    until_current(&server, &run, 3).await;
    ask(&server, &run, "pause").await;
    server.until_status(&run, "paused").await;
    assert_eq!(server.processes.running(), 0);
    let Server { processes, folder, .. } = server;
    processes.drain(Duration::from_secs(1)).await;
    let store = processes.store().clone();
    drop(processes);
    // The same store as a new program would open it.
    let server = Server::built(folder, "", |builder| builder.store(store)).await;
    assert_eq!(server.until_status(&run, "paused").await["attempt"], 1);
    ask(&server, &run, "resume").await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    assert_eq!(done(notes.path(), &run), each_once(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_run_can_be_paused() {
    let server = Server::start().await;
    let first = server.run("wait", json!({})).await;
    server.until_status(&first, "running").await;
    let second = server.run("wait", json!({})).await;
    assert_eq!(ask(&server, &second, "pause").await.1["status"], "paused");
    ask(&server, &first, "cancel").await;
    server.ended(&first).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    server.until_status(&second, "paused").await;
    assert_eq!(ask(&server, &second, "resume").await.1["status"], "queued");
    server.until_status(&second, "running").await;
    ask(&server, &second, "cancel").await;
    assert_eq!(server.ended(&second).await["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_withdraws_pending_pause() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", json!({ "folder": notes.path(), "items": 3, "pause": 400 })).await;
    server.until_status(&run, "running").await;
    assert_eq!(ask(&server, &run, "pause").await.1["pausing"], true);
    assert_eq!(ask(&server, &run, "resume").await.1["pausing"], false);
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_control_is_refused() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let waiting = server.run("wait", json!({})).await;
    server.until_status(&waiting, "running").await;
    let (status, problem) = ask(&server, &waiting, "pause").await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("no cursor"), "{problem}");
    let (status, problem) = ask(&server, &waiting, "retry").await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("has not ended"), "{problem}");
    assert_eq!(ask(&server, &waiting, "resume").await.0, 409);
    let good = server.run("tally", tally(&notes, 1, 0)).await;
    server.ended(&good).await;
    for (what, why) in
        [("pause", "has already ended"), ("resume", "has already ended"), ("retry", "the run succeeded")]
    {
        let (status, problem) = ask(&server, &good, what).await;
        assert_eq!(status, 409, "{what}");
        assert!(problem["detail"].as_str().unwrap().contains(why), "{problem}");
    }
    // A repeated or late cancel is not an error.
    assert_eq!(ask(&server, &good, "cancel").await.1["status"], "succeeded");
    for what in ["cancel", "pause", "resume", "retry"] {
        let unknown = format!("/runs/{}", process_runtime::RunId::new());
        assert_eq!(ask(&server, &unknown, what).await.0, 404, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_run_can_be_cancelled() {
    let (server, notes) = (Server::start().await, TempDir::new().unwrap());
    let run = server.run("tally", tally(&notes, 30, 0)).await;
    until_current(&server, &run, 2).await;
    ask(&server, &run, "pause").await;
    server.until_status(&run, "paused").await;
    assert_eq!(ask(&server, &run, "cancel").await.1["status"], "cancelled");
    assert_eq!(server.ended(&run).await["status"], "cancelled");
}
