//! Helpers take anything, from anywhere inside a run.

use process_tests::Server;
use process_tests::events::line_numbers;
use serde_json::{Value, json};

#[tokio::test]
async fn odd_values_never_break_a_run() {
    let server = Server::start().await;
    let run = server.run("odd/odd-values", json!({})).await;
    let events = server.events(&run).await.all().await;
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
    assert_eq!(line_numbers(&events), [1, 2]);
    let ended = server.ended(&run).await;
    assert_eq!(ended["title"], "A title event: end");
    assert_eq!(ended["text"], "two\nlines");
    assert_eq!(ended["percent"], 100.0, "it reported 99.5, and all of it is done");
    assert_eq!(events.iter().rev().find_map(|event| event.data["percent"].as_f64()), Some(99.5));
    let events = server.events(&run).await.all().await;
    let lines = events[0].data["log"]["lines"].as_array().unwrap();
    assert_eq!(lines[0]["text"], "one\ntwo\n\nid: forged\n\n and \n the end");
    let long = lines[1]["text"].as_str().unwrap();
    assert!(long.len() < 20_000 && long.ends_with("… [cut: 10000000 bytes in all]"));
    let page = server.get(&run).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 200);
}

#[tokio::test]
async fn helpers_report_from_tasks_and_threads() {
    let server = Server::start().await;
    let run = server.run("spreads", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("succeeded"), &Value::Null));
    let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    for text in ["from a task", "from a blocking task", "from a thread"] {
        assert!(log.contains(text), "{log}");
    }
}
