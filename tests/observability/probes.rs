//! Probes: a program that responds is healthy, one that accepts work is ready, and probes reveal nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use process_runtime::store::Store;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_tests::Server;
use process_tests::plain::Plain;
use serde_json::json;
use tempfile::TempDir;

async fn told(server: &Server, path: &str, host: &str) -> (u16, String) {
    let response = server.get(path).header("host", host).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    (response.status().as_u16(), response.text().await.unwrap())
}

async fn is(server: &Server, status: u16, word: &str) {
    let begin = Instant::now();
    loop {
        let told = told(server, "/readyz", "10.0.0.7:8080").await;
        if told == (status, word.to_owned()) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "{told:?} instead of {status} {word}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn probes_answer_for_any_host() {
    for prefix in ["", "/a/b", "/readyz"] {
        let server = Server::nested(prefix).await;
        for host in ["10.0.0.7:8080", "evil.example", "localhost", "[fd00::7]"] {
            assert_eq!(told(&server, "/healthz", host).await, (200, "ok".into()), "{prefix} {host}");
            assert_eq!(told(&server, "/readyz", host).await, (200, "ready".into()), "{prefix} {host}");
        }
        for path in [
            "/runs",
            "/healthz/",
            "/readyz/x",
            "/healthz/start",
            "/x/healthz",
            "/healthzz",
            "/%68ealthz",
            "//healthz",
            "/runs/readyz",
            "/count/show_progress?/healthz",
            "/readyz/show_progress",
            "/metrics",
        ] {
            let response = server.get(path).header("host", "10.0.0.7:8080").send().await.unwrap();
            assert_eq!(response.status(), 421, "{prefix}{path}");
        }
        for (path, method) in [("/healthz", reqwest::Method::POST), ("/readyz", reqwest::Method::DELETE)] {
            let request = reqwest::Client::new().request(method, format!("{}{path}", server.url));
            assert_eq!(request.send().await.unwrap().status(), 405);
        }
    }
}

#[tokio::test]
async fn unwritable_store_is_healthy_not_ready() {
    let folder = TempDir::new().unwrap();
    let plain = Plain::of(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = plain.clone();
    let server = Server::built(folder, "", |builder| builder.store(store)).await;
    is(&server, 200, "ready").await;
    plain.fail(true);
    is(&server, 503, "store").await;
    assert_eq!(told(&server, "/healthz", "x").await.0, 200);
    plain.fail(false);
    is(&server, 200, "ready").await;
}

#[tokio::test]
async fn readiness_probe_writes_once_per_second() {
    let folder = TempDir::new().unwrap();
    let server = Server::in_folder(folder, "").await;
    is(&server, 200, "ready").await;
    let wal = || std::fs::metadata(server.folder.path().join("runs.sqlite3-wal")).unwrap().len();
    let (before, begin) = (wal(), Instant::now());
    for _ in 0..300 {
        told(&server, "/readyz", "x").await;
    }
    // Each commit is two pages or three, with their heads: 300 would be more than 2 MB.
    let most = (1 + begin.elapsed().as_secs()) * 40_000;
    assert!(wal() - before <= most, "{} bytes in {:?}", wal() - before, begin.elapsed());
}

#[tokio::test]
async fn draining_node_is_healthy_not_ready() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 40, "pause": 50 })).await;
    is(&server, 200, "ready").await;
    server.processes.shut_down();
    assert_eq!(told(&server, "/readyz", "x").await, (503, "stopping".into()));
    assert_eq!(told(&server, "/healthz", "x").await, (200, "ok".into()));
    server.until_status(&run, "succeeded").await;
    assert_eq!(told(&server, "/readyz", "x").await, (503, "stopping".into()));
}
