//! What is promised when the program is killed: nothing that was acknowledged is lost.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use process_tests::server::json;
use process_tests::{Event, Events};
use serde_json::{Value, json};

mod uploads;

/// A server in a process of its own.
struct Killable {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Killable {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash-child"));
        let mut child = command.arg(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().trim_end_matches('/').to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self { child, url, client: reqwest::Client::new() }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// The id of a run, if its start was acknowledged.
    async fn start_run(&self, route: &str, input: Value) -> Option<String> {
        let request = self.client.post(format!("{}/{route}/start", self.url));
        let request = request.header("content-type", "application/json").body(input.to_string());
        let response = request.send().await.ok()?;
        let run: Value = serde_json::from_str(&response.text().await.ok()?).ok()?;
        run["id"].as_str().map(str::to_owned)
    }

    async fn ended(&self, id: &str) -> Value {
        let events = Events::of(self.get(&format!("/runs/{id}/events")).await).all();
        // Shorter than a lease: a restart does not wait for those of the program that was killed.
        let events = tokio::time::timeout(Duration::from_secs(20), events).await.unwrap();
        assert_eq!(events.last().map(|event| event.name.as_str()), Some("end"), "{events:?}");
        json(self.get(&format!("/runs/{id}")).await).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_start_that_was_answered_is_there_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..15_u64 {
        let server = Killable::start(folder.path());
        let starts = (0..8).map(|_| async {
            let mut ids = Vec::new();
            // A few each, so that the runs that are left over do not take minutes.
            for _ in 0..3 {
                ids.extend(server.start_run("count", json!({ "total": 3, "pause": 1 })).await);
            }
            ids
        });
        let pid = server.child.id().to_string();
        let kill = async {
            tokio::time::sleep(Duration::from_millis(3 + round * 37 % 80)).await;
            assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
        };
        let (ids, ()) = tokio::join!(futures_util::future::join_all(starts), kill);
        acknowledged.extend(ids.concat());
        server.kill();
    }
    println!("{} starts were acknowledged before {} kills", acknowledged.len(), 15);
    assert!(acknowledged.len() > 15, "only {} starts were acknowledged", acknowledged.len());
    let server = Killable::start(folder.path());
    for id in &acknowledged {
        let run = server.ended(id).await;
        // What had begun was interrupted; everything else has run by now.
        let status = run["status"].as_str().unwrap();
        assert!(["succeeded", "interrupted"].contains(&status), "{run}");
        assert_eq!(run["attempt"], 1, "{run}");
    }
    server.kill();
}

#[tokio::test]
async fn finished_runs_and_their_logs_are_the_same_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start(folder.path());
    let id = server.start_run("count", json!({ "total": 30, "pause": 1 })).await.unwrap();
    let file = server.start_run("writes-a-file", json!({})).await.unwrap();
    let mut before = Vec::new();
    for id in [&id, &file] {
        before.push(server.ended(id).await);
    }
    let log = server.get(&format!("/runs/{id}/log")).await.text().await.unwrap();
    assert_eq!(log.lines().count(), 30);
    server.kill();
    let server = Killable::start(folder.path());
    for run in &before {
        assert_eq!(server.ended(run["id"].as_str().unwrap()).await, *run);
    }
    assert_eq!(server.get(&format!("/runs/{id}/log")).await.text().await.unwrap(), log);
    let url = before[1]["files"][0]["url"].as_str().unwrap();
    assert_eq!(server.get(url).await.text().await.unwrap(), "what the file says");
    server.kill();
}

#[tokio::test]
async fn a_run_that_was_cut_off_is_interrupted_and_says_so_with_the_log_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start(folder.path());
    let id = server.start_run("wait", json!({})).await.unwrap();
    let mut events = Events::of(server.get(&format!("/runs/{id}/events")).await);
    let seen: Vec<Event> = events.until_logged().await;
    // Lines are stored together, a fifth of a second after the first.
    tokio::time::sleep(Duration::from_millis(600)).await;
    server.kill();
    let server = Killable::start(folder.path());
    let run = server.ended(&id).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("interrupted"), &json!(1)));
    assert_eq!(run["error"], "the program stopped before the run ended");
    let log = server.get(&format!("/runs/{id}/log")).await.text().await.unwrap();
    assert!(log.contains("waiting"), "{log}");
    // The viewer comes back with what it saw, and misses and doubles nothing.
    let last = &seen.last().unwrap().id;
    let rest = Events::of(server.get(&format!("/runs/{id}/events?last={last}")).await).all().await;
    assert_eq!(rest[0].data["log"]["lines"], json!([]));
    assert_eq!(rest.last().unwrap().data["status"], "interrupted");
    let request = server.client.get(format!("{}/runs/{id}", server.url)).header("accept", "text/html");
    assert!(request.send().await.unwrap().text().await.unwrap().contains("Interrupted"));
    server.kill();
}

#[tokio::test]
async fn queued_runs_have_their_turn_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start(folder.path());
    let running = server.start_run("count", json!({ "total": 1_000, "pause": 20 })).await.unwrap();
    let queued = server.start_run("count", json!({ "total": 2, "pause": 1 })).await.unwrap();
    let mut events = Events::of(server.get(&format!("/runs/{running}/events")).await);
    events.until_logged().await;
    server.kill();
    let server = Killable::start(folder.path());
    assert_eq!(server.ended(&queued).await["status"], "succeeded");
    assert_eq!(server.ended(&running).await["status"], "interrupted");
    server.kill();
}

#[tokio::test]
async fn sigterm_ends_streams_and_the_program_within_the_grace() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Killable::start(folder.path());
    let id = server.start_run("wait", json!({})).await.unwrap();
    let mut events = Events::of(server.get(&format!("/runs/{id}/events")).await);
    events.until_logged().await;
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let began = Instant::now();
    let rest = events.all().await;
    assert!(rest.iter().all(|event| event.name != "end"), "{rest:?}");
    let status = server.child.wait().unwrap();
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
