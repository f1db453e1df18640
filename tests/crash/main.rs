//! After a kill, nothing that was acknowledged is lost.
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use process_tests::server::json;
use process_tests::{Event, Events};
use serde_json::{Value, json};

mod aborts;
mod changes;
mod checks;
mod descriptors;
#[cfg(target_os = "linux")]
mod disk;
mod rounds;
mod signals;
mod uploads;

const PROGRAM: &str = env!("CARGO_BIN_EXE_crash-child");

/// A server in its own process, which is killed on drop.
struct Killable {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Killable {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    /// A server with settings: names and values for its environment.
    fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::try_start(folder, settings).unwrap_or_else(|status| panic!("it did not start: {status}"))
    }

    /// Starts the server, or returns how it exited before it printed its address.
    fn try_start(folder: &Path, settings: &[(&str, &str)]) -> Result<Self, ExitStatus> {
        Self::from(Command::new(PROGRAM).arg(folder).envs(settings.iter().copied()))
    }

    fn from(command: &mut Command) -> Result<Self, ExitStatus> {
        let (mut server, first) = Self::spawn(command);
        let Some(url) = first() else { return Err(server.child.wait().unwrap()) };
        server.url = url;
        Ok(server)
    }

    /// The program, and what waits for the address it prints; `None` when it has ended before.
    fn spawn(command: &mut Command) -> (Self, impl FnOnce() -> Option<String> + Send + use<>) {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let first = move || {
            let mut first = String::new();
            out.read_line(&mut first).unwrap();
            let url = first.trim().trim_end_matches('/');
            assert!(url.is_empty() || url.starts_with("http://127.0.0.1:"), "{url:?}");
            (!url.is_empty()).then(|| url.to_owned())
        };
        (Self { child, url: String::new(), client: reqwest::Client::new() }, first)
    }

    fn kill(self) {
        drop(self);
    }

    /// Sends a signal, such as `TERM`.
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Waits until the program exits on its own.
    async fn exit(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "it has not ended after 20 s");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends a control request to a run.
    async fn ask(&self, id: &str, what: &str) -> Value {
        let response = self.client.post(format!("{}/runs/{id}/{what}", self.url)).send().await.unwrap();
        assert!(response.status().is_success(), "{what}: {}", response.status());
        json(response).await
    }

    /// The run as JSON, as soon as the condition holds.
    async fn until(&self, id: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let run = json(self.get(&format!("/runs/{id}")).await).await;
            if condition(&run) {
                return run;
            }
            assert!(began.elapsed() < Duration::from_secs(20), "not after 20 s: {run}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
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
        // Shorter than a lease: a restart does not wait for the leases of the killed program.
        self.ended_within(id, Duration::from_secs(20)).await
    }

    async fn ended_within(&self, id: &str, limit: Duration) -> Value {
        let events = Events::of(self.get(&format!("/runs/{id}/events")).await).all();
        let events = tokio::time::timeout(limit, events).await.unwrap();
        assert_eq!(events.last().map(|event| event.name.as_str()), Some("end"), "{events:?}");
        json(self.get(&format!("/runs/{id}")).await).await
    }
}

/// No test leaves a process behind.
impl Drop for Killable {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn finished_runs_survive_kill_9() {
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
async fn kill_9_interrupts_run_keeping_log() {
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
    assert_eq!(run["error"], "The server stopped responding while this was running.");
    let log = server.get(&format!("/runs/{id}/log")).await.text().await.unwrap();
    assert!(log.contains("waiting"), "{log}");
    // The viewer reconnects with its last position, without lost or repeated lines.
    let last = &seen.last().unwrap().id;
    let rest = Events::of(server.get(&format!("/runs/{id}/events?last={last}")).await).all().await;
    assert_eq!(rest[0].data["log"]["lines"], json!([]));
    assert_eq!(rest.last().unwrap().data["status"], "interrupted");
    let request = server.client.get(format!("{}/runs/{id}", server.url)).header("accept", "text/html");
    assert!(request.send().await.unwrap().text().await.unwrap().contains("Interrupted"));
    server.kill();
}

#[tokio::test]
async fn queued_runs_start_after_kill_9() {
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
