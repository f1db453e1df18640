//! A new version of the program runs what an earlier one stored, if the values are still valid.

use std::path::Path;

use process_runtime::prelude::*;
use process_runtime::store::{Control, StartOptions};
use process_runtime::{
    Field, Run, RunId, RunStatus,
    field::{FieldErrors, PlainOptions, Shape, TextOptions},
    run::SavedCursor,
};
use process_tests::Server;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::control::ask;

/// Where a run is: in the version before it was called otherwise, and had no `part`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    #[serde(default)]
    part: u8,
    line: u64,
}

#[derive(Field)]
struct Address {
    street: String,
    #[field(default = "0000")]
    zip: String,
}

/// The name of a file, which is accepted once the file is there: as by a version of the program that is mended.
struct Mended(String);

impl Field for Mended {
    type Options = PlainOptions<Self>;

    fn shape(_: &PlainOptions<Self>) -> Shape {
        String::shape(&TextOptions::default())
    }

    fn parse(value: &Value, _: &PlainOptions<Self>) -> Result<Self, FieldErrors> {
        let path = String::parse(value, &TextOptions::default())?;
        let there = path.is_empty() || Path::new(&path).exists();
        if there { Ok(Self(path)) } else { Err("it is not accepted yet".into()) }
    }

    fn render(&self) -> Value {
        self.0.clone().into()
    }

    fn absent() -> Option<Self> {
        Some(Self(String::new()))
    }
}

/// Logs its inputs.
#[process(title = "Deployed", concurrency = 8, validate = never)]
async fn deployed(
    cursor: Cursor<Position>,
    wider: u64,
    b: Option<String>,
    #[field(default = 3, max = 9)] count: u8,
    address: Option<Address>,
    mended: Mended,
    password: Option<Secret<String>>,
) {
    let at = cursor.get().map_or(0, |at| at.line + u64::from(at.part));
    let address = address.map(|address| format!("{} {}", address.street, address.zip));
    log(format!("{wider} {b:?} {count} {address:?} at {at}"));
    let _ = (mended.0, password);
    cursor.save(Position { part: 0, line: at + 1 });
}

/// An accepted input is not validated again.
fn never(_: &DeployedInput) -> Result<(), FieldErrors> {
    Err("nothing can be started any more".into())
}

#[process(title = "Takes no cursor any more")]
async fn takes_no_cursor_any_more() {
    log("started over");
}

fn old_run(route: &str, input: Value) -> Run {
    Run::queued(route, "Deployed", input.as_object().unwrap().clone())
}

async fn started(server: &Server, run: Run) -> String {
    let id = run.id;
    server.processes.store().start(run, StartOptions::default()).await.unwrap();
    format!("/runs/{id}")
}

async fn stored(server: &Server, run: &str) -> Run {
    let id: RunId = run.trim_start_matches("/runs/").parse().unwrap();
    server.processes.store().run(id).await.unwrap().unwrap()
}

async fn log_of(server: &Server, run: &str) -> String {
    server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap()
}

