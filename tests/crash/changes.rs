//! A run that is killed resumes, in the same program and in another version of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

use super::Killable;

/// How often each row was done.
fn done(notes: &Path, run: &str) -> BTreeMap<u64, usize> {
    let mut counts = BTreeMap::new();
    for row in std::fs::read_to_string(notes.join(run)).unwrap_or_default().lines() {
        *counts.entry(row.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// A run over batches of 10 that is killed at its 34th or a little later, and how it ends in batches of this size.
async fn killed_and_rebatched(
    folder: &TempDir,
    keyed: bool,
    batch: &str,
) -> (Killable, String, Value, BTreeMap<u64, usize>) {
    let notes = folder.path().join("notes");
    std::fs::create_dir(&notes).unwrap();
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_BATCH", "10")]);
    let input = json!({ "folder": notes, "keyed": keyed });
    let id = server.start_run("imports-in-batches", input).await.unwrap();
    server.until(&id, |run| run["current"].as_u64() >= Some(34)).await;
    server.kill();
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_BATCH", batch)]);
    let ended = server.ended(&id).await;
    let rows = done(&notes, &id);
    (server, id, ended, rows)
}

#[tokio::test(flavor = "multi_thread")]
async fn larger_batches_after_restart_skip_nothing() {
    let folder = TempDir::new().unwrap();
    let (server, id, ended, rows) = killed_and_rebatched(&folder, false, "20").await;
    assert_eq!(ended["status"], "failed", "{ended}");
    let error = ended["error"].as_str().unwrap();
    assert!(error.contains(" of 40 items were done, and there are 20 items now"), "{error}");
    assert!(!rows.contains_key(&400), "it is at an end it has not reached");
    // The cursor is kept, and Retry still works: the same list resumes.
    server.kill();
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_BATCH", "10")]);
    let again = server.ask(&id, "retry").await;
    let ended = server.ended(again["id"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["current"]), (&json!("succeeded"), &json!(40)));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_detect_smaller_batches_after_restart() {
    let folder = TempDir::new().unwrap();
    let (_server, _, ended, _) = killed_and_rebatched(&folder, true, "5").await;
    assert_eq!(ended["status"], "failed", "{ended}");
    assert!(ended["error"].as_str().unwrap().contains("have other keys now"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn smaller_batches_without_keys_warn() {
    let folder = TempDir::new().unwrap();
    let (server, id, ended, rows) = killed_and_rebatched(&folder, false, "5").await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    let log = server.get(&format!("/runs/{id}/log?level=warn")).await.text().await.unwrap();
    assert!(log.contains(" of 40 items were done, and there are 80 items now"), "{log}");
    assert!((1..=400).all(|row| rows.contains_key(&row)), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn same_batches_resume_after_restart() {
    for keyed in [false, true] {
        let folder = TempDir::new().unwrap();
        let (_server, _, ended, rows) = killed_and_rebatched(&folder, keyed, "10").await;
        assert_eq!((&ended["status"], &ended["warnings"]), (&json!("succeeded"), &json!(0)), "{ended}");
        assert!((1..=400).all(|row| (1..=2).contains(&rows[&row])), "{rows:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_survive_kill_9() {
    let folder = TempDir::new().unwrap();
    let mut server = Killable::start(folder.path());
    let id = server.start_run("counts-what-it-does", json!({ "items": 60 })).await.unwrap();
    for at in [10, 25, 40] {
        server.until(&id, |run| run["current"].as_u64() >= Some(at)).await;
        // Long enough for a batch to be stored, in whose middle an item is counted and not done.
        sleep(Duration::from_millis(250)).await;
        server.kill();
        server = Killable::start(folder.path());
    }
    let ended = server.ended(&id).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(4)), "{ended}");
    assert_eq!(ended["counts"], json!({ "touched": 60, "done": 40, "failed": 20 }));
    let failed: Vec<_> =
        ended["failed_items"].as_array().unwrap().iter().map(|item| item["item"].clone()).collect();
    assert_eq!(failed, (1..=20).map(|n| json!((n * 3).to_string())).collect::<Vec<_>>());
    let stages: Vec<_> = ended["stages"].as_array().unwrap().iter().map(|stage| &stage["name"]).collect();
    assert_eq!((stages, &ended["stage"]["name"]), (vec![&json!("Doing")], &json!("Over")));
    // The log is not rolled back: an item that failed before and after the kill has two lines, and each is counted.
    let log = server.get(&format!("/runs/{id}/log?level=error")).await.text().await.unwrap();
    assert_eq!(ended["warnings"], log.lines().count());
    assert!(log.lines().count() >= 20, "{log}");
}
