//! "Edit and run again": the server fills the form in from a run, with its files, and nothing of it is in an address.

use process_runtime::prelude::*;
use process_runtime::store::Retention;
use process_tests::forms::{answer, page, started};
use process_tests::server::json;
use process_tests::{Multipart, Server};
use serde_json::{Value, json};

use crate::access::{server_for, user};

const ROUTE: &str = "fields/takes-files";

/// Takes a secret and a text.
#[process(title = "Taking both")]
async fn takes_both(text: String, key: Secret<String>, from: String) {
    drop((text, key, from));
}

async fn form(server: &Server, path: &str) -> String {
    let response = server.get(path).header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

fn id_of(run: &Value) -> &str {
    run["id"].as_str().unwrap()
}

/// The value of the box that offers a file again.
fn offered<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("<input type=\"checkbox\" name=\"{name}\" value=\"runs/");
    let values = page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap());
    let all: Vec<_> = values.collect();
    all.into_iter().map(|rest| &page[page.find(rest).unwrap() - "runs/".len()..][..rest.len() + 5]).collect()
}

#[tokio::test]
async fn rerun_link_names_only_the_run() {
    let server = Server::start().await;
    let text = "x".repeat(42 << 10);
    let run = server.run("repeats", json!({ "text": text })).await;
    server.ended(&run).await;
    let shown = form(&server, &run).await;
    let id = run.trim_start_matches("/runs/");
    assert!(shown.contains(&format!("href=\"/repeats/show_progress?from={id}\"")), "the link has no inputs");
    let filled = form(&server, &format!("/repeats/show_progress?from={id}")).await;
    assert!(filled.contains(&text));
    // What the address says in addition comes first.
    let changed = form(&server, &format!("/repeats/show_progress?from={id}&text=other")).await;
    assert!(changed.contains("value=\"other\"") && !changed.contains(&text), "{changed}");
}

#[tokio::test]
async fn rerun_form_never_contains_secrets() {
    let server = Server::start().await;
    let input = json!({ "text": "seen", "key": "sk-hidden", "from": "Rome" });
    let run = started(server.json("takes-both", &input)).await;
    let run = server.ended(&format!("/runs/{}", id_of(&run))).await;
    // The process has a field of the name, so the run has another one.
    let shown = form(&server, &format!("/runs/{}", id_of(&run))).await;
    let link = format!("/takes-both/show_progress?from-run={}", id_of(&run));
    assert!(shown.contains(&link), "{shown}");
    let filled = form(&server, &link).await;
    assert!(filled.contains("value=\"seen\"") && filled.contains("value=\"Rome\""), "{filled}");
    assert!(!filled.contains("sk-hidden") && !filled.contains("••"), "{filled}");
    let by_field = form(&server, "/takes-both/show_progress?from=Paris").await;
    assert!(by_field.contains("value=\"Paris\""), "{by_field}");
}

