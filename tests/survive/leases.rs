//! Leases survive busy readers, a store that fails or hangs, and removed processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use process_runtime::prelude::*;
use process_runtime::store::Store;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::{Builder, ControlError, RunEvent, RunStatus, registry::Registry};
use process_tests::Server;
use process_tests::fixtures::{Choose, Count, CountInput, Traces, Wait};
use process_tests::long_log::long_log;
use process_tests::plain::Plain;
use tempfile::TempDir;

const LEASE: Duration = Duration::from_millis(600);

fn with_store(store: impl Into<Arc<dyn Store>>) -> impl FnOnce(Builder) -> Builder {
    let store = store.into();
    move |builder| builder.store(store).lease(LEASE)
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !condition().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_running(server: &Server) {
    until("a body runs", async || server.traces.bodies_started.load(Ordering::SeqCst) > 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn abandoned_searches_cost_no_lease() {
    let folder = TempDir::new().unwrap();
    let long = long_log(folder.path(), 40_000, 500).await;
    let server = Server::built(folder, "", |builder| builder.lease(Duration::from_millis(300))).await;
    let run = Count::start(&server.processes, CountInput { total: 30, pause: 100 }).await.unwrap();
    let url = format!("{}/runs/{}/log?q=zzz", server.url, long);
    // Each disconnects long before its search ends, and others replace it, for ten leases.
    for _ in 0..10 {
        let searches = (0..60).map(|_| {
            let request = reqwest::Client::new().get(&url).header("accept", "text/html");
            tokio::spawn(async move {
                let _gone = tokio::time::timeout(Duration::from_millis(300), request.send()).await;
            })
        });
        futures_util::future::join_all(searches).await;
    }
    let ended = run.wait().await.unwrap();
    assert_eq!((ended.status, ended.attempt), (RunStatus::Succeeded, 1), "{:?}", ended.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn holder_stops_when_store_hangs() {
    let folder = TempDir::new().unwrap();
    // Another node could open this store: it is not exclusive.
    let plain = Plain::of(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = plain.clone();
    let server = Server::built(folder, "", with_store(store)).await;
    let run = Wait::start(&server.processes, ()).await.unwrap();
    until("it runs", async || run.run().await.unwrap().status == RunStatus::Running).await;
    plain.hang(true);
    // The store hangs. The lease expires and the body is stopped: another node may execute the run by now.
    until("its body leaves", async || server.traces.guards_dropped.load(Ordering::SeqCst) == 1).await;
    plain.hang(false);
    // The next holder learns the state of the run; here it is another program on the same file.
    let other =
        process_runtime::builder().state(Traces::default()).data_dir(server.folder.path().join("other"));
    let store: Arc<dyn Store> = plain.clone();
    let other = other.store(store).lease(LEASE).build().unwrap();
    until("it has ended", async || run.run().await.unwrap().status == RunStatus::Interrupted).await;
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_reads_end_no_stream() {
    let folder = TempDir::new().unwrap();
    let plain = Plain::of(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = plain.clone();
    let server = Server::built(folder, "", with_store(store)).await;
    let first = Wait::start(&server.processes, ()).await.unwrap();
    let queued = Wait::start(&server.processes, ()).await.unwrap();
    let mut events = queued.events().await.unwrap();
    let first_event = events.next().await.unwrap().unwrap();
    assert!(
        matches!(&first_event, RunEvent::Snapshot(run) if run.status == RunStatus::Queued),
        "{first_event:?}"
    );
    plain.fail(true);
    // More than one poll of a follower.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    plain.fail(false);
    queued.cancel().await.unwrap();
    let last = tokio::time::timeout(Duration::from_secs(20), async {
        while let Some(event) = events.next().await {
            if let RunEvent::End(run) = event.unwrap() {
                return Some(run.status);
            }
        }
        None
    });
    assert_eq!(last.await.expect("it is told of the end"), Some(RunStatus::Cancelled));
    first.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn run_of_removed_process_is_interrupted() {
    let (folder, data) = (TempDir::new().unwrap(), [TempDir::new().unwrap(), TempDir::new().unwrap()]);
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = store;
    let program =
        |n: usize| process_runtime::builder().store(Arc::clone(&store)).data_dir(data[n].path()).lease(LEASE);
    let before = program(0).state(Traces::default()).build().unwrap();
    let running = Wait::start(&before, ()).await.unwrap();
    let cancelled = Count::start(&before, endless()).await.unwrap();
    for run in [&running, &cancelled] {
        until("it runs", async || run.run().await.unwrap().status == RunStatus::Running).await;
    }
    let ids = [running.id(), cancelled.id()];
    // Without a release, as after a kill.
    drop((running, cancelled, before));
    let only = Registry::of([Choose::PROCESS]).unwrap();
    let after = program(1).registry(only).build().unwrap();
    for id in ids {
        until("it has ended", async || after.handle(id).run().await.unwrap().status.is_terminal()).await;
        let run = after.handle(id).run().await.unwrap();
        assert_eq!((run.status, run.attempt), (RunStatus::Interrupted, 1));
        let error = run.error.unwrap();
        assert!(error.contains("no longer exists") && error.contains(&run.process), "{error}");
    }
}

fn endless() -> CountInput {
    CountInput { total: 10_000, pause: 1_000 }
}

#[tokio::test(flavor = "multi_thread")]
async fn early_pause_never_sticks() {
    let server = Server::start().await;
    let mut refused = 0;
    for _ in 0..60 {
        let run = Count::start(&server.processes, CountInput { total: 2, pause: 10 }).await.unwrap();
        let paused = match run.pause().await {
            Ok(run) => run.status == RunStatus::Paused,
            Err(ControlError::Refused(_)) => false,
            Err(error) => panic!("{error}"),
        };
        refused += u32::from(!paused);
        if paused {
            // It waits, and its body was not called.
            run.resume().await.unwrap();
        }
        let ended = run.wait().await.unwrap();
        assert_eq!((ended.status, ended.attempt, ended.pausing), (RunStatus::Succeeded, 1, false));
    }
    println!("{refused} of 60 pauses came too late and were refused");
    assert_eq!(server.traces.bodies_started.load(Ordering::SeqCst), 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_durations_work_everywhere() {
    let folder = TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| {
        let limits = process_runtime::Limits::default().header_timeout(Duration::MAX);
        let limits = limits.body_timeout(Duration::MAX).reader_timeout(Duration::MAX);
        let builder = builder.limits(limits).lease(Duration::MAX).shutdown_timeout(Duration::MAX);
        builder.stalled_after(Duration::MAX).retain_for(Duration::MAX).reauthorize_every(Duration::MAX)
    })
    .await;
    let run = Count::start(&server.processes, CountInput { total: 2, pause: 1 }).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, RunStatus::Succeeded);
    let body = reqwest::Client::new().post(format!("{}/count/start", server.url));
    let body = body.header("content-type", "application/json").body(r#"{"total": 1, "pause": 1}"#);
    assert_eq!(body.send().await.unwrap().status(), 201);
    is_running(&server).await;
    let drained = tokio::time::timeout(Duration::from_secs(30), server.processes.drain(Duration::MAX));
    drained.await.expect("nothing runs any more");
}
