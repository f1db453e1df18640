//! However a body ends, its run ends correctly, and the page shows it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use process_tests::Server;
use serde_json::{Value, json};

async fn page(server: &Server, run: &str) -> String {
    server.get(run).header("accept", "text/html").send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn panic_fails_run_without_details() {
    let server = Server::start().await;
    let run = server.run("panics", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("failed"), &json!("the process panicked")));
    let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    assert!(log.contains("before"));
    let page = page(&server, &run).await;
    assert!(page.contains("the process panicked") && !page.contains("secret details"));
    assert!(!log.contains("secret details") && !ended.to_string().contains("secret details"));
}

#[tokio::test]
async fn error_fails_run_with_text() {
    let server = Server::start().await;
    let run = server.run("fails", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("failed"), &json!("the disk is <b>full</b>")));
    let page = page(&server, &run).await;
    assert!(page.contains("the disk is &lt;b&gt;full&lt;/b&gt;") && !page.contains("<b>full"));
}

#[tokio::test]
async fn end_process_drops_the_body() {
    let server = Server::start().await;
    let run = server.run("ends-early", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(ended["result"], json!({ "message": "enough", "total": 40 }));
    assert_eq!(server.traces.guards_dropped.load(Ordering::SeqCst), 1);
    assert!(page(&server, &run).await.contains("enough"));
}

#[tokio::test]
async fn silent_body_succeeds() {
    let server = Server::start().await;
    let run = server.run("says-nothing", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &Value::Null));
    assert_eq!((&ended["percent"], &ended["attempt"]), (&json!(100.0), &json!(1)));
}

#[tokio::test]
async fn run_survives_when_browsers_leave() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 10, "pause": 20 })).await;
    drop(server.events(&run).await);
    tokio::time::sleep(Duration::from_millis(600)).await;
    let ended = server.until_status(&run, "succeeded").await;
    assert_eq!(ended["result"]["total"], 10);
}

#[tokio::test]
async fn runs_execute_serially_in_order() {
    let server = Server::start().await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(server.run("count", json!({ "total": 3, "pause": 20 })).await);
    }
    let mut ended = Vec::new();
    for run in &runs {
        ended.push(server.ended(run).await);
    }
    for pair in ended.windows(2) {
        let time = |run: &Value, key: &str| run[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        assert!(time(&pair[0], "finished_at") <= time(&pair[1], "started_at"), "{pair:?}");
    }
}

#[tokio::test]
async fn blocking_bodies_do_not_block_pages() {
    let server = Server::start().await;
    let spinning = server.run("spin", json!({})).await;
    let racing = server.run("race", json!({ "steps": 2_000_000_000_u64 })).await;
    let blocking = server.run("blocks", json!({ "milliseconds": 5_000 })).await;
    server.until_status(&racing, "running").await;
    for _ in 0..30 {
        let page = server.get("/").header("accept", "text/html").timeout(Duration::from_secs(5)).send();
        assert_eq!(page.await.unwrap().status(), 200);
    }
    let counting = server.run("count", json!({ "total": 5, "pause": 5 })).await;
    assert_eq!(server.ended(&counting).await["status"], "succeeded");
    let mut events = server.events(&spinning).await;
    events.until(|event| event.data["percent"].is_number()).await;
    for run in [&spinning, &racing] {
        server.post(&format!("{run}/cancel")).send().await.unwrap();
        assert_eq!(server.ended(run).await["status"], "cancelled");
    }
    assert_eq!(server.ended(&blocking).await["status"], "succeeded");
}
