//! Runs that take their program with them: by a call, or by a panic where panics abort.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Killable, PROGRAM, json as json_of};

const SIGABRT: i32 = 6;
const PANICS_ABORT: [(&str, &str); 1] = [("PROCESS_TEST_PANICS_ABORT", "1")];

/// Restarts the program until these runs have ended, and counts its crashes.
async fn until_ended(folder: &Path, settings: &[(&str, &str)], ids: &[&str]) -> (Killable, usize) {
    for crashes in 0..10 {
        // It may crash before it prints its address.
        let Ok(mut server) = Killable::try_start(folder, settings) else { continue };
        if lives_on(&mut server, ids).await {
            return (server, crashes);
        }
    }
    panic!("a crash loop");
}

/// Waits until these runs have ended, or the program has: true for the runs.
async fn lives_on(server: &mut Killable, ids: &[&str]) -> bool {
    let began = Instant::now();
    'again: loop {
        assert!(began.elapsed() < Duration::from_secs(20), "neither the runs nor the program end");
        if let Some(status) = server.child.try_wait().unwrap() {
            assert_eq!(status.signal(), Some(SIGABRT), "{status}");
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        for id in ids {
            let Ok(answer) = server.client.get(format!("{}/runs/{id}", server.url)).send().await else {
                continue 'again;
            };
            let Ok(text) = answer.text().await else { continue 'again };
            let run: Value = serde_json::from_str(&text).unwrap();
            if run["finished_at"].is_null() {
                continue 'again;
            }
        }
        return true;
    }
}

fn noted(notes: &TempDir, id: &str) -> String {
    std::fs::read_to_string(notes.path().join(id)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_crashes_in_a_row_fail() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start(folder.path());
    // Before anything is saved, so that it looks like a run that never makes progress.
    let input = json!({ "folder": notes.path(), "breaks_at": 1, "panics": false });
    // The response to its start may be lost in the crash.
    let key = "one";
    let request =
        server.client.post(format!("{}/breaks-off/start", server.url)).header("idempotency-key", key);
    let sent = request.header("content-type", "application/json").body(input.to_string()).send().await;
    assert_eq!(server.exit().await.signal(), Some(SIGABRT));
    drop(sent);
    let id =
        std::fs::read_dir(notes.path()).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    let (server, crashes) = until_ended(folder.path(), &[], &[&id]).await;
    // The first is the one above.
    assert_eq!(1 + crashes, 3);
    let run = server.ended(&id).await;
    assert_eq!(run["status"], "failed", "{run}");
    let error = "The server stopped responding 3 times in a row while this was running, so it is not retried \
                 automatically. If something else stopped the server, retry it yourself.";
    assert_eq!(run["error"], error);
    assert_eq!(noted(&notes, &id), "1\n1\n1\n");
    // The program is there for others.
    let next = server.start_run("count", json!({ "total": 2, "pause": 1 })).await.unwrap();
    assert_eq!(server.ended(&next).await["status"], "succeeded");
    // And a person may have it tried again, from where it was.
    std::fs::write(notes.path().join("repaired"), "").unwrap();
    let again = server.ask(&id, "retry").await;
    let again = server.ended(again["id"].as_str().unwrap()).await;
    assert_eq!(again["status"], "succeeded", "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn crashing_run_spares_other_runs() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start(folder.path());
    // None of its items is done by the time that the other one has ended the program again.
    let slow = json!({ "folder": notes.path(), "items": 5, "pause": 1_500 });
    let mut others = Vec::new();
    for _ in 0..2 {
        others.push(server.start_run("tally", slow.clone()).await.unwrap());
    }
    for other in &others {
        server.until(other, |run| run["status"] == "running").await;
    }
    let input = json!({ "folder": notes.path(), "breaks_at": 1, "panics": false });
    drop(server.start_run("breaks-off", input).await);
    assert_eq!(server.exit().await.signal(), Some(SIGABRT));
    let is_culprit = |name: &String| !others.contains(name);
    let names = std::fs::read_dir(notes.path()).unwrap();
    let culprit =
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).find(is_culprit).unwrap();
    let (server, _) = until_ended(folder.path(), &[], &[&culprit]).await;
    assert_eq!(server.ended(&culprit).await["status"], "failed");
    for other in &others {
        let run = server.ended(other).await;
        assert_eq!((&run["status"], &run["result"]), (&json!("succeeded"), &json!(5)), "{run}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_consecutive_crashes_without_progress_count() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start(folder.path());
    let input = json!({ "folder": notes.path(), "items": 800, "pause": 10 });
    let id = server.start_run("tally", input).await.unwrap();
    for _ in 0..4 {
        let at = |run: &Value| run["current"].as_u64().unwrap_or(0);
        let before = at(&server.until(&id, |run| run["status"] != "queued").await);
        server.until(&id, |run| at(run) > before + 4).await;
        // Saves are stored together, a fifth of a second after the first.
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.kill();
        server = Killable::start(folder.path());
    }
    let run = server.ended(&id).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(5)), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_runs_survive_panic_abort() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mut server = Killable::start_with(folder.path(), &PANICS_ABORT);
    let tally = json!({ "folder": notes.path(), "items": 60, "pause": 20 });
    let tally = server.start_run("tally", tally).await.unwrap();
    server.until(&tally, |run| run["current"].as_u64() > Some(2)).await;
    let waits = server.start_run("wait", json!({})).await.unwrap();
    server.until(&waits, |run| run["status"] == "running").await;
    // The response may be lost in the crash; that the start was stored shows later.
    drop(server.start_run("panics", json!({})).await);
    assert_eq!(server.exit().await.signal(), Some(SIGABRT));
    let server = Killable::start_with(folder.path(), &PANICS_ABORT);
    let listed = json_of(server.get("/runs?process=panics").await).await;
    let panicked = server.ended(listed["runs"][0]["id"].as_str().unwrap()).await;
    for run in [panicked, server.ended(&waits).await] {
        assert_eq!((&run["status"], &run["attempt"]), (&json!("interrupted"), &json!(1)), "{run}");
        assert_eq!(run["error"], "The server stopped responding while this was running.");
    }
    let run = server.ended(&tally).await;
    assert_eq!(
        (&run["status"], &run["result"], &run["attempt"]),
        (&json!("succeeded"), &json!(60), &json!(2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_abort_retries_run_with_cursor() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // While panics are caught it fails at once, and only itself.
    let server = Killable::start(folder.path());
    let input = json!({ "folder": notes.path(), "items": 5, "breaks_at": 3, "panics": true });
    let caught = server.start_run("breaks-off", input.clone()).await.unwrap();
    let run = server.ended(&caught).await;
    assert_eq!((&run["status"], &run["error"]), (&json!("failed"), &json!("the process panicked")));
    let cut_off = server.start_run("count", json!({ "total": 1_000, "pause": 20 })).await.unwrap();
    let other = server.start_run("count", json!({ "total": 3, "pause": 1 })).await.unwrap();
    server.until(&cut_off, |run| run["status"] == "running").await;
    server.kill();
    let mut server = Killable::start_with(folder.path(), &PANICS_ABORT);
    let retry = format!("{}/runs/{caught}/retry?from=start", server.url);
    drop(server.client.post(retry).send().await);
    assert_eq!(server.exit().await.signal(), Some(SIGABRT));
    let ids: Vec<String> = std::fs::read_dir(notes.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|id| *id != caught)
        .collect();
    let [again] = ids.as_slice() else { panic!("{ids:?}") };
    let (server, crashes) = until_ended(folder.path(), &PANICS_ABORT, &[again, &other]).await;
    assert_eq!(1 + crashes, 3);
    let run = server.ended(again).await;
    assert_eq!(run["status"], "failed", "{run}");
    // What was stored before the crash is not repeated.
    assert_eq!(noted(&notes, again), "1\n2\n3\n3\n3\n");
    // Without a cursor the other had one chance, and may have been in the middle of it.
    let run = server.ended(&other).await;
    assert!(run["attempt"] == 1 && run["status"] != "failed", "{run}");
    assert_eq!(server.ended(&cut_off).await["status"], "interrupted");
}

/// The program as it is when it is built with `panic = "abort"`.
static ABORTING: LazyLock<PathBuf> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cargo = Command::new(env!("CARGO"));
    // All of the workspace, so that the dependencies are those that the tests have, and are compiled already.
    cargo.current_dir(here).args(["build", "--quiet", "--locked", "--workspace"]);
    cargo.args(["--features", "process-tests/aborting", "--example", "crash-child-aborting", "--target-dir"]);
    cargo.arg(Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap());
    let cargo = cargo.env("RUSTC_WORKSPACE_WRAPPER", here.join("crash/aborting-rustc"));
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Path::new(PROGRAM).with_file_name("examples").join("crash-child-aborting")
});

#[tokio::test(flavor = "multi_thread")]
async fn panic_abort_build_runs_as_usual() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let start = || Killable::from(Command::new(&*ABORTING).arg(folder.path())).unwrap();
    let mut server = start();
    let tally = json!({ "folder": notes.path(), "items": 40, "pause": 20 });
    let tally = server.start_run("tally", tally).await.unwrap();
    server.until(&tally, |run| run["current"].as_u64() > Some(2)).await;
    server.ask(&tally, "pause").await;
    let run = server.until(&tally, |run| run["status"] == "paused").await;
    assert_eq!(noted(&notes, &tally).lines().count() as u64, run["current"].as_u64().unwrap());
    server.ask(&tally, "resume").await;
    let waits = server.start_run("wait", json!({})).await.unwrap();
    server.until(&waits, |run| run["status"] == "running").await;
    server.ask(&waits, "cancel").await;
    assert_eq!(server.ended(&waits).await["status"], "cancelled");
    // A loop without an await ignores a cancel, but a force cancel ends it.
    let spins = server.start_run("spin", json!({})).await.unwrap();
    server.until(&spins, |run| run["status"] == "running").await;
    server.ask(&spins, "cancel").await;
    server.ask(&spins, "cancel?force=yes").await;
    assert_eq!(server.ended(&spins).await["status"], "cancelled");
    let ends = server.start_run("ends-early", json!({})).await.unwrap();
    let run = server.ended(&ends).await;
    assert_eq!((&run["status"], &run["result"]["message"]), (&json!("succeeded"), &json!("enough")), "{run}");
    let run = server.ended(&tally).await;
    assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(2)), "{run}");
    assert_eq!(noted(&notes, &tally).lines().count(), 40);
    drop(server.start_run("panics", json!({})).await);
    assert_eq!(server.exit().await.signal(), Some(SIGABRT));
    let server = start();
    let listed = json_of(server.get("/runs?process=panics").await).await;
    let panicked = server.ended(listed["runs"][0]["id"].as_str().unwrap()).await;
    assert_eq!((&panicked["status"], &panicked["attempt"]), (&json!("interrupted"), &json!(1)), "{panicked}");
}
