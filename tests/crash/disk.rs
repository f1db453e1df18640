//! What is promised when the disk is full: nothing is started any more, pages stay live, and all goes on by itself
//! as soon as there is room.

use serde_json::json;
use std::path::Path;
use std::process::Command;

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

    /// Takes the limit away; false where this machine has nothing to do that with.
    fn free(&self) -> bool {
        let pid = self.child.id().to_string();
        Command::new("prlimit")
            .args(["--pid", &pid, "--fsize=unlimited:"])
            .status()
            .is_ok_and(|done| done.success())
    }
}

#[tokio::test]
async fn on_a_full_disk_starts_are_refused_pages_stay_live_and_all_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_limit(folder.path(), 3_000);
    // Once there is no room for one, a shorter one may still fit in: until ten in a row were refused.
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