#[tokio::test]
async fn rerun_of_unknown_run_is_404() {
    let server = Server::start().await;
    let run = server.run("says-nothing", json!({})).await;
    let other = run.trim_start_matches("/runs/");
    for from in ["", "x", "0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f", other] {
        let path = format!("/repeats/show_progress?from={from}");
        assert_eq!(server.get(&path).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn rerun_offers_files_again() {
    let server = Server::start().await;
    let first = Multipart::new()
        .file("file", "prices <2>.csv", b"one")
        .file("more", "a.txt", b"two")
        .file("more", "b.txt", b"three")
        .text("documents.0.title", "T")
        .file("documents.0.file", "c.pdf", b"four");
    let first = started(server.multipart(ROUTE, first)).await;
    server.ended(&format!("/runs/{}", id_of(&first))).await;
    let filled = form(&server, &format!("/{ROUTE}/show_progress?from={}", id_of(&first))).await;
    assert!(filled.contains("Use <bdi>prices &lt;2&gt;.csv</bdi> again"), "{filled}");
    let [file] = offered(&filled, "file")[..] else { panic!("{filled}") };
    let [kept, _left_out] = offered(&filled, "more")[..] else { panic!("{filled}") };
    let [document] = offered(&filled, "documents.0.file")[..] else { panic!("{filled}") };
    assert_eq!(file, format!("runs/{}/inputs/file", id_of(&first)));
    // As a browser sends it: file inputs without a file, too. One box is not ticked, and one file is new.
    let second = Multipart::new()
        .text("file", file)
        .file("file", "", b"")
        .text("more", kept)
        .file("more", "new.txt", b"seven")
        .text("documents.0", "given")
        .text("documents.0.title", "T")
        .text("documents.0.file", document)
        .file("documents.0.file", "", b"");
    let second = started(server.multipart(ROUTE, second)).await;
    let ended = server.ended(&format!("/runs/{}", id_of(&second))).await;
    assert_eq!(ended["result"]["names"], json!(["prices <2>.csv", "a.txt", "new.txt", "c.pdf"]));
    assert_eq!(ended["result"]["beginnings"], json!(["one", "two", "seven", "four"]));
    // The new run has its own: it keeps them when the first one is gone.
    let retention = Retention::default().newest(1);
    let pruned = server.processes.store().prune(retention).await.unwrap();
    assert_eq!(pruned.runs.len(), 1);
    std::fs::remove_dir_all(server.folder.path().join("uploads").join(id_of(&first))).unwrap();
    let file = server.get(&format!("/runs/{}/inputs/file", id_of(&second))).send().await.unwrap();
    assert_eq!(file.text().await.unwrap(), "one");
}

#[tokio::test]
async fn new_file_replaces_the_offered_one() {
    let server = Server::start().await;
    let first = started(server.multipart(ROUTE, Multipart::new().file("file", "old.csv", b"old"))).await;
    let old = format!("runs/{}/inputs/file", id_of(&first));
    let both = Multipart::new().text("file", &old).file("file", "new.csv", b"new");
    let second = started(server.multipart(ROUTE, both)).await;
    assert_eq!(second["input"]["file"]["name"], "new.csv");
    // JSON names a file of a run in the same way, also by its whole address.
    let again = started(server.json(ROUTE, &json!({ "file": format!("/{old}") }))).await;
    assert_eq!(again["input"]["file"]["name"], "old.csv");
    let ended = server.ended(&format!("/runs/{}", id_of(&again))).await;
    assert_eq!(ended["result"]["beginnings"], json!(["old"]));
}

#[tokio::test]
async fn mistake_elsewhere_keeps_the_offered_file() {
    let server = Server::start().await;
    let first = started(server.multipart(ROUTE, Multipart::new().file("file", "a.csv", b"one"))).await;
    let file = format!("runs/{}/inputs/file", id_of(&first));
    let wrong = Multipart::new().text("file", &file).file("file", "", b"").text("wait", "soon");
    let (status, shown) = page(server.multipart(ROUTE, wrong)).await;
    assert_eq!(status, 422);
    assert_eq!(offered(&shown, "file"), [file.as_str()], "{shown}");
    assert!(!shown.contains("choose the file again"), "{shown}");
}

#[tokio::test]
async fn file_that_is_gone_is_named() {
    let server = Server::start().await;
    let first = started(server.multipart(ROUTE, Multipart::new().file("file", "a.csv", b"one"))).await;
    server.ended(&format!("/runs/{}", id_of(&first))).await;
    for file in [
        format!("runs/{}/inputs/small", id_of(&first)),
        format!("runs/{}/inputs/../file", id_of(&first)),
        "runs/0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f/inputs/file".to_owned(),
    ] {
        let (status, told) = answer(server.json(ROUTE, &json!({ "file": file }))).await;
        assert_eq!(status, 422, "{told}");
        assert_eq!(told["errors"][0]["field"], "file");
        assert!(told["errors"][0]["message"].as_str().unwrap().contains("no longer available"), "{told}");
    }
    std::fs::remove_dir_all(server.folder.path().join("uploads").join(id_of(&first))).unwrap();
    let filled = form(&server, &format!("/{ROUTE}/show_progress?from={}", id_of(&first))).await;
    assert_eq!(offered(&filled, "file"), [""; 0]);
    let download = server.get(&format!("/runs/{}/inputs/file", id_of(&first))).send().await.unwrap();
    assert_eq!(download.status(), 404);
}

#[tokio::test]
async fn hidden_run_gives_neither_inputs_nor_files() {
    let server = server_for(|request| {
        // They may start everything, and see and download their own.
        let own = request.run().is_none_or(|run| run.actor.as_deref() == user(request));
        request.action() == process_runtime::Action::Start || own
    })
    .await;
    let send = async |name: &str, body: Value| {
        let request = server.json(ROUTE, &body).header("x-user", name);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json(response).await)
    };
    let file = json!({ "name": "a.csv", "content": "aGVsbG8=" });
    let (status, run) = send("ann", json!({ "file": file, "name": "of-ann" })).await;
    assert_eq!(status, 201);
    let address = format!("runs/{}/inputs/file", id_of(&run));
    let (status, told) = send("bob", json!({ "file": address })).await;
    assert_eq!(status, 422, "{told}");
    assert_eq!(send("ann", json!({ "file": address })).await.0, 201);
    for name in ["bob", "ann"] {
        let request =
            server.get(&format!("/{ROUTE}/show_progress?from={}", id_of(&run))).header("x-user", name);
        let expected = if name == "ann" { 200 } else { 404 };
        assert_eq!(request.header("accept", "text/html").send().await.unwrap().status(), expected, "{name}");
        let request = server.get(&format!("/{address}")).header("x-user", name);
        assert_eq!(request.send().await.unwrap().status(), expected, "{name}");
    }
}
