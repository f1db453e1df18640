//! Cancelling reaches a body at its next await or its next helper call, and drops what it held.

use std::sync::atomic::Ordering;

use process_tests::Server;
use process_tests::server::json;
use serde_json::json;

#[tokio::test]
async fn waiting_body_is_dropped_at_await() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let mut events = server.events(&run).await;
    events.until_logged().await;
    let answer = json(server.post(&format!("{run}/cancel")).send().await.unwrap()).await;
    assert_eq!(answer["status"], "cancelling");
    let rest = events.all().await;
    assert_eq!(rest.last().unwrap().data["status"], "cancelled");
    // Reports of destructors still arrive.
    assert!(rest.iter().any(|event| event.data["text"] == "cleaned up"), "{rest:?}");
    assert_eq!(server.traces.guards_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn blocking_body_cancels_at_next_helper() {
    let server = Server::start().await;
    let run = server.run("spin", json!({})).await;
    server.events(&run).await.until(|event| event.data["percent"].is_number()).await;
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(server.ended(&run).await["status"], "cancelled");
    assert_eq!(server.traces.guards_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cancelled_thread_is_not_a_failure() {
    let server = Server::start().await;
    for _ in 0..10 {
        let run = server.run("delegates", json!({})).await;
        server.events(&run).await.until(|event| event.data["percent"].is_number()).await;
        server.post(&format!("{run}/cancel")).send().await.unwrap();
        let ended = server.ended(&run).await;
        assert_eq!((&ended["status"], &ended["error"]), (&json!("cancelled"), &json!(null)));
    }
}

#[tokio::test]
async fn leftover_thread_stops_at_next_report() {
    let server = Server::start().await;
    let run = server.run("works-beside", json!({})).await;
    server.events(&run).await.until(|event| event.data["percent"].is_number()).await;
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(server.ended(&run).await["status"], "cancelled");
    for _ in 0..500 {
        if server.traces.guards_dropped.load(Ordering::SeqCst) == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the thread is still at work");
}

#[tokio::test]
async fn queued_run_is_cancelled_without_running() {
    let server = Server::start().await;
    let first = server.run("count", json!({ "total": 20, "pause": 20 })).await;
    let second = server.run("count", json!({})).await;
    let viewer = server.events(&second).await;
    let answer = json(server.post(&format!("{second}/cancel")).send().await.unwrap()).await;
    assert_eq!(answer["status"], "cancelled");
    assert_eq!(viewer.all().await.last().unwrap().data["status"], "cancelled");
    server.ended(&first).await;
    assert_eq!(server.traces.bodies_started.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn cancelling_ended_run_changes_nothing() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 1 })).await;
    let before = server.ended(&run).await;
    let answer = server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(json(answer).await, before);
}

#[tokio::test]
async fn cancel_form_redirects_to_run() {
    let server = Server::nested("/p").await;
    let run = server.run("wait", json!({})).await;
    let answer = server.post(&format!("{run}/cancel")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"].to_str().unwrap(), format!("/p{run}"));
}
