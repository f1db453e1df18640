//! The examples' server in its own process, on a free port and with a temporary folder.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use process_tests::server::json;
use process_tests::{Event, Events};
use serde_json::Value;
use tempfile::TempDir;

/// The examples' program, built if need be.
pub(crate) fn program() -> Command {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace).args(["build", "--quiet", "-p", "process-examples", "--bins"]);
        assert!(cargo.status().unwrap().success());
        let target = std::env::current_exe().unwrap();
        target.ancestors().nth(2).unwrap().join(format!("process-examples{}", std::env::consts::EXE_SUFFIX))
    });
    let mut command = Command::new(path);
    command.env("PROCESS_ADDR", "127.0.0.1:0").env("PROCESS_PACE", "0");
    command
}

pub(crate) struct Examples {
    child: Child,
    pub(crate) url: String,
    pub(crate) pages: Vec<String>,
    pub(crate) client: reqwest::Client,
    _folder: TempDir,
}

impl Drop for Examples {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Examples {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = program();
        command.env("PROCESS_DATA", folder.path().join("made/by/itself")).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut lines: Vec<_> = lines.take(5).collect();
        let url = lines.remove(0).trim_end_matches('/').to_owned();
        Self { child, url, pages: lines, client: reqwest::Client::new(), _folder: folder }
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap()
    }

    /// Starts with an empty body, and returns the events of two viewers and the run.
    pub(crate) async fn run(&self, route: &str) -> (Vec<Event>, Vec<Event>, Value) {
        let request = self.client.post(format!("{}/{route}/start", self.url));
        let response = request.header("accept", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 201);
        let location = response.headers()["location"].to_str().unwrap().to_owned();
        let mut first = Events::of(self.get(&format!("{location}/events")).await);
        let mut seen = first.until(|event| event.name != "snapshot").await;
        let second = Events::of(self.get(&format!("{location}/events")).await).all().await;
        seen.extend(first.all().await);
        (seen, second, json(self.get(&location).await).await)
    }
}
