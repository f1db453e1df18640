//! Viewers cannot affect the server or other viewers, however they read and whenever they disconnect.

use std::time::Duration;

use process_runtime::Limits;
use process_tests::server::json as json_of;
use process_tests::stepwise::Stepwise;
use process_tests::{Event, Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// A connection that has sent a request and reads nothing.
async fn ask(server: &Server, path: &str, version: &str) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    // So that the kernel does not read for us.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/{version}\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Everything until the connection closes, which takes at most 30 seconds.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut all)).await;
    read.expect("the stream does not end").unwrap();
    String::from_utf8(all).unwrap()
}

/// The data of all events with this name, across chunks.
fn data(text: &str, name: &str) -> Vec<Value> {
    let events = text.split("\n\n").filter(|event| event.contains(&format!("event: {name}\n")));
    let data = events.map(|event| event.rsplit_once("data: ").unwrap().1.lines().next().unwrap());
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// How many descriptors this process has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn settles<T: PartialEq + std::fmt::Debug>(wanted: T, now: impl Fn() -> T) {
    for _ in 0..300 {
        if now() == wanted {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(now(), wanted);
}

#[tokio::test]
async fn unreading_viewer_is_disconnected() {
    let patience = Duration::from_millis(600);
    let limits = Limits::default().reader_timeout(patience);
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await;
    let run = server.run("chat", json!({ "lines": 20_000, "pause": 5 })).await;
    let mut still = ask(&server, &format!("{run}/events"), "1.1").await;
    let others = server.events(&run).await.all().await;
    assert_eq!(others.last().unwrap().name, "end");
    tokio::time::sleep(patience * 3).await;
    // Buffered data may arrive; the end does not.
    let mut all = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), still.read_to_end(&mut all)).await;
    drop(read.expect("it was not sent away"));
    assert!(!String::from_utf8_lossy(&all).contains("event: end"));
}

#[tokio::test]
async fn slow_viewer_gets_every_recent_line() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 1_500, "pause": 1 })).await;
    let mut slow = ask(&server, &format!("{run}/events"), "1.0").await;
    let mut all = Vec::new();
    let mut piece = [0; 8 * 1024];
    loop {
        let length = slow.read(&mut piece).await.unwrap();
        if length == 0 {
            break;
        }
        all.extend_from_slice(&piece[..length]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let text = String::from_utf8(all).unwrap();
    let snapshots = data(&text, "snapshot");
    let mut seen: Vec<u64> = Vec::new();
    for snapshot in &snapshots {
        let lines = snapshot["log"]["lines"].as_array().unwrap();
        seen.extend(lines.iter().map(|line| line["seq"].as_u64().unwrap()));
    }
    seen.extend(data(&text, "log").iter().map(|line| line["seq"].as_u64().unwrap()));
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(1..=1_500), "{} snapshots, {} lines", snapshots.len(), seen.len());
    let (progress, ends) = (data(&text, "progress"), data(&text, "end"));
    assert_eq!((ends.len(), &ends[0]["status"]), (1, &json!("succeeded")));
    assert!(progress.len() < 1_500, "{}", progress.len());
}

/// The numbers of the lines in a stream, from snapshots and events in order, and the number of snapshots, each of which
/// states its omissions.
fn lines_and_snapshots(text: &str) -> (Vec<u64>, usize) {
    let (mut seen, mut snapshots) = (Vec::new(), 0);
    for event in text.split("\n\n") {
        for snapshot in data(event, "snapshot") {
            let log = &snapshot["log"];
            snapshots += 1;
            assert!(log["after"].as_u64().unwrap() >= seen.last().copied().unwrap_or(0));
            seen.extend(log["lines"].as_array().unwrap().iter().map(|line| line["seq"].as_u64().unwrap()));
        }
        seen.extend(data(event, "log").iter().map(|line| line["seq"].as_u64().unwrap()));
    }
    assert!(seen.is_sorted_by(|one, next| one < next), "a line came twice");
    (seen, snapshots)
}

#[tokio::test]
async fn lagging_viewer_gets_every_line_late() {
    let server = Server::start().await;
    let run = server.run("chat", json!({ "lines": 30_000, "pause": 5 })).await;
    let mut late = ask(&server, &format!("{run}/events"), "1.0").await;
    let mut some = [0; 1024];
    late.read_exact(&mut some).await.unwrap();
    server.ended(&run).await;
    let text = String::from_utf8(some.to_vec()).unwrap() + &rest(late).await;
    let (seen, snapshots) = lines_and_snapshots(&text);
    let first = seen[0];
    assert!(seen.iter().copied().eq(first..=30_000), "{} lines from {first} on", seen.len());
    assert_eq!((snapshots, data(&text, "end").len()), (1, 1));
}

