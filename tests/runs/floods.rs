//! A body that logs without a pause: every line reaches every viewer and the store, and what waits is bounded.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{LogFilter, Store};
use process_runtime::{RunEvent, RunId};
use process_tests::events::line_numbers;
use process_tests::stepwise::Stepwise;
use process_tests::{Event, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

fn id_of(run: &str) -> RunId {
    run.trim_start_matches("/runs/").parse().unwrap()
}

/// The numbers of the lines that a program receives.
async fn followed(server: &Server, run: &str) -> Vec<u64> {
    let handle = server.processes.handle(id_of(run));
    let events = handle.events().await.unwrap();
    let numbers = events.filter_map(async |event| match event.unwrap() {
        RunEvent::Log(line) => Some(line.seq),
        RunEvent::Omitted { after, lines } => panic!("{lines} omitted after {after}"),
        _ => None,
    });
    numbers.collect().await
}

/// The numbers in the messages that a plain client receives.
async fn told_in_messages(server: &Server, run: &str) -> Vec<u64> {
    let stream = server.get(&format!("{run}/events?format=message")).send().await.unwrap();
    let text = stream.text().await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let messages = data.map(|data| serde_json::from_str::<Value>(data).unwrap()["message"].clone());
    messages.filter_map(|message| number(message.as_str().unwrap())).collect()
}

/// The number of a line that begins with it.
fn number(text: &str) -> Option<u64> {
    text.strip_prefix("line ")?.split(' ').next()?.parse().ok()
}

#[tokio::test]
async fn every_line_of_flood_arrives() {
    let server = Server::start().await;
    for (lines, bytes) in [(5_000, 0), (8_000, 300), (20_000, 0), (44_000, 0)] {
        let mut flood = Stepwise::of(&server, "pours", json!({ "lines": lines, "bytes": bytes })).await;
        let run = flood.run.clone();
        let streams = join_all([(); 3].map(|()| server.events(&run))).await;
        let watching = async {
            let streams = join_all(streams.into_iter().map(|stream| stream.all()));
            futures_util::join!(streams, followed(&server, &run), told_in_messages(&server, &run))
        };
        let ((), (streams, followed, messages)) = futures_util::join!(flood.go_on(), watching);
        let all = |numbers: Vec<u64>, who: &str| {
            let gap = numbers.iter().zip(1..).find(|(number, expected)| **number != *expected);
            assert_eq!((gap, numbers.len() as u64), (None, lines), "{who}, of {lines}");
        };
        for events in streams {
            let names: Vec<_> = events.iter().filter(|event| event.name == "omitted").collect();
            assert_eq!(names, Vec::<&Event>::new());
            all(line_numbers(&events), "a stream");
            assert_eq!(events.last().unwrap().name, "end");
        }
        all(followed, "a program");
        all(messages, "a plain client");
        let store = server.processes.store();
        let stored = store.log(id_of(&run), LogFilter::default()).await.unwrap();
        all(stored.iter().map(|line| line.seq).collect(), "the store");
        let file = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
        let numbers = file.lines().map(|line| number(line.split_once("INFO ").unwrap().1).unwrap());
        all(numbers.collect(), "a download");
    }
}

#[tokio::test]
async fn full_buffer_omits_and_counts_lines() {
    let server = Server::start().await;
    let run = server.run("pours-in-a-task", json!({ "lines": 200_000 })).await;
    let ended = server.ended(&run).await;
    assert_eq!(ended["status"], "succeeded");
    let file = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    let (mut lines, mut omitted) = (0, 0);
    for line in file.lines() {
        let (_, said) = line.split_once("Z ").unwrap_or(("", line));
        match said.strip_prefix("WARN ").map(|said| said.split_once(" omitted: ").unwrap().0) {
            Some(said) => omitted += said.split(' ').next().unwrap().replace(',', "").parse::<u64>().unwrap(),
            None if said.starts_with("INFO ") => lines += 1,
            None => omitted += said.split(' ').nth(1).unwrap().replace(',', "").parse::<u64>().unwrap(),
        }
    }
    // Lines that report omissions, and the lines that the limits omitted.
    let said = ended["warnings"].as_u64().unwrap();
    assert!((200_000..=200_000 + said).contains(&(lines + omitted)), "{lines} lines, {omitted} omitted");
}

/// How many lines a run has logged so far, including omitted ones.
async fn said(server: &Server, run: &str) -> u64 {
    let mut events = server.events(run).await;
    events.next().await.unwrap().data["log"]["last"].as_u64().unwrap()
}

/// Waits until a run logs nothing more because it is blocked.
async fn until_it_waits(server: &Server, run: &str) -> u64 {
    let mut before = 0;
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = said(server, run).await;
        if now > 0 && now == before {
            return now;
        }
        before = now;
    }
    panic!("it goes on and on");
}

#[tokio::test]
async fn body_waiting_for_disk_is_cancellable() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let shared: Arc<dyn Store> = Arc::<SqliteStore>::clone(&store);
    let files = TempDir::new().unwrap();
    let server = Server::built(files, "", |builder| builder.store(shared)).await;
    let run = server.run("pours-for-ever", json!({})).await;
    let running = server.until_status(&run, "running").await;
    assert_eq!(running["status"], "running");
    store.limit_pages(Some(1)).await.unwrap();
    let waits = until_it_waits(&server, &run).await;
    let stored = store.log_tail(id_of(&run), 1).await.unwrap().last().map_or(0, |line| line.seq);
    // What waits is bounded: 4 MiB, a line counted as 128 bytes more than its text.
    assert!(waits - stored <= (4 << 20) / 1_128 + 1, "{waits} said, {stored} stored");
    let others = server.get("/").send().await.unwrap();
    assert_eq!(others.status(), 200);
    let cancelled = server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(cancelled.status(), 200, "{:?}", cancelled.text().await);
    for _ in 0..600 {
        if server.traces.guards_dropped.load(Ordering::SeqCst) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(server.traces.guards_dropped.load(Ordering::SeqCst), 1, "the body did not leave");
    store.limit_pages(None).await.unwrap();
    assert_eq!(server.ended(&run).await["status"], "cancelled");
    let lines = store.log(id_of(&run), LogFilter::default()).await.unwrap();
    assert!(lines.iter().map(|line| line.seq).eq(1..=lines.len() as u64));
    assert!(lines.len() as u64 >= waits, "{} of {waits}", lines.len());
}
