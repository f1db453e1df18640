//! Child processes of a stopped run: in their own process group they end with it, as documented.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use process_runtime::prelude::*;
use process_tests::Server;
use serde_json::json;
use tempfile::TempDir;

use crate::control::ask;

/// Ends a group of processes when it is dropped. The same as in the documentation of the crate.
struct Group(u32);

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0)]).status();
    }
}

/// Has a shell start two programs, and waits for them.
#[process(title = "Commanding", timeout = "5m")]
async fn commands(folder: String, #[field(default = false)] blocking: bool) -> Result<(), std::io::Error> {
    let script = "sleep 600 & echo $! > first; sleep 600 & echo $! > second; echo > both; wait";
    if blocking {
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(folder).process_group(0);
        let mut child = command.spawn()?;
        let _group = Group(child.id());
        while child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_millis(10));
            set_progress_text("waiting");
        }
    } else {
        let mut command = tokio::process::Command::new("sh");
        command.args(["-c", script]).current_dir(folder).process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let _group = child.id().map(Group);
        child.wait().await?;
    }
    Ok(())
}

/// A process that has exited, or a zombie.
fn is_gone(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = state.rsplit_once(") ").map_or("", |(_, rest)| rest);
    state.is_empty() || state.starts_with('Z')
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "not after 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn child_process_group_ends_with_run() {
    let server = Server::start().await;
    for blocking in [false, true] {
        let folder = TempDir::new().unwrap();
        let run = server.run("commands", json!({ "folder": folder.path(), "blocking": blocking })).await;
        let read = |name: &str| std::fs::read_to_string(Path::new(folder.path()).join(name));
        until("the children are there", || read("both").is_ok()).await;
        let children = ["first", "second"].map(|name| read(name).unwrap().trim().to_owned());
        assert!(children.iter().all(|pid| !is_gone(pid)));
        ask(&server, &run, "cancel").await;
        assert_eq!(server.ended(&run).await["status"], "cancelled");
        until("the children are gone", || children.iter().all(|pid| is_gone(pid))).await;
    }
}