#[tokio::test]
async fn lagging_viewer_gets_a_fresh_snapshot() {
    let limits = Limits::default().reader_timeout(Duration::from_secs(1));
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await;
    let mut flood = Stepwise::of(&server, "pours", json!({ "lines": 20_000, "bytes": 1_000 })).await;
    let mut slow = ask(&server, &format!("{}/events", flood.run), "1.0").await;
    let mut all = vec![0; 1024];
    slow.read_exact(&mut all).await.unwrap();
    flood.go_on().await;
    // It reads a little at a time, too slowly, until it gets a snapshot of the current state.
    let mut piece = [0; 8 * 1024];
    let anew = async {
        while !String::from_utf8_lossy(&all[1024..]).contains("event: snapshot\n") {
            let length = slow.read(&mut piece).await.unwrap();
            assert!(length > 0, "the stream ended before");
            all.extend_from_slice(&piece[..length]);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), anew).await.expect("it was never given the present");
    let text = String::from_utf8(all).unwrap() + &rest(slow).await;
    let (seen, snapshots) = lines_and_snapshots(&text);
    assert!(snapshots > 1 && seen.len() < 20_000, "{snapshots} snapshots, {} lines", seen.len());
    assert_eq!((seen.last(), data(&text, "end").len()), (Some(&20_000), 1));
}

#[tokio::test]
async fn http10_client_reads_until_close() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 3, "pause": 50 })).await;
    let text = rest(ask(&server, &format!("{run}/events"), "1.0").await).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK") && !head.contains("chunked"), "{head}");
    assert!(body.starts_with("retry: ") && !body.contains('\r'), "{body}");
    assert_eq!(data(body, "end").len(), 1);
}

#[tokio::test]
async fn pipelined_stream_follows_earlier_answer() {
    let server = Server::start().await;
    let run = server.run("chat", json!({ "lines": 9_000, "pause": 0 })).await;
    server.ended(&run).await;
    let get = |path: &str| format!("GET {run}/{path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    let mut stream = ask(&server, &format!("{run}/log"), "1.1").await;
    stream.write_all(get("log").as_bytes()).await.unwrap();
    stream.write_all(get("events").as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let text = rest(stream).await;
    let heads: Vec<usize> = text.match_indices("HTTP/1.1 200 OK").map(|(place, _)| place).collect();
    assert_eq!(heads.len(), 3);
    assert_eq!(text[..heads[1]].matches("line").count(), text[heads[1]..heads[2]].matches("line").count());
    assert!(text[..heads[1]].len() > 500_000 / 2);
    assert!(text[heads[2]..].contains("text/event-stream"));
    assert!(text.ends_with("0\r\n\r\n") && text.contains("event: end"));
}

#[tokio::test]
async fn talking_viewer_is_ignored_then_closed() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let before = descriptors();
    for _ in 0..10 {
        let mut crowd = Vec::new();
        for viewer in 0..100 {
            let mut stream = ask(&server, &format!("{run}/events"), "1.1").await;
            // Some are cut off in the head, some in the snapshot, some later.
            if viewer % 3 > 0 {
                let mut some = vec![0; viewer];
                stream.read_exact(&mut some).await.unwrap();
            }
            if viewer % 2 > 0 {
                stream.set_zero_linger().unwrap();
            }
            crowd.push(stream);
        }
    }
    settles(true, || descriptors() <= before).await;
    let run = json_of(server.get(&run).send().await.unwrap()).await;
    assert_eq!(run["status"], "running");
}

#[tokio::test]
async fn thousand_reconnects_leak_no_descriptor() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let mut stream = ask(&server, &format!("{run}/events"), "1.1").await;
    let mut some = [0; 100];
    stream.read_exact(&mut some).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let chatter = vec![b'x'; 16 * 1024];
    let talked = async {
        while stream.write_all(&chatter).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), talked).await.expect("it may talk for ever");
}

#[tokio::test]
async fn viewers_of_one_run_agree() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 300, "pause": 2 })).await;
    let mut crowd = Vec::new();
    for _ in 0..50 {
        crowd.push(server.events(&run).await);
    }
    for events in futures_util::future::join_all(crowd.into_iter().map(Events::all)).await {
        let numbers = process_tests::events::line_numbers(&events);
        assert!(numbers.into_iter().eq(1..=300));
        assert_eq!(events.last().map(|event: &Event| event.name.as_str()), Some("end"));
    }
}
