//! Starts: priority and actor, idempotency keys, and the limits of the queue.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use process_runtime::prelude::*;
use process_runtime::store::{RunFilter, StoreError};
use process_runtime::{Limits, Run, RunStatus, StartError};
use process_tests::fixtures::{Count, CountInput, Wait};
use process_tests::forms::{Multipart, page, started};
use process_tests::{Server, server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Barrier;
use tower::ServiceExt as _;

/// Its runs start before others.
#[process(title = "Urgent", priority = 20)]
async fn urgent() {}

/// Has one active run.
#[process(title = "Alone", exclusive)]
async fn alone(file: Option<Upload>) {
    let _ = file;
    std::future::pending::<()>().await;
}

#[process(title = "By customer", concurrency_key = customer)]
async fn by_customer(customer: String, orders: Vec<u32>) {
    log(format!("{customer}: {}", orders.len()));
}

#[process(title = "By region", concurrency_key = region)]
async fn by_region(region: Option<u32>) {
    log(format!("{region:?}"));
}

/// Ends when the program does.
#[process(title = "Patient")]
async fn patient() -> Result<String, String> {
    while !shutting_down() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok("at a good place".into())
}

async fn stored(server: &Server) -> Vec<Run> {
    let filter = RunFilter::default().limit(1_000);
    server.processes.store().runs(filter).await.unwrap()
}

/// A start without a body, with this key.
fn keyed(server: &Server, route: &str, key: &str) -> reqwest::RequestBuilder {
    server.post(&format!("/{route}/start")).header("idempotency-key", key)
}

#[tokio::test]
async fn rust_start_sets_delay_and_actor() {
    let server = Server::start().await;
    let input = CountInput { total: 1, pause: 1 };
    let run = Count::start(&server.processes, input).priority(-7).actor("ann").await.unwrap();
    let told = server::json(server.get(&format!("/runs/{}", run.id())).send().await.unwrap()).await;
    assert_eq!((&told["priority"], &told["actor"]), (&json!(-7), &json!("ann")));
    let run = Urgent::start(&server.processes, ()).await.unwrap();
    let told = server::json(server.get(&format!("/runs/{}", run.id())).send().await.unwrap()).await;
    assert_eq!((&told["priority"], &told["actor"]), (&json!(20), &Value::Null));
    let told = started(server.json("urgent", &json!({}))).await;
    assert_eq!(told["priority"], 20);
}

#[tokio::test]
async fn queued_runs_follow_priority() {
    let server = Server::start().await;
    let running = Wait::start(&server.processes, ()).await.unwrap();
    server.until_status(&format!("/runs/{}", running.id()), "running").await;
    let late = Wait::start(&server.processes, ()).await.unwrap();
    let soon = Wait::start(&server.processes, ()).priority(1).await.unwrap();
    running.cancel().await.unwrap();
    server.until_status(&format!("/runs/{}", soon.id()), "running").await;
    assert_eq!(late.run().await.unwrap().status, RunStatus::Queued);
}

#[tokio::test]
async fn start_stores_what_resume_needs() {
    let server = Server::start().await;
    let books = |run: Value| {
        let runs = server.processes.store();
        async move { runs.run(run["id"].as_str().unwrap().parse().unwrap()).await.unwrap().unwrap().bookkeeping }
    };
    let input = json!({ "customer": "A & \"B\"", "orders": [1] });
    let customer = books(started(server.json("by-customer", &input)).await).await;
    assert_eq!(customer.concurrency_key.as_deref(), Some("A & \"B\""));
    for (region, key) in [(json!(7), "7"), (Value::Null, "null")] {
        let region = books(started(server.json("by-region", &json!({ "region": region }))).await).await;
        assert_eq!(region.concurrency_key.as_deref(), Some(key));
    }
    let none = books(started(server.json("urgent", &json!({}))).await).await;
    assert_eq!(none.concurrency_key, None);
}

#[tokio::test]
async fn rust_and_http_idempotency_keys_match() {
    let server = Server::start().await;
    let first = Wait::start(&server.processes, ()).idempotency_key("k").await.unwrap();
    let second = Wait::start(&server.processes, ()).idempotency_key("k").priority(9).await.unwrap();
    assert_eq!(first.id(), second.id());
    assert_eq!(started(keyed(&server, "wait", "k")).await["id"], first.id().to_string());
    let other = Urgent::start(&server.processes, ()).idempotency_key("k").await.unwrap();
    assert_ne!(other.id(), first.id(), "another process, another run");
    assert_eq!(stored(&server).await.len(), 2);
}

#[tokio::test]
async fn invalid_idempotency_key_starts_nothing() {
    let server = Server::start().await;
    for key in [String::new(), "k".repeat(201), "\u{1}retry".into()] {
        let error = Wait::start(&server.processes, ()).idempotency_key(key).await.unwrap_err();
        assert!(matches!(error, StartError::IdempotencyKey), "{error}");
        assert_eq!(
            error.to_string(),
            "an idempotency key must have 1 to 200 bytes and no control characters"
        );
    }
    assert_eq!(stored(&server).await, []);
    Wait::start(&server.processes, ()).idempotency_key("ü".repeat(100)).await.unwrap();
    assert_eq!(stored(&server).await.len(), 1);
}

/// A thousand at once, without sockets, because of the limit on open files.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_parallel_starts_are_one_run() {
    let server = Server::start().await;
    let all_are_here = Arc::new(Barrier::new(1_000));
    let starts = (0..1_000).map(|_| {
        let (router, all_are_here) = (server.processes.router(), Arc::clone(&all_are_here));
        let request = Request::post("/count/start").header("host", "localhost");
        let request = request.header("idempotency-key", "the same").body(Body::empty()).unwrap();
        tokio::spawn(async move {
            all_are_here.wait().await;
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status(), 201);
            response.headers()["location"].to_str().unwrap().to_owned()
        })
    });
    let starts: Vec<_> = starts.collect();
    let mut locations = Vec::new();
    for start in starts {
        locations.push(start.await.unwrap());
    }
    locations.dedup();
    assert_eq!(locations.len(), 1, "{locations:?}");
    assert_eq!(server.ended(&locations[0]).await["status"], "succeeded");
    assert_eq!(stored(&server).await.len(), 1);
    assert_eq!(server.traces.bodies_started.load(Ordering::SeqCst), 1);
}

