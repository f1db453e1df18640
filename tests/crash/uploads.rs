//! Files and secrets after a kill, and the memory that a large upload needs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use process_runtime::RunId;
use process_tests::Multipart;
use process_tests::wire::Request;
use serde_json::{Value, json};

use super::Killable;

const ROUTE: &str = "fields/takes-files";

impl Killable {
    fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    async fn upload(&self, form: Multipart) -> String {
        let request = self.client.post(format!("{}/{ROUTE}/start", self.url));
        let request = request.header("content-type", Multipart::content_type()).body(form.finished());
        let response = request.header("accept", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 201);
        process_tests::server::json(response).await["id"].as_str().unwrap().to_owned()
    }
}

/// The names in a folder; none if there is no such folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn queued_upload_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start(folder.path());
    let running = server.upload(Multipart::new().file("file", "a", b"first").text("wait", "60000")).await;
    let queued =
        server.upload(Multipart::new().file("more", "b", b"second").file("more", "c", b"third")).await;
    server.kill();
    // The folder may move in the meantime.
    let moved = tempfile::tempdir().unwrap();
    fs::remove_dir(moved.path()).unwrap();
    fs::rename(folder.path(), moved.path()).unwrap();
    let server = Killable::start(moved.path());
    let run = server.ended(&queued).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(run["result"]["beginnings"], json!(["second", "third"]));
    assert_eq!(server.ended(&running).await["status"], "interrupted");
    let mut kept = names(&moved.path().join("uploads"));
    kept.sort();
    assert_eq!(kept, [running, queued]);
    server.kill();
}

#[tokio::test]
async fn killed_upload_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let uploads = folder.path().join("uploads");
    let server = Killable::start(folder.path());
    let mut request = Request::to(server.host(), ROUTE, "content-length: 10000000").await;
    request.send(&Multipart::new().file("file", "a", &[b'x'; 1_000_000]).unfinished()).await;
    let staged = || names(&uploads.join("staging"));
    for _ in 0..500 {
        if !staged().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(staged().len(), 1);
    server.kill();
    assert_eq!(staged().len(), 1, "killed before it could clear up");
    // Killed between the files and the run: a folder whose run was never stored.
    let never_stored = uploads.join(RunId::new().to_string());
    fs::create_dir(&never_stored).unwrap();
    fs::write(never_stored.join("file"), "x").unwrap();
    // Folders that do not belong to the runtime stay.
    fs::create_dir(uploads.join("lost+found")).unwrap();
    let server = Killable::start(folder.path());
    for _ in 0..500 {
        if names(&uploads) == ["lost+found"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(names(&uploads), ["lost+found"]);
    server.kill();
}

#[tokio::test]
async fn queued_run_with_lost_secret_fails() {
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start(folder.path());
    let input = |wait: u64| json!({ "password": "canary-4711", "login": { "user": "ada", "token": "t" }, "wait": wait });
    server.start_run("fields/signs-in", input(60_000)).await.unwrap();
    let queued = server.start_run("fields/signs-in", input(0)).await.unwrap();
    server.kill();
    let server = Killable::start(folder.path());
    let run = server.ended(&queued).await;
    assert_eq!((&run["status"], &run["result"]), (&json!("failed"), &Value::Null));
    let gone = "Enter the secret again: it was kept in memory only";
    let error = format!("the stored values do not match the process: password: {gone}; login.token: {gone}");
    assert_eq!(run["error"], error);
    server.kill();
}

/// The most memory that a program has had so far, in KiB.
#[cfg(target_os = "linux")]
fn most_memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The head and the end of a body whose file is sent in between.
#[cfg(target_os = "linux")]
fn around_a_file() -> (Vec<u8>, Vec<u8>) {
    let head = "content-disposition: form-data; name=\"file\"; filename=\"large\"";
    let mut head = Multipart::new().part(head, b"").unfinished();
    head.truncate(head.len() - 2);
    (head, [b"\r\n".as_slice(), &Multipart::new().finished()].concat())
}

/// 10 GiB with `PROCESS_LOAD=full`, otherwise a small file.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn large_upload_streams_to_disk() {
    let full = std::env::var("PROCESS_LOAD").is_ok_and(|load| load == "full");
    let pieces: u64 = if full { 10 << 10 } else { 96 };
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_UPLOAD", &(11_u64 << 30).to_string())]);
    server.upload(Multipart::new().file("file", "a", b"small")).await;
    let before = most_memory(server.child.id());
    let (head, end) = around_a_file();
    let length = head.len() as u64 + (pieces << 20) + end.len() as u64;
    let mut request =
        Request::to(server.host(), ROUTE, &format!("content-length: {length}\r\nconnection: close")).await;
    request.send(&head).await;
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..pieces {
        request.send(&piece).await;
    }
    request.send(&end).await;
    // The file is on disk before the response.
    let answer = request.answer_within(Duration::from_secs(60)).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let run: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let id = run["id"].as_str().unwrap();
    let files = fs::read_dir(folder.path().join("uploads").join(id)).unwrap();
    let kept: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    let run = server.ended_within(id, Duration::from_secs(300)).await;
    assert_eq!((&run["result"]["bytes"], kept), (&json!(pieces << 20), pieces << 20), "{run}");
    let after = most_memory(server.child.id());
    println!("{pieces} MiB were taken in; memory: {before} KiB before, {after} KiB at most");
    assert!(after - before < 16 << 10, "{before} KiB before, {after} KiB at most");
    server.kill();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn oversized_chunked_upload_is_refused() {
    const LIMIT: u64 = 64 << 20;
    let folder = tempfile::tempdir().unwrap();
    let server = Killable::start_with(folder.path(), &[("PROCESS_TEST_UPLOAD", &LIMIT.to_string())]);
    server.upload(Multipart::new().file("file", "a", b"small")).await;
    let before = most_memory(server.child.id());
    let mut request = Request::to(server.host(), ROUTE, "transfer-encoding: chunked").await;
    request.send_chunk(&around_a_file().0).await;
    let (sent, answer) = request.flood(&process_tests::wire::chunk(&vec![b'x'; 1 << 20])).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    let after = most_memory(server.child.id());
    println!(
        "{LIMIT} bytes were allowed, {sent} were taken; memory: {before} KiB before, {after} KiB at most"
    );
    assert!(sent < LIMIT + (16 << 20), "{sent} bytes were read");
    assert!(after - before < 16 << 10, "{before} KiB before, {after} KiB at most");
    assert_eq!(names(&folder.path().join("uploads/staging")), [""; 0]);
    server.kill();
}
