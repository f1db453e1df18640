//! Uploads are written to disk as they arrive, within the limits, and a failed start leaves no file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use process_runtime::{Limits, Processes, Upload};
use process_tests::fields::{TakesFiles, TakesFilesInput};
use process_tests::forms::{answer, errors, page, places, started};
use process_tests::wire::{Request, chunk};
use process_tests::{Multipart, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

const ROUTE: &str = "fields/takes-files";

/// Every file below the folder of uploads, and every folder in it.
fn left_behind(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("uploads")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            if !path.ends_with("staging") {
                found.push(path);
            }
        }
    }
    found
}

async fn until_nothing_is_left(folder: &Path) {
    for _ in 0..250 {
        if left_behind(folder).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("left behind: {:?}", left_behind(folder));
}

async fn result(server: &Server, run: &Value) -> Value {
    let run = server.ended(&format!("/runs/{}", run["id"].as_str().unwrap())).await;
    assert_eq!(run["status"], "succeeded", "{run}");
    run["result"].clone()
}

#[tokio::test]
async fn files_arrive_whole_in_any_order() {
    let server = Server::start().await;
    let form = Multipart::new()
        .file("file", "a.csv", b"one")
        .file("small", "b.TXT", b"two")
        .file("more", "c", b"")
        .file("more", "d", &[0xff, 0, 13, 10])
        .text("documents.3.title", "E")
        .file("documents.3.file", "e", b"five")
        .text("documents.4.title", "")
        .file("documents.4.file", "", b"");
    let run = started(server.multipart(ROUTE, form)).await;
    let names = json!(["a.csv", "b.TXT", "c", "d", "e"]);
    let taken = result(&server, &run).await;
    assert_eq!((&taken["names"], &taken["bytes"]), (&names, &json!(14)));
    let file = &run["input"]["file"];
    assert_eq!(*file, json!({ "name": "a.csv", "type": "text/plain", "size": 3, "file": "file" }));
    assert_eq!(run["input"]["documents"][0]["file"]["file"], "documents.0.file");
    let kept = left_behind(server.folder.path());
    assert_eq!(kept.len(), 6, "five files in one folder: {kept:?}");
    let none = Multipart::new().file("file", "", b"").file("more", "", b"").text("name", "");
    let run = started(server.multipart(ROUTE, none)).await;
    assert_eq!((&run["input"]["file"], &run["input"]["more"]), (&Value::Null, &json!([])));
}

/// As browsers write it: the HTML standard escapes the quote and line breaks of a file name.
#[tokio::test]
async fn quote_in_file_name_arrives() {
    let server = Server::start().await;
    let form = Multipart::new().file("file", "12%22 50%.csv", b"one");
    let run = started(server.multipart(ROUTE, form)).await;
    assert_eq!(run["input"]["file"]["name"], "12\" 50%.csv");
}

#[tokio::test]
async fn empty_file_input_is_ignored() {
    let server = Server::start().await;
    let form = Multipart::new().file("file", "", b"").file("small", "", b"").file("more", "a", b"hello");
    let run = started(server.multipart(ROUTE, form)).await;
    assert_eq!((&run["input"]["file"], &run["input"]["small"]), (&Value::Null, &Value::Null));
    assert_eq!(result(&server, &run).await["beginnings"], json!(["hello"]));
    assert_eq!(left_behind(server.folder.path()).len(), 2, "{:?}", left_behind(server.folder.path()));
}

#[tokio::test]
async fn upload_works_from_json_and_rust() {
    let server = Server::start().await;
    let input = json!({ "file": { "name": "a.csv", "content": "aGVsbG8=" }, "more": [{ "content": "" }] });
    let taken = result(&server, &started(server.json(ROUTE, &input)).await).await;
    assert_eq!(taken, json!({ "names": ["a.csv", "file"], "bytes": 5, "beginnings": ["hello", ""] }));
    let path = server.folder.path().join("of-the-program.txt");
    fs::write(&path, "from Rust").unwrap();
    let file = Upload::from_path(&path).unwrap();
    let input = TakesFilesInput { file: Some(file), ..nothing() };
    let run = TakesFiles::start(&server.processes, input).await.unwrap();
    let ended = run.wait().await.unwrap();
    assert_eq!(ended.result.unwrap()["beginnings"], json!(["from Rust"]));
    assert_eq!(fs::read_to_string(path).unwrap(), "from Rust", "it was copied");
}

fn nothing() -> TakesFilesInput {
    TakesFilesInput {
        file: None,
        small: None,
        more: Vec::new(),
        documents: Vec::new(),
        name: String::new(),
        wait: 0,
    }
}

#[tokio::test]
async fn json_cannot_reach_local_files() {
    let server = Server::start().await;
    let secret = server.folder.path().join("secret.txt");
    fs::write(&secret, "secret").unwrap();
    for file in [
        json!({ "name": "x", "path": secret, "size": 6 }),
        json!({ "name": "x", "path": "/etc/passwd", "size": 1, "file": "../../x" }),
        json!({ "name": "x", "size": 6, "file": secret }),
        json!({ "upload": 0 }),
        json!({ "upload": -1 }),
        json!({ "name": "x", "content": "not base64!" }),
        json!({ "name": "x", "content": "aGVsbG8" }),
        json!({ "name": "x", "content": 5 }),
        json!({ "name": "x" }),
        json!({}),
        json!([]),
        json!([{ "name": "x", "content": "" }]),
        json!("/etc/passwd"),
        json!(5),
        json!(true),
    ] {
        let found = errors(server.json(ROUTE, &json!({ "file": file }))).await;
        assert_eq!(places(&found), ["file"], "{file}");
        assert!(found[0].1.contains("Base64"), "{found:?}");
        let documents =
            json!({ "documents": [{ "file": { "content": "" } }, { "file": file }], "colour": 1 });
        let found = errors(server.json(ROUTE, &documents)).await;
        assert_eq!(places(&found), ["documents.1.file", "colour"], "{file}");
    }
    // A file in another field of the same body does not count either.
    let input = json!({ "file": { "name": "a", "content": "aGVsbG8=" }, "more": [{ "upload": 0 }] });
    assert_eq!(places(&errors(server.json(ROUTE, &input)).await), ["more.0"]);
    // Other members beside the content are ignored.
    let file =
        json!({ "name": "../../a", "content": "aGVsbG8=", "path": secret, "file": "../x", "size": 99 });
    let run = started(server.json(ROUTE, &json!({ "file": file }))).await;
    let expected = json!({ "name": "a", "type": "application/octet-stream", "size": 5, "file": "file" });
    assert_eq!(run["input"]["file"], expected);
    assert_eq!(result(&server, &run).await["beginnings"], json!(["hello"]));
    for text in ["{\"upload\":0}", "/etc/passwd"] {
        assert_eq!(places(&errors(server.form(ROUTE, &[("file", text)])).await), ["file"]);
        let form = Multipart::new().file("more", "a", b"x").text("file", text);
        assert_eq!(places(&errors(server.multipart(ROUTE, form)).await), ["file"]);
    }
}

#[tokio::test]
async fn upload_name_is_display_only() {
    let server = Server::start().await;
    for (sent, shown) in [
        ("../../../etc/passwd", "passwd"),
        ("C:\\\\Users\\\\ada\\\\prices.csv", "prices.csv"),
        ("/", "file"),
        ("..", ".."),
        ("<img src=x>", "<img src=x>"),
        ("say \\\"hi\\\".txt", "say \"hi\".txt"),
    ] {
        let form = Multipart::new().file("file", sent, b"x");
        let run = started(server.multipart(ROUTE, form)).await;
        assert_eq!(
            (&run["input"]["file"]["name"], &run["input"]["file"]["file"]),
            (&json!(shown), &json!("file"))
        );
        let address = format!("/runs/{}", run["id"].as_str().unwrap());
        let html = page(server.get(&address)).await.1;
        assert!(!html.contains("<img"));
        assert_eq!(result(&server, &run).await["names"], json!([shown]));
    }
    for sent in ["a\u{1}\r\n\u{7f}b\tc", "x/a\u{0}bc"] {
        let input = json!({ "file": { "name": sent, "content": "" } });
        let run = started(server.json(ROUTE, &input)).await;
        assert_eq!(run["input"]["file"]["name"], "abc");
    }
    // In the head of a part they are not even readable.
    let form = Multipart::new().file("file", "a\u{1}b", b"x");
    assert_eq!(answer(server.multipart(ROUTE, form)).await.0, 400);
    let found = left_behind(server.folder.path());
    assert!(found.iter().all(|path| path.is_dir() || path.ends_with("file")), "{found:?}");
}

#[tokio::test]
async fn misplaced_file_is_named_with_errors() {
    let server = Server::start().await;
    let form = Multipart::new()
        .file("name", "hello.txt", b"x")
        .file("wait", "5", b"5")
        .file("photo", "a.png", b"x")
        .file("documents.0.title", "t", b"x")
        .file("more.0", "t", b"x")
        .file("small", "a.png", b"x");
    let found = errors(server.multipart(ROUTE, form)).await;
    let mut named = places(&found);
    named.sort_unstable();
    assert_eq!(named, ["documents.0.title", "more.0", "name", "photo", "small", "wait"]);
    assert_eq!(left_behind(server.folder.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn last_of_two_files_wins() {
    let server = Server::start().await;
    let form = Multipart::new().file("file", "a", b"first").file("file", "b", b"second");
    let run = started(server.multipart(ROUTE, form)).await;
    assert_eq!(result(&server, &run).await["beginnings"], json!(["second"]));
    assert_eq!(left_behind(server.folder.path()).len(), 2, "{:?}", left_behind(server.folder.path()));
}

#[tokio::test]
async fn failed_start_leaves_no_file() {
    let server = Server::start().await;
    let file = || Multipart::new().file("file", "a", b"hello").file("more", "b", b"hello");
    assert_eq!(answer(server.multipart(ROUTE, file().text("wait", "soon"))).await.0, 422);
    assert_eq!(page(server.multipart(ROUTE, file().text("wait", "soon"))).await.0, 422);
    assert_eq!(answer(server.multipart("fields/deletes", file())).await.0, 422);
    let big = file().file("small", "b.txt", &[b'x'; 1001]);
    let (status, problem) = answer(server.multipart(ROUTE, big)).await;
    assert_eq!((status, &problem["errors"][0]["field"]), (413, &json!("small")));
    assert_eq!(problem["errors"][0]["message"], "The file must be 1,000 bytes or smaller");
    let broken = server.multipart(ROUTE, file()).body(file().unfinished());
    assert_eq!(answer(broken).await.0, 400);
    let json = json!({ "file": { "content": "aGVsbG8=" }, "wait": "soon" });
    assert_eq!(answer(server.json(ROUTE, &json)).await.0, 422);
    assert_eq!(left_behind(server.folder.path()), Vec::<PathBuf>::new());
    // The same key returns the first run, and the files of the second start are removed.
    let keyed = || server.multipart(ROUTE, file()).header("idempotency-key", "k");
    let first = started(keyed()).await;
    assert_eq!(started(keyed()).await["id"], first["id"]);
    assert_eq!(left_behind(server.folder.path()).len(), 3);
}

#[tokio::test]
async fn too_many_form_parts_is_413() {
    let server = Server::start().await;
    for texts in [true, false] {
        let form = (0..2_001).fold(Multipart::new(), |form, _| match texts {
            true => form.text("more", ""),
            false => form.file("colour", "x", b"x"),
        });
        let (status, problem) = answer(server.multipart(ROUTE, form)).await;
        assert_eq!((status, &problem["detail"]), (413, &json!("A form can have at most 2000 parts.")));
    }
}

/// A server where the files of a start may have 2 MiB.
async fn narrow() -> Server {
    let limits = Limits::default().max_upload_bytes(2 << 20);
    Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await
}

#[tokio::test]
async fn content_length_over_limit_is_413() {
    let server = narrow().await;
    let request = Request::multipart(&server, ROUTE, "content-length: 3145729").await;
    let answer = request.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("The body of a start can have at most 3145728 bytes."), "{answer}");
}

#[tokio::test]
async fn chunked_body_over_limit_is_refused() {
    let server = narrow().await;
    let piece = chunk(&vec![b'x'; 64 << 10]);
    let open = |head: &'static str| {
        let server = &server;
        async move {
            let mut request = Request::multipart(server, ROUTE, "transfer-encoding: chunked").await;
            let part = Multipart::new().part(head, b"").unfinished();
            request.send_chunk(&part[..part.len() - 2]).await;
            request
        }
    };
    let file = "content-disposition: form-data; name=\"file\"; filename=\"a\"";
    let none = "content-disposition: form-data; name=\"colour\"; filename=\"a\"";
    let text = "content-disposition: form-data; name=\"name\"";
    for (head, status, limit) in [(file, 413, 3 << 20), (none, 413, 3 << 20), (text, 422, 1 << 20)] {
        let (sent, answer) = open(head).await.flood(&piece).await;
        println!("{limit} bytes were allowed, {sent} were taken");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer:?}");
        assert!(sent < limit + (16 << 20), "{head}: {sent} bytes were read");
        until_nothing_is_left(server.folder.path()).await;
    }
}

#[tokio::test]
async fn file_over_field_limit_is_413() {
    let server = Server::start().await;
    let length = format!("content-length: {}", 900 << 20);
    let mut request = Request::multipart(&server, ROUTE, &length).await;
    let head = "content-disposition: form-data; name=\"small\"; filename=\"a.txt\"";
    request.send(&Multipart::new().part(head, b"").unfinished()).await;
    let (sent, answer) = request.flood(&[b'x'; 64 << 10]).await;
    println!("1000 bytes were allowed, {sent} of {} were taken", 900 << 20);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer:?}");
    assert!(answer.contains("must be 1,000 bytes or smaller"), "{answer}");
    assert!(sent < 16 << 20, "{sent} bytes were read");
    until_nothing_is_left(server.folder.path()).await;
}

