//! With a full disk, starts are refused and pages stay live; everything recovers when there is space again.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use super::{Killable, PROGRAM};

/// A server that may not make any file larger than this many blocks of 512 bytes.
fn with_limit(folder: &Path, blocks: u32) -> Killable {
    let mut command = Command::new("sh");
    // Without the signal a write beyond the limit fails, as on a full disk. Only the soft limit: it is to be
    // raised again.
    let script = format!("trap '' XFSZ; ulimit -S -f {blocks} && exec \"$0\" \"$@\"");
    command.args(["-c", &script, PROGRAM]).arg(folder);
    Killable::from(&mut command).unwrap()
}

impl Killable {
    /// The status of an attempt to start a short run, and its id.
    async fn attempt(&self) -> (u16, Option<String>) {
        let request = self.client.post(format!("{}/count/start", self.url));
        let body = json!({ "total": 2, "pause": 0 }).to_string();
        let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
        let status = response.status().as_u16();
        let run: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        (status, run["id"].as_str().map(str::to_owned))
    }

    async fn is_live(&self, run: &str) {
        for path in ["/", "/count/show_progress", &format!("/runs/{run}"), &format!("/runs/{run}/log")] {
            let response = self.get(path).await;
            assert_eq!(response.status(), 200, "{path}");
        }
    }

    /// Removes the limit; returns false if this machine has no tool for it.
    fn free(&self) -> bool {
        self.limit_files("unlimited")
    }

    /// Limits the size of files.
    fn limit_files(&self, bytes: &str) -> bool {
        let pid = self.child.id().to_string();
        let limit = format!("--fsize={bytes}:");
        Command::new("prlimit").args(["--pid", &pid, &limit]).status().is_ok_and(|done| done.success())
    }
}

#[tokio::test]
async fn full_disk_refuses_starts_then_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_limit(folder.path(), 3_000);
    // When one start is refused, a smaller one may still fit, so ten in a row must be refused.
    let (mut started, mut refused) = (Vec::new(), 0);
    while refused < 10 {
        let (status, id) = server.attempt().await;
        match id {
            Some(id) => {
                refused = 0;
                started.push(id);
            }
            None => {
                assert_eq!(status, 503);
                refused += 1;
                server.is_live(&started[0]).await;
            }
        }
        assert!(started.len() < 2_000, "the limit does not hold");
    }
    if !server.free() {
        println!("left out: there is no prlimit here to take the limit away with");
        return server.kill();
    }
    let (status, id) = server.attempt().await;
    assert_eq!(status, 201, "it goes on without a restart");
    // Nothing that was acknowledged is lost, and what could not be stored before is stored now.
    for id in started.iter().chain(&id) {
        assert_eq!(server.ended(id).await["status"], "succeeded");
    }
    server.is_live(&started[0]).await;
    server.kill();
}

#[tokio::test]
async fn runs_ending_on_full_disk_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let lease = Duration::from_millis(700);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", PROGRAM]).arg(folder.path());
    command.env("PROCESS_TEST_LEASE_MS", lease.as_millis().to_string());
    let server = Killable::from(&mut command).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (mut ids, mut words) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let input = json!({ "steps": 1, "address": address });
        ids.push(server.start_run("waits-for-a-word", input).await.unwrap());
        words.push(listener.accept().await.unwrap().0);
    }
    if !server.limit_files("1") {
        println!("left out: there is no prlimit here to limit the files with");
        return server.kill();
    }
    // All of them do their work while nothing can be stored, and for many leases nothing can be.
    for word in &mut words {
        word.write_u8(1).await.unwrap();
    }
    let full = tokio::time::Instant::now() + lease * 5;
    while tokio::time::Instant::now() < full {
        server.is_live(&ids[0]).await;
        assert_eq!(server.attempt().await.0, 503);
    }
    assert!(server.free());
    for id in &ids {
        let run = server.ended(id).await;
        assert_eq!((&run["status"], &run["attempt"]), (&json!("succeeded"), &json!(1)), "{run}");
    }
    server.kill();
}
