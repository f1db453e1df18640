//! A program with few file descriptors: excess connections get a 503, and it recovers when descriptors are free.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use process_tests::Multipart;
use serde_json::json;

use super::{Killable, PROGRAM};

/// How long one waits for an answer that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with this limit on open files, and its log.
fn limited(folder: &std::path::Path, files: u32) -> (Killable, mpsc::Receiver<String>) {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n \"$1\" && exec \"$2\" \"$3\"", "sh", &files.to_string(), PROGRAM]);
    command.arg(folder).env("PROCESS_TEST_LOG", "warn").stderr(Stdio::piped());
    let mut server = Killable::from(&mut command).unwrap();
    let errors = BufReader::new(server.child.stderr.take().unwrap());
    let (said, heard) = mpsc::channel();
    thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
    (server, heard)
}

fn connect(server: &Killable) -> TcpStream {
    let socket = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Sends a request and returns the status. The response may arrive before the request is sent.
fn ask(socket: &mut TcpStream) -> String {
    let _ = socket.write_all(b"GET /runs HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n");
    let mut head = [0; 12];
    socket.read_exact(&mut head).unwrap_or_else(|error| panic!("no answer: {error}"));
    String::from_utf8_lossy(&head[9..]).into_owned()
}

/// Repeats requests until one succeeds.
fn until_served(server: &Killable) {
    let began = Instant::now();
    while ask(&mut connect(server)) != "200" {
        assert!(began.elapsed() < PATIENCE, "it does not recover");
        thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_file_limit_are_503() {
    let folder = tempfile::tempdir().unwrap();
    let (server, said) = limited(folder.path(), 64);
    let began = Instant::now();
    for round in 0..3 {
        let mut sockets: Vec<_> = (0..200).map(|_| connect(&server)).collect();
        let answers: Vec<_> = sockets.iter_mut().map(ask).collect();
        let served = answers.iter().filter(|status| *status == "200").count();
        let refused = answers.iter().filter(|status| *status == "503").count();
        assert!(served >= 5 && refused >= 100, "round {round}: {served} served, {refused} refused");
        assert_eq!(served + refused, 200, "{answers:?}");
        drop(sockets);
        until_served(&server);
    }
    let lines: Vec<_> = said.try_iter().collect();
    let said = lines.iter().filter(|line| line.contains("connections are refused with 503"));
    // Immediately, and at most once a minute.
    let minutes = usize::try_from(began.elapsed().as_secs() / 60).unwrap();
    assert!((1..=1 + minutes).contains(&said.count()), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("ulimit -n")), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_continues_while_connections_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _said) = limited(folder.path(), 64);
    let run = server.start_run("count", json!({ "total": 200, "pause": 10 })).await.unwrap();
    // The connection that this client keeps is one of those that are open.
    let mut sockets: Vec<_> = (0..200).map(|_| connect(&server)).collect();
    assert!(sockets.iter_mut().map(ask).any(|status| status == "503"));
    let form = Multipart::new().file("file", "a.txt", &[b'x'; 100_000]).finished();
    let upload = server.client.post(format!("{}/fields/takes-files/start", server.url));
    let upload = upload
        .header("content-type", Multipart::content_type())
        .header("accept", "application/json")
        .body(form)
        .send()
        .await
        .unwrap();
    assert_eq!(upload.status(), 201);
    let file = server.start_run("writes-a-file", json!({})).await.unwrap();
    assert_eq!(server.until(&file, |run| run["finished_at"].is_string()).await["status"], "succeeded");
    let saved = server.get(&format!("/runs/{file}/files/report.txt")).await;
    assert_eq!((saved.status().as_u16(), saved.text().await.unwrap().as_str()), (200, "what the file says"));
    assert_eq!(server.until(&run, |run| run["finished_at"].is_string()).await["status"], "succeeded");
}
