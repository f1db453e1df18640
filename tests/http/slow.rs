//! Clients that send slowly, too much or nothing are disconnected, and others are served meanwhile.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use process_runtime::Limits;
use process_runtime::prelude::*;
use process_tests::Server;
use process_tests::server::json as json_of;
use process_tests::wire::{Request, chunk};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

const SHORT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(30);
const GET: &[u8] = b"GET /runs HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// More than the kernel buffers for a client that does not read.
const MUCH: usize = 64 << 20;

/// Offers a file of zeros.
#[process(title = "Offering much", group = "slow")]
async fn offers_much() -> Result<(), std::io::Error> {
    let path = std::env::temp_dir().join(format!("much-{}", process_runtime::RunId::new()));
    std::fs::write(&path, vec![b'0'; MUCH])?;
    artifact("much.txt", &path)
}

async fn hasty() -> Server {
    let limits = Limits::default()
        .header_timeout(SHORT)
        .body_timeout(SHORT)
        .min_body_bytes_per_second(2_000)
        .reader_timeout(SHORT);
    // An idle connection may be closed just as it is reused.
    Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await.asked_anew()
}

/// How many descriptors this process has open.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Another client gets a response in time.
async fn is_served(server: &Server) {
    let began = Instant::now();
    assert_eq!(server.get("/runs").send().await.unwrap().status(), 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// A head like this, and then a byte of it now and then, until the other side has had enough.
async fn dribble(mut request: Request, byte: &[u8]) -> (usize, String) {
    let began = Instant::now();
    let mut sent = 0;
    while request.0.write_all(byte).await.is_ok() && began.elapsed() < LONG {
        sent += byte.len();
        tokio::time::sleep(Duration::from_millis(50)).await;
        if request.0.try_read(&mut []).is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock) {
            break;
        }
        let mut answer = vec![0; 4096];
        if let Ok(length) = request.0.try_read(&mut answer) {
            answer.truncate(length);
            return (sent, String::from_utf8(answer).unwrap());
        }
    }
    assert!(began.elapsed() < LONG, "it was listened to for as long as it talked");
    (sent, String::new())
}

#[tokio::test]
async fn slow_headers_time_out() {
    let server = hasty().await;
    let before = descriptors();
    let mut idle = Vec::new();
    for beginning in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", b"GET /runs HT", GET] {
        for _ in 0..20 {
            idle.push(Request::begun(&server, beginning).await);
        }
    }
    is_served(&server).await;
    let closed = join_all(idle.iter_mut().map(|request| request.is_closed_within(LONG))).await;
    assert!(closed.into_iter().all(|closed| closed));
    let slow = (0..20).map(|_| async {
        let head = b"GET /runs HTTP/1.1\r\nhost: localhost\r\nx-slow: ";
        dribble(Request::begun(&server, head).await, b"x").await
    });
    let (slow, ()) = tokio::join!(join_all(slow), is_served(&server));
    assert!(slow.iter().all(|(sent, _)| *sent < 100), "{slow:?}");
    drop(idle);
    for _ in 0..100 {
        if descriptors() <= before + 4 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} descriptors are open, and {before} were before", descriptors());
}

#[tokio::test]
async fn slow_body_is_408() {
    let server = hasty().await;
    let mut answers = Vec::new();
    for (kind, first) in [
        ("application/json", "{\"total\":"),
        (
            "multipart/form-data; boundary=b",
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx",
        ),
    ] {
        let head = format!(
            "POST /fields/takes-files/start HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n\
             accept: application/json\r\ncontent-length: 100000\r\n\r\n{first}"
        );
        answers.push(dribble(Request::begun(&server, head.as_bytes()).await, b"1").await.1);
    }
    for answer in answers {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("Send at least 2,000 bytes per second."), "{answer}");
    }
    let staged = server.folder.path().join("uploads/staging");
    assert_eq!(std::fs::read_dir(staged).map_or(0, Iterator::count), 0);
}

