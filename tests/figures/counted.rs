//! Metrics: they parse, count what happened, and clients cannot add series.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_runtime::store::Store;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::{Limits, Processes};
use process_tests::Server;
use process_tests::fixtures::{Traces, Wait};
use process_tests::plain::Plain;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Mutex, MutexGuard};

use super::exposition::Exposition;

/// Exclusive access to the recorder.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

async fn measured() -> Server {
    Server::built(TempDir::new().unwrap(), "", |builder| builder.metrics_route()).await
}

async fn read(server: &Server) -> Exposition {
    let response = server.get("/metrics").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    Exposition::read(&response.text().await.unwrap())
}

/// Reads again until it is so.
async fn until(server: &Server, what: &str, is: impl Fn(&Exposition) -> bool) {
    let begin = Instant::now();
    while !is(&read(server).await) {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

const STARTED: &str = "process_runs_started_total";
const ENDED: &str = "process_runs_ended_total";

#[tokio::test]
async fn each_event_is_counted_once() {
    let _alone = alone().await;
    let server = measured().await;
    let before = read(&server).await;
    // Metrics begin at 0, so that the first failure is visible as an increase.
    assert!(before.values_of(ENDED, "process").contains("fails-later-again"));
    assert!(before.values_of(ENDED, "status").contains("interrupted"));
    let key = |request: reqwest::RequestBuilder| request.header("idempotency-key", "the same");
    for _ in 0..2 {
        assert_eq!(key(server.post("/count/start")).send().await.unwrap().status(), 201);
    }
    let runs = [server.run("fails", json!({})).await, server.run("panics", json!({})).await];
    let held = server.run("wait", json!({})).await;
    server.until_status(&held, "running").await;
    let waits = server.run("wait", json!({})).await;
    until(&server, "one runs and one waits", |now| {
        let state = |state| now.get("process_runs", &[("process", "wait"), ("state", state)]);
        let age = now.get("process_queue_age_seconds", &[("process", "wait")]);
        (state("running"), state("queued"), state("paused")) == (1.0, 1.0, 0.0) && age > 0.0 && age < 20.0
    })
    .await;
    for run in [&waits, &held, &waits, &held] {
        server.post(&format!("{run}/cancel")).send().await.unwrap();
        server.ended(run).await;
    }
    for run in &runs {
        server.ended(run).await;
    }
    assert_eq!(server.get("/runs").send().await.unwrap().status(), 200);
    until(&server, "all have ended", |now| {
        now.get(ENDED, &[("process", "count"), ("status", "succeeded")]) > 0.0
    })
    .await;
    let now = read(&server).await;
    let more = |name: &str, labels: &[(&str, &str)]| now.get(name, labels) - before.get(name, labels);
    for (process, runs) in [("count", 1.0), ("fails", 1.0), ("panics", 1.0), ("wait", 2.0), ("other", 0.0)] {
        assert_eq!(more(STARTED, &[("process", process)]), runs, "{process}");
    }
    for (process, status, runs) in [
        ("count", "succeeded", 1.0),
        ("fails", "failed", 1.0),
        ("panics", "failed", 1.0),
        ("wait", "cancelled", 2.0),
    ] {
        assert_eq!(more(ENDED, &[("process", process), ("status", status)]), runs, "{process}");
    }
    // The one that was cancelled before its turn was never executed.
    assert_eq!(more("process_run_duration_seconds_count", &[("process", "wait")]), 1.0);
    let counted = more("process_run_duration_seconds_sum", &[("process", "count")]);
    assert!((0.09..20.0).contains(&counted), "5 steps of 20 ms took {counted} s");
    let bucket = |le| more("process_run_duration_seconds_bucket", &[("process", "fails"), ("le", le)]);
    assert_eq!((bucket("30"), bucket("+Inf")), (1.0, 1.0));
    assert_eq!(now.get("process_runs", &[("process", "wait"), ("state", "queued")]), 0.0);
    assert_eq!(now.get("process_queue_age_seconds", &[("process", "wait")]), 0.0);
    for operation in ["start", "claim", "heartbeat", "finish", "control", "run", "runs", "counts"] {
        let took =
            |part| more(&format!("process_store_operation_seconds_{part}"), &[("operation", operation)]);
        assert!(took("count") > 0.0 && took("sum") > 0.0, "{operation}");
    }
    let requests = |route, method, status| {
        more("process_http_requests_total", &[("route", route), ("method", method), ("status", status)])
    };
    assert_eq!(requests("/{process}/start", "POST", "201"), 6.0);
    assert!(requests("/metrics", "GET", "200") > 1.0);
}

fn opened(folder: &Path, traces: &Arc<Traces>, max_running: usize) -> Processes {
    let builder = process_runtime::builder().state_arc(Arc::clone(traces)).data_dir(folder);
    builder.metrics_route().max_running(max_running).build().unwrap()
}

#[tokio::test]
async fn queued_metric_is_right_after_restart() {
    let _alone = alone().await;
    let (folder, traces) = (TempDir::new().unwrap(), Arc::new(Traces::default()));
    let processes = opened(folder.path(), &traces, 0);
    for _ in 0..3 {
        Wait::start(&processes, ()).await.unwrap();
    }
    drop(processes);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let begin = Instant::now();
    // The runner of the first lets go of the folder when its threads have ended.
    let processes = loop {
        let builder = process_runtime::builder().state_arc(Arc::clone(&traces)).data_dir(folder.path());
        match builder.metrics_route().max_running(0).build() {
            Ok(processes) => break processes,
            Err(error) => assert!(begin.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let now = Exposition::read(&processes.metrics().await.unwrap());
    assert_eq!(now.get("process_runs", &[("process", "wait"), ("state", "queued")]), 3.0);
    let age = now.get("process_queue_age_seconds", &[("process", "wait")]);
    assert!((1.0..30.0).contains(&age), "{age}");
}

#[tokio::test]
async fn strangers_cannot_add_metric_series() {
    let _alone = alone().await;
    let server = measured().await;
    let client = reqwest::Client::new();
    for n in 0..50 {
        for path in [format!("/x{n}/show_progress"), format!("/x{n}"), format!("/runs/{n}/log?q={n}")] {
            server.get(&path).header("host", format!("h{n}")).send().await.unwrap();
            server.get(&path).send().await.unwrap();
        }
        let method = reqwest::Method::from_bytes(format!("BREW{n}").as_bytes()).unwrap();
        client.request(method, format!("{}/", server.url)).send().await.unwrap();
    }
    let now = read(&server).await;
    let requests = "process_http_requests_total";
    let methods = now.values_of(requests, "method");
    assert!(
        methods.contains("other") && methods.iter().all(|method| !method.contains("BREW")),
        "{methods:?}"
    );
    let routes = now.values_of(requests, "route");
    assert!(routes.contains("other") && routes.contains("/runs/{id}/log"), "{routes:?}");
    assert!(!routes.iter().any(|route| route.contains("x1") || route.contains("h1")), "{routes:?}");
    let processes = now.values_of("process_runs", "process");
    assert_eq!(processes.len(), server.processes.registry().iter().len() + 1);
}

#[tokio::test]
async fn opt_in_metrics_check_the_host() {
    let _alone = alone().await;
    let server = Server::start().await;
    let (unknown, metrics) = (server.get("/nothing"), server.get("/metrics"));
    let (unknown, metrics) = (unknown.send().await.unwrap(), metrics.send().await.unwrap());
    assert_eq!(metrics.status(), 404);
    assert_eq!(metrics.text().await.unwrap(), unknown.text().await.unwrap());
    assert_eq!(server.processes.metrics().await, None);
    let server = measured().await;
    let response = server.get("/metrics").header("host", "10.0.0.7:3000").send().await.unwrap();
    assert_eq!(response.status(), 421);
    assert!(!response.text().await.unwrap().contains("process_runs"));
    assert_eq!(server.post("/metrics").send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn store_errors_are_counted_by_reason() {
    let _alone = alone().await;
    let folder = TempDir::new().unwrap();
    let plain = Plain::of(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = plain.clone();
    let server = Server::built(folder, "", |builder| {
        builder.store(store).metrics_route().limits(Limits::default().max_queued(0))
    })
    .await;
    let errors = |now: &Exposition, operation, error| {
        now.get("process_store_errors_total", &[("operation", operation), ("error", error)])
    };
    let before = read(&server).await;
    assert_eq!(server.post("/says-nothing/start").send().await.unwrap().status(), 429);
    plain.fail(true);
    assert_eq!(server.post("/says-nothing/start").send().await.unwrap().status(), 503);
    // If the store fails, its gauges keep their last values, and the other metrics are still there.
    let now = read(&server).await;
    assert_eq!(errors(&now, "start", "full") - errors(&before, "start", "full"), 1.0);
    assert_eq!(errors(&now, "start", "unavailable") - errors(&before, "start", "unavailable"), 1.0);
    assert!(errors(&now, "counts", "unavailable") > errors(&before, "counts", "unavailable"));
    plain.fail(false);
}

#[tokio::test]
async fn viewers_and_refusals_are_counted() {
    let _alone = alone().await;
    let server = measured().await;
    let run = server.run("wait", json!({})).await;
    let viewers = |count: f64| move |now: &Exposition| now.get("process_viewers", &[]) == count;
    until(&server, "nobody looks", viewers(0.0)).await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut sockets = Vec::new();
    for part in ["", "", "?format=message"] {
        let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
        let request = format!("GET {run}/events{part} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        socket.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        sockets.push(socket);
    }
    until(&server, "three look", viewers(3.0)).await;
    let dropped = |now: &Exposition| now.get("process_viewers_dropped_total", &[("reason", "flood")]);
    let before = dropped(&read(&server).await);
    // Browsers never send this much.
    let _ = sockets[0].write_all(&vec![b'x'; 200_000]).await;
    until(&server, "two look", viewers(2.0)).await;
    assert_eq!(dropped(&read(&server).await) - before, 1.0);
    drop(sockets);
    until(&server, "nobody looks any more", viewers(0.0)).await;
    assert_eq!(dropped(&read(&server).await) - before, 1.0);
}

#[tokio::test]
async fn unreading_viewer_disconnect_is_counted() {
    let _alone = alone().await;
    let patience = Duration::from_millis(300);
    let with = |builder: process_runtime::Builder| {
        builder.metrics_route().limits(Limits::default().reader_timeout(patience))
    };
    let server = Server::built(TempDir::new().unwrap(), "", with).await;
    let dropped = |now: &Exposition| now.get("process_viewers_dropped_total", &[("reason", "timeout")]);
    let before = dropped(&read(&server).await);
    let run = server.run("grumbles", json!({ "lines": 5_000_000, "every": 1, "pause": 0 })).await;
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let request = format!("GET {run}/events HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let _socket = loop {
        // With room for little, so that it is soon full.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let mut socket = socket.connect(address.parse().unwrap()).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).await.unwrap();
        // A machine that is busy may have no time for it at once: 503.
        if status == *b"HTTP/1.1 200" {
            break socket;
        }
    };
    until(&server, "the viewer is sent away", |now| dropped(now) - before == 1.0).await;
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    server.ended(&run).await;
}

#[tokio::test]
async fn metrics_are_recorded_without_a_route() {
    let _alone = alone().await;
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.record_metrics()).await;
    server.run("count", json!({ "total": 1, "pause": 0 })).await;
    let recorded = Exposition::read(&server.processes.metrics().await.unwrap());
    assert!(recorded.get(STARTED, &[("process", "count")]) >= 1.0);
    assert_eq!(server.get("/metrics").send().await.unwrap().status(), 404);
    let openapi = server.get("/openapi.json").send().await.unwrap().text().await.unwrap();
    assert!(!openapi.contains("/metrics"));
    let silent = Server::start().await;
    assert_eq!(silent.processes.metrics().await, None);
}