/// Everything below the folder for uploads.
fn kept(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("uploads")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn exclusive_start_gives_active_run() {
    let server = Server::start().await;
    let form = || Multipart::new().file("file", "a.txt", b"what it says");
    let run = started(server.multipart("alone", form())).await;
    let files = kept(server.folder.path());
    assert!(files.iter().any(|path| path.is_file()), "{files:?}");
    assert_eq!(started(server.multipart("alone", form())).await["id"], run["id"]);
    assert_eq!(started(keyed(&server, "alone", "k")).await["id"], run["id"]);
    assert_eq!(kept(server.folder.path()), files);
    let start = server.multipart("alone", form()).header("accept", "text/html").send().await.unwrap();
    let location = start.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!((start.status().as_u16(), location), (303, format!("/runs/{}", run["id"].as_str().unwrap())));
    let upload = server.folder.path().join("given.txt");
    std::fs::write(&upload, "given").unwrap();
    let file = Some(Upload::from_path(&upload).unwrap());
    let handle = Alone::start(&server.processes, AloneInput { file }).await.unwrap();
    assert_eq!(handle.id().to_string(), run["id"]);
    assert_eq!(kept(server.folder.path()), files);
    assert_eq!(stored(&server).await.len(), 1);
    handle.cancel().await.unwrap();
    assert_eq!(handle.wait().await.unwrap().status, RunStatus::Cancelled);
    assert_ne!(started(server.multipart("alone", form())).await["id"], run["id"]);
}

#[tokio::test]
async fn full_queue_refuses_with_retry_after() {
    let limits = Limits::default().max_queued(2);
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await;
    let running = Wait::start(&server.processes, ()).await.unwrap();
    server.until_status(&format!("/runs/{}", running.id()), "running").await;
    let waiting = Wait::start(&server.processes, ()).await.unwrap();
    let keyed = Wait::start(&server.processes, ()).idempotency_key("k").await.unwrap();
    // Of all processes together.
    let refused = server.json("count", &json!({})).header("accept", "application/json").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "10");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let detail = "2 runs are already queued, so nothing was started. Try again shortly.";
    let problem = json!({ "status": 429, "title": "Too Many Requests", "detail": detail });
    assert_eq!(server::json(refused).await, problem);
    let form = || server.form("count", &[("total", "1")]).header("accept", "text/html");
    assert_eq!(form().send().await.unwrap().headers()["retry-after"], "10");
    let (status, text) = page(form()).await;
    assert!(status == 429 && text.contains(detail), "{status}: {text}");
    let error = Wait::start(&server.processes, ()).await.unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::Full(2))), "{error}");
    // A run that exists is not a new one.
    let again = Wait::start(&server.processes, ()).idempotency_key("k").await.unwrap();
    assert_eq!(again.id(), keyed.id());
    waiting.cancel().await.unwrap();
    started(server.json("count", &json!({}))).await;
}

#[tokio::test]
async fn shutting_down_body_ends_itself() {
    let server = Server::start().await;
    let run = Patient::start(&server.processes, ()).await.unwrap();
    server.until_status(&format!("/runs/{}", run.id()), "running").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = server.processes.store().run(run.id()).await.unwrap().unwrap();
    assert_eq!(before.status, RunStatus::Running);
    server.processes.shut_down();
    for _ in 0..500 {
        let now = server.processes.store().run(run.id()).await.unwrap().unwrap();
        if now.status.is_terminal() {
            assert_eq!(now.result, Some(json!("at a good place")));
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it went on");
}