#[tokio::test]
async fn steady_large_body_may_take_longer() {
    let server = hasty().await;
    let mut request = Request::multipart(&server, "fields/takes-files", "transfer-encoding: chunked").await;
    let part = process_tests::Multipart::new().file("file", "a", b"").unfinished();
    request.send_chunk(&part[..part.len() - 2]).await;
    // Three times the timeout of an idle body.
    for _ in 0..15 {
        request.send(&chunk(&[b'x'; 1_000])).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let end = process_tests::Multipart::new().text("name", "").finished();
    request.send(&chunk(&[b"\r\n", &end[..]].concat())).await;
    request.send(b"0\r\n\r\n").await;
    let answer = request.answer().await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[tokio::test]
async fn endless_header_or_chunk_extension_stops() {
    let server = hasty().await;
    let post = b"POST /count/start HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n1;";
    for (beginning, piece, status) in [
        (&b"GET / HTTP/1.1\r\nx: "[..], "x".repeat(4 << 10), "431"),
        (b"GET / HTTP/1.1\r\n", "x: y\r\n".repeat(500), "431"),
        (b"GET /", "x".repeat(4 << 10), "4"),
        (post, "x".repeat(4 << 10), ""),
    ] {
        let (sent, answer) = Request::begun(&server, beginning).await.flood(piece.as_bytes()).await;
        assert!(sent < 16 << 20, "{sent} bytes were taken after {beginning:?}");
        // The rest of the request is not read, and closing may discard the response, too.
        assert!(answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        is_served(&server).await;
    }
}

/// A connection with a small receive buffer.
async fn narrow(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(server.url.trim_start_matches("http://").parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn unread_pipelined_requests_are_disconnected() {
    let server = hasty().await;
    let run = server.run("chat", json!({ "lines": 5_000 })).await;
    server.ended(&run).await;
    let asks = format!("GET {run}/log HTTP/1.1\r\nhost: localhost\r\n\r\n").repeat(100);
    let mut socket = narrow(&server).await;
    let began = Instant::now();
    let mut sent = 0;
    while matches!(tokio::time::timeout(LONG, socket.write_all(asks.as_bytes())).await, Ok(Ok(()))) {
        sent += asks.len();
        assert!(sent < 64 << 20, "{sent} bytes were taken, and nothing was read");
    }
    assert!(began.elapsed() < LONG, "it was waited for");
    is_served(&server).await;
}

#[tokio::test]
async fn stalled_download_is_disconnected() {
    let server = hasty().await;
    let run = server.run("slow/offers-much", json!({})).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    let mut socket = narrow(&server).await;
    let get = format!("GET {run}/files/much.txt HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.write_all(get.as_bytes()).await.unwrap();
    tokio::time::sleep(SHORT * 4).await;
    let mut all = Vec::new();
    let read = tokio::time::timeout(LONG, socket.read_to_end(&mut all)).await;
    drop(read.expect("it was not sent away"));
    assert!(all.starts_with(b"HTTP/1.1 200 ") && all.len() < MUCH, "all {} bytes of it came", all.len());
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// GET, http, / and localhost in HPACK.
const ASKS: &[u8] = b"\x82\x86\x84\x41\x09localhost";

#[tokio::test]
async fn http2_rapid_reset_blocks_nobody() {
    let server = hasty().await;
    let settings = frame(4, 0, 0, &[]);
    let mut flood = Vec::new();
    for stream in (1..20_000).step_by(2) {
        flood.extend(frame(1, 5, stream, ASKS));
        flood.extend(frame(3, 0, stream, &8_u32.to_be_bytes()));
    }
    let floods = (0..4).map(|_| async {
        let mut request = Request::begun(&server, &[PREFACE, &settings[..]].concat()).await;
        let _ = tokio::time::timeout(LONG, request.0.write_all(&flood)).await;
        request.is_closed_within(LONG).await
    });
    let others = async {
        for _ in 0..10 {
            is_served(&server).await;
        }
    };
    let (closed, ()) = tokio::join!(join_all(floods), others);
    assert!(closed.into_iter().all(|closed| closed), "one who does nothing else is not kept");
}

#[tokio::test]
async fn idle_http2_connection_is_closed() {
    let server = hasty().await;
    let settings = frame(4, 0, 0, &[]);
    let mut idle = Request::begun(&server, &[PREFACE, &settings[..]].concat()).await;
    assert!(idle.is_closed_within(LONG).await);
    let site = process_tests::Site::with(server.url.clone(), |client| client.http2_prior_knowledge());
    let run = site.run("count", json!({ "total": 8, "pause": 300 })).await;
    // Its stream is open for longer than the idle timeout.
    let events = site.events(&run).await.all().await;
    assert_eq!(events.last().unwrap().name, "end");
    assert_eq!(json_of(site.get(&run).send().await.unwrap()).await["status"], "succeeded");
}
