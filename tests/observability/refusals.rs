//! Refused requests leave a reason in the operator's log, at a bounded rate.

use process_runtime::{AccessRequest, Actor, Builder, Limits};
use process_tests::Server;
use serde_json::json;
use tempfile::TempDir;

use super::heard;

/// Waits for the one line about this, which is one of many refusals.
async fn only_line_about(part: &str, again: impl AsyncFn()) {
    // Another test may have used up the message of these ten seconds.
    for _ in 0..150 {
        again().await;
        let said = heard::said();
        let about: Vec<_> = said.iter().filter(|one| one.message().contains(part)).collect();
        if !about.is_empty() {
            assert!(about.len() < 3, "{about:?}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing was said of {part}");
}

async fn limited(limits: Limits) -> Server {
    Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await
}

async fn start(server: &Server, process: &str, status: u16) {
    let started = server.json(process, &json!({})).header("accept", "application/json").send().await.unwrap();
    assert_eq!(started.status(), status);
}

#[tokio::test]
async fn refused_starts_name_their_limit() {
    heard::listen();
    let server = limited(Limits::default().max_starts_per_second(1).max_start_burst(1)).await;
    start(&server, "says-nothing", 201).await;
    only_line_about("max_starts_per_second", async || start(&server, "says-nothing", 429).await).await;
    let server = limited(Limits::default().max_queued_per_process(0)).await;
    only_line_about("max_queued_per_process", async || start(&server, "says-nothing", 429).await).await;
}

#[tokio::test]
async fn refused_viewers_name_their_limit() {
    heard::listen();
    let server = limited(Limits::default().max_viewers(1)).await;
    let run = server.run("wait", json!({})).await;
    let _first = server.events(&run).await;
    only_line_about("max_viewers", async || {
        let refused = server.get(&format!("{run}/events")).send().await.unwrap();
        assert_eq!(refused.status(), 503);
    })
    .await;
}

#[tokio::test]
async fn refused_share_link_is_noted() {
    heard::listen();
    // Without an access policy there are no share links.
    let anybody = |builder: Builder| builder.authorize(async |_: AccessRequest| Ok(Actor::anonymous()));
    let server = Server::built(TempDir::new().unwrap(), "", anybody).await;
    let run = server.run("wait", json!({})).await;
    only_line_about("a share link was not accepted", async || {
        for _ in 0..20 {
            server.get(&format!("{run}?share=forged")).send().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn refused_origin_names_both_values_and_cure() {
    heard::listen();
    let server = Server::start().await;
    for _ in 0..50 {
        let request = server.post("/says-nothing/start").header("origin", "http://shop.example:8080");
        let refused = request.header("host", "localhost").send().await.unwrap();
        assert_eq!(refused.status(), 403);
    }
    let said = heard::said();
    let about: Vec<_> = said.iter().filter(|one| one.message().contains("from another site")).collect();
    let [one] = about[..] else { panic!("{about:?}") };
    for part in ["http://shop.example:8080", "for the host localhost", "proxy_set_header Host $http_host"] {
        assert!(one.message().contains(part), "{part}: {one:?}");
    }
}

#[tokio::test]
async fn unknown_host_is_named_with_cure() {
    heard::listen();
    let server = Server::start().await;
    // Another test may have used up the message of these ten seconds.
    for _ in 0..150 {
        let refused = server.get("/").header("host", "evil.example").send().await.unwrap();
        assert_eq!(refused.status(), 421);
        let said = heard::said();
        let about: Vec<_> = said.iter().filter(|one| one.message().contains("evil.example")).collect();
        if let Some(one) = about.first() {
            assert!(about.len() < 3, "{about:?}");
            assert!(one.message().contains("hosts([…])"), "{one:?}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing was said of it");
}