#[tokio::test]
async fn endless_multipart_preamble_is_refused() {
    let server = Server::start().await;
    for beginning in ["", "------geckoformboundary7e57c0de\r\nx: "] {
        let mut request = Request::multipart(&server, ROUTE, "transfer-encoding: chunked").await;
        if !beginning.is_empty() {
            request.send_chunk(beginning.as_bytes()).await;
        }
        let (sent, answer) = request.flood(&chunk(&[b'x'; 16 << 10])).await;
        println!("{sent} bytes that are no value were taken");
        assert!(answer.starts_with("HTTP/1.1 413 ") || answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
        assert!(sent < 16 << 20, "{sent} bytes were read");
    }
}

#[tokio::test]
async fn cut_connection_leaves_no_upload() {
    let server = Server::start().await;
    for length in ["content-length: 1000000", "transfer-encoding: chunked"] {
        let mut request = Request::multipart(&server, ROUTE, length).await;
        let mut body =
            Multipart::new().file("more", "a", b"whole").file("file", "b", &[b'x'; 200_000]).unfinished();
        body.truncate(body.len() - 50_000);
        let body = if length.starts_with("transfer") { chunk(&body) } else { body };
        request.send(&body).await;
        for _ in 0..250 {
            if left_behind(server.folder.path()).len() >= 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(left_behind(server.folder.path()).len(), 3, "a folder with two files");
        drop(request);
        until_nothing_is_left(server.folder.path()).await;
    }
}

#[tokio::test]
async fn abandoned_start_has_files_or_nothing() {
    let server = Server::start().await;
    let path = server.folder.path().join("given.txt");
    fs::write(&path, "given").unwrap();
    let mut begun = 0;
    for round in 0..60_u64 {
        let input = TakesFilesInput { file: Some(Upload::from_path(&path).unwrap()), ..nothing() };
        let start = TakesFiles::start(&server.processes, input);
        let patience = Duration::from_micros(round * round * 4);
        begun += u32::from(tokio::time::timeout(patience, start).await.is_err());
    }
    assert!(begun > 0, "none was given up");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let runs = stored(&server.processes).await;
    println!("{begun} of 60 starts were given up, {} runs were stored", runs.len());
    for run in &runs {
        let ended = server.ended(&format!("/runs/{run}")).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
    }
    let folders = left_behind(server.folder.path()).into_iter().filter(|path| path.is_dir());
    assert_eq!(folders.count(), runs.len());
}

async fn stored(processes: &Processes) -> Vec<String> {
    let filter = process_runtime::store::RunFilter::default().limit(1000);
    let runs = processes.store().runs(filter).await.unwrap();
    runs.into_iter().map(|run| run.id.to_string()).collect()
}