async fn page_of(server: &Server, run: &str) -> String {
    server.get(run).header("accept", "text/html").send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn queued_run_of_older_form_starts() {
    let server = Server::start().await;
    let runs = [
        (json!({ "wider": 7 }), "7 None 3 None at 0", None),
        // From a form, and with a default now and in another order.
        (json!({ "count": 2, "wider": "8", "b": "x" }), "8 Some(\"x\") 2 None at 0", None),
        (
            json!({ "wider": 9, "gone": [1], "address": { "street": "Main", "floor": 2 } }),
            "9 None 3 Some(\"Main 0000\") at 0",
            Some("gone, address.floor"),
        ),
    ];
    for (input, said, left_out) in runs {
        let run = started(&server, old_run("deployed", input)).await;
        let ended = server.ended(&run).await;
        assert_eq!(ended["status"], "succeeded", "{ended}");
        let log = log_of(&server, &run).await;
        assert!(log.contains(said), "{log}");
        assert_eq!(ended["warnings"], u64::from(left_out.is_some()), "{log}");
        assert!(left_out.is_none_or(|names| log.contains(names)), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_cursor_type_resumes() {
    let server = Server::start().await;
    let mut run = old_run("deployed", json!({ "wider": 7, "gone": 1 }));
    run.bookkeeping.cursor =
        Some(serde_json::from_value(json!({ "type": "shop::Place", "value": { "line": 40 } })).unwrap());
    let run = started(&server, run).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    assert!(log_of(&server, &run).await.contains("7 None 3 None at 40"));
}

#[tokio::test(flavor = "multi_thread")]
async fn incompatible_input_is_refused_keeping_cursor() {
    let server = Server::start().await;
    let cases = [
        (json!({ "wider": "many" }), vec!["wider: ", "stored: \"many\"", "expected: integer"]),
        (json!({ "wider": -1 }), vec!["wider: ", "stored: -1", "integer"]),
        (json!({}), vec!["wider: ", "stored: nothing", "expected: integer"]),
        (json!({ "wider": 1, "count": 10 }), vec!["count: ", "stored: 10", "9"]),
        (
            json!({ "wider": 1, "address": "Main" }),
            vec!["address: ", "stored: \"Main\"", "expected: (street: text, zip: text)"],
        ),
    ];
    for (input, words) in cases {
        let mut run = old_run("deployed", input.clone());
        let cursor = Some(SavedCursor::new(json!({ "line": 40 })));
        run.bookkeeping.cursor.clone_from(&cursor);
        let run = started(&server, run).await;
        let ended = server.ended(&run).await;
        assert_eq!(ended["status"], "failed", "{input}");
        let error = ended["error"].as_str().unwrap();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert_eq!(stored(&server, &run).await.bookkeeping.cursor, cursor, "{input}");
        // Retry could only be refused: it is, and it is not offered.
        assert_eq!(ask(&server, &run, "retry").await.0, 422);
        let page = page_of(&server, &run).await;
        assert!(!page.contains("/retry"), "{page}");
        assert!(page.contains("Resume is not possible: its process no longer accepts its input"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn incompatible_cursor_allows_only_restart() {
    let server = Server::start().await;
    for (route, value) in [
        ("deployed", json!({ "line": "forty" })),
        ("deployed", json!({ "line": 40, "page": 2 })),
        ("takes-no-cursor-any-more", json!({ "line": 40 })),
    ] {
        let input = if route == "deployed" { json!({ "wider": 1 }) } else { json!({}) };
        let mut run = old_run(route, input);
        run.bookkeeping.cursor = Some(SavedCursor::new(value.clone()));
        let run = started(&server, run).await;
        let ended = server.ended(&run).await;
        assert_eq!(ended["status"], "failed", "{value}");
        assert!(ended["error"].as_str().unwrap().contains(&value.to_string()), "{ended}");
        assert_eq!(stored(&server, &run).await.bookkeeping.cursor.unwrap().value, value);
        let log = log_of(&server, &run).await;
        assert_eq!((log.lines().count(), log.contains(" ERROR ")), (1, true), "its body was called: {log}");
        let (status, problem) = ask(&server, &run, "retry").await;
        assert_eq!(status, 409);
        assert!(problem["detail"].as_str().unwrap().contains(&value.to_string()), "{problem}");
        let page = page_of(&server, &run).await;
        assert!(!page.contains("/retry\"") && page.contains("/retry?from=start\""), "{page}");
        let (status, again) = ask(&server, &run, "retry?from=start").await;
        assert_eq!(status, 201);
        let again = format!("/runs/{}", again["id"].as_str().unwrap());
        assert_eq!(server.ended(&again).await["status"], "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_resumes_after_fixed_deploy() {
    let (server, folder) = (Server::start().await, TempDir::new().unwrap());
    let file = folder.path().join("mended");
    let mut run = old_run("deployed", json!({ "wider": 7, "gone": 1, "mended": file }));
    run.bookkeeping.cursor = Some(SavedCursor::new(json!({ "line": 40 })));
    let run = started(&server, run).await;
    let ended = server.ended(&run).await;
    assert!(ended["error"].as_str().unwrap().contains("mended: it is not accepted yet"), "{ended}");
    assert_eq!(ask(&server, &run, "retry").await.0, 422);
    std::fs::write(&file, "").unwrap();
    assert!(page_of(&server, &run).await.contains("/retry\""));
    let (status, again) = ask(&server, &run, "retry").await;
    assert_eq!(status, 201, "{again}");
    let again = format!("/runs/{}", again["id"].as_str().unwrap());
    let ended = server.ended(&again).await;
    assert_eq!(ended["status"], "succeeded", "{ended}");
    let log = log_of(&server, &again).await;
    assert!(log.contains("7 None 3 None at 40") && log.contains("without them: gone"), "{log}");
    assert_eq!(ended["input"]["gone"], 1, "what was given once is not forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn incompatible_paused_run_stays_paused() {
    let (server, folder) = (Server::start().await, TempDir::new().unwrap());
    let file = folder.path().join("mended");
    let mut run = old_run("deployed", json!({ "wider": 7, "mended": file }));
    run.status = RunStatus::Paused;
    run.bookkeeping.cursor = Some(SavedCursor::new(json!({ "line": 40 })));
    let run = started(&server, run).await;
    let (status, problem) = ask(&server, &run, "resume").await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("mended: it is not accepted yet"), "{problem}");
    assert_eq!(stored(&server, &run).await.status, RunStatus::Paused);
    let page = page_of(&server, &run).await;
    assert!(!page.contains("/resume\"") && page.contains("Resume is not possible"), "{page}");
    std::fs::write(&file, "").unwrap();
    assert_eq!(ask(&server, &run, "resume").await.0, 200);
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    assert!(log_of(&server, &run).await.contains("at 40"));
}

#[tokio::test(flavor = "multi_thread")]
async fn run_with_secret_offers_no_retry() {
    let server = Server::start().await;
    let mut run = old_run("deployed", json!({ "wider": 7, "password": "••••••" }));
    run.status = RunStatus::Paused;
    let run = started(&server, run).await;
    let id = run.trim_start_matches("/runs/").parse().unwrap();
    server.processes.store().control(id, Control::Cancel).await.unwrap();
    let page = page_of(&server, &run).await;
    assert!(page.contains("Start over is not possible") && !page.contains("/retry"), "{page}");
    assert_eq!(ask(&server, &run, "retry").await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_continues_the_counts() {
    let server = Server::start().await;
    let input = json!({ "items": 9, "fails_at": 7 });
    let run = server.run("counts-and-fails", input).await;
    let failed = server.ended(&run).await;
    assert_eq!(
        (&failed["status"], &failed["counts"]),
        (&json!("failed"), &json!({ "done": 5, "failed": 2 }))
    );
    let (status, again) = ask(&server, &run, "retry").await;
    assert_eq!((status, &again["counts"]), (201, &json!({ "done": 4, "failed": 2 })));
    let again = format!("/runs/{}", again["id"].as_str().unwrap());
    let ended = server.ended(&again).await;
    assert_eq!(ended["counts"], json!({ "done": 5, "failed": 2 }), "it fails at the same item");
    assert_eq!(ended["failed_items"], failed["failed_items"]);
}

/// Counts an item, and then fails at it.
#[process(title = "Counting and failing")]
async fn counts_and_fails(cursor: Cursor<u64>, items: u64, fails_at: u64) -> Result<(), String> {
    for item in (1..=items).resume_from(&cursor) {
        if item % 3 == 0 {
            item_failed(item, "it is divided by three");
        } else {
            tally("done");
        }
        if item == fails_at {
            return Err(format!("item {item} is broken"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_run_resumes_with_counts() {
    let server = Server::start().await;
    let run = server.run("counts-what-it-does", json!({ "items": 20 })).await;
    crate::control::until_current(&server, &run, 5).await;
    ask(&server, &run, "pause").await;
    let paused = server.until_status(&run, "paused").await;
    assert_eq!(paused["counts"]["touched"], paused["current"]);
    ask(&server, &run, "resume").await;
    let ended = server.ended(&run).await;
    assert_eq!(ended["counts"], json!({ "touched": 20, "done": 14, "failed": 6 }));
}

/// Fails with the content of its file.
#[process(title = "Failing with a file")]
async fn fails_with_a_file(file: Upload, address: Option<Address>) -> Result<(), String> {
    let street = address.map_or_else(String::new, |address| address.street);
    let text = std::fs::read_to_string(file.path()).map_err(|error| error.to_string())?;
    Err(format!("{text} {street}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_keeps_file_and_fitting_input() {
    let server = Server::start().await;
    let file = json!({ "name": "a.txt", "content": "d2hhdCB0aGUgZmlsZSBzYXlz" });
    let run = server.run("fails-with-a-file", json!({ "file": file, "address": { "street": "Main" } })).await;
    assert_eq!(server.ended(&run).await["error"], "what the file says Main");
    // The same run as an older form would have left it, with its file.
    let mut old = stored(&server, &run).await;
    let uploads = server.folder.path().join("uploads");
    let from = uploads.join(old.id.to_string());
    (old.id, old.status) = (RunId::new(), RunStatus::Queued);
    (old.finished_at, old.error) = (None, None);
    old.input["address"] = json!({ "street": "Main", "floor": 2 });
    let to = uploads.join(old.id.to_string());
    std::fs::create_dir(&to).unwrap();
    std::fs::copy(from.join("file"), to.join("file")).unwrap();
    let old = started(&server, old).await;
    assert_eq!(server.ended(&old).await["error"], "what the file says Main");
    let (status, again) = ask(&server, &old, "retry").await;
    assert_eq!(status, 201, "{again}");
    let again = format!("/runs/{}", again["id"].as_str().unwrap());
    assert_eq!(server.ended(&again).await["error"], "what the file says Main");
    assert!(log_of(&server, &again).await.contains("without them: address.floor"));
}
