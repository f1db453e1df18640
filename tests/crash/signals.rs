//! Signals: a first and a second request to stop, a frozen program, and a second program on the same folder.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use process_tests::Events;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{Killable, PROGRAM};

/// How often each item of a run was done.
fn done(notes: &TempDir, run: &str) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for item in std::fs::read_to_string(notes.path().join(run)).unwrap_or_default().lines() {
        *counts.entry(item.parse().unwrap()).or_default() += 1;
    }
    counts
}

fn each_once(items: u64) -> BTreeMap<u64, usize> {
    (1..=items).map(|item| (item, 1)).collect()
}

impl Killable {
    /// Starts a run and waits until its body has reported something.
    async fn runs(&self, route: &str, input: Value) -> String {
        let id = self.start_run(route, input).await.unwrap();
        Events::of(self.get(&format!("/runs/{id}/events")).await).until_logged().await;
        id
    }

    /// The events of a stream until it ends.
    async fn stream(&self, id: &str) -> tokio::task::JoinHandle<String> {
        let stream = self.get(&format!("/runs/{id}/events")).await;
        tokio::spawn(async move { stream.text().await.unwrap() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_drains_within_timeout_then_resumes() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start(folder.path());
    let tally = json!({ "folder": notes.path(), "items": 60, "pause": 20 });
    let tally = server.runs("tally", tally).await;
    let waits = server.runs("wait", json!({})).await;
    let queued = server.start_run("wait", json!({})).await.unwrap();
    let deaf = server.start_run("deaf", json!({ "milliseconds": 60_000 })).await.unwrap();
    server.until(&deaf, |run| run["status"] == "running").await;
    let mut streams = Vec::new();
    for run in [&tally, &waits, &queued, &deaf] {
        streams.push(server.stream(run).await);
    }
    server.signal("TERM");
    let began = Instant::now();
    for stream in streams {
        let said = stream.await.unwrap();
        // The first is for all reconnects; the last is later by chance, so that not all come at once.
        let retries: Vec<u64> =
            said.lines().filter_map(|line| line.strip_prefix("retry: ")?.parse().ok()).collect();
        assert!(retries.len() == 2 && (1_000..5_000).contains(&retries[1]), "{said}");
        assert!(said.trim_end().ends_with(&format!("retry: {}", retries[1])), "{said}");
    }
    assert!(began.elapsed() < Duration::from_secs(1), "streams were held open: {:?}", began.elapsed());
    let status = server.exit().await;
    let took = began.elapsed();
    assert!(status.success(), "{status}");
    // The shutdown timeout, plus a moment for the body that does not stop.
    assert!(took >= Duration::from_secs(2) && took < Duration::from_millis(4_500), "{took:?}");
    let before = done(&notes, &tally).len() as u64;
    assert!(before < 60 && done(&notes, &tally) == each_once(before), "it did not stop at a save");

    let server = Killable::start(folder.path());
    let run = server.ended(&tally).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(2)), "{run}");
    assert_eq!(done(&notes, &tally), each_once(60));
    for id in [&waits, &deaf] {
        let run = server.ended(id).await;
        assert_eq!(run["status"], "interrupted", "{run}");
        assert_eq!(run["error"], "The server stopped while this was running.");
    }
    server.until(&queued, |run| run["status"] == "running").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_sigterm_exits_immediately() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start(folder.path());
    // It has just begun an item when the signal arrives, so it has no save to stop at.
    let tally = json!({ "folder": notes.path(), "items": 2, "pause": 1_500 });
    let tally = server.start_run("tally", tally).await.unwrap();
    let waits = server.runs("wait", json!({})).await;
    let deaf = server.start_run("deaf", json!({ "milliseconds": 60_000 })).await.unwrap();
    server.until(&deaf, |run| run["status"] == "running").await;
    server.signal("TERM");
    sleep(Duration::from_millis(200)).await;
    assert_eq!(server.child.try_wait().unwrap(), None, "it did not wait for its runs");
    let began = Instant::now();
    server.signal("TERM");
    let status = server.exit().await;
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_millis(1_000), "{:?}", began.elapsed());

    let server = Killable::start(folder.path());
    for id in [&waits, &deaf] {
        let run = server.ended(id).await;
        assert_eq!(run["status"], "interrupted", "{run}");
        assert_eq!(run["error"], "The server stopped responding while this was running.");
    }
    let run = server.ended(&tally).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(2)), "{run}");
    assert_eq!(done(&notes, &tally), each_once(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_program_keeps_its_leases() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_LEASE_MS", "1500")]);
    let tally = json!({ "folder": notes.path(), "items": 60, "pause": 20 });
    let tally = server.runs("tally", tally).await;
    let once = server.runs("begins-once", json!({ "folder": notes.path(), "pause": 1_000 })).await;
    let queued = server.start_run("tally", json!({ "folder": notes.path(), "items": 3, "pause": 1 })).await;
    for _ in 0..2 {
        server.signal("STOP");
        sleep(Duration::from_millis(2_500)).await;
        server.signal("CONT");
        sleep(Duration::from_millis(150)).await;
    }
    for (run, items) in [(tally, 60), (queued.unwrap(), 3)] {
        let ended = server.ended(&run).await;
        assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(1)), "{ended}");
        assert_eq!(done(&notes, &run), each_once(items));
    }
    let ended = server.ended(&once).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(1)), "{ended}");
    assert_eq!(std::fs::read_to_string(notes.path().join(&once)).unwrap(), "began\nended\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn second_program_on_folder_is_refused() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = Killable::start(folder.path());
    let tally = json!({ "folder": notes.path(), "items": 40, "pause": 10 });
    let tally = server.runs("tally", tally).await;
    let second = Command::new(PROGRAM).arg(folder.path()).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(!second.status.success() && second.stdout.is_empty(), "{}", second.status);
    assert!(said.contains("another process uses this data folder: stop it, or choose another"), "{said}");
    assert!(said.contains(folder.path().to_str().unwrap()), "{said}");
    let run = server.ended(&tally).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(1)), "{run}");
    assert_eq!(done(&notes, &tally), each_once(40));
    let next = server.start_run("count", json!({ "total": 2, "pause": 1 })).await.unwrap();
    assert_eq!(server.ended(&next).await["status"], "succeeded");
}
