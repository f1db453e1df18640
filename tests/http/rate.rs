//! The rate limit of starts, and the Retry-After of rejected ones.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use process_runtime::{AccessRequest, Actor, Builder, Limits};
use process_tests::fixtures::{Count, CountInput};
use process_tests::forms::{page, started};
use process_tests::server::json as json_of;
use process_tests::{Server, Site};
use serde_json::json;
use tempfile::TempDir;

async fn paced(prefix: &str, start_rate: u32, start_burst: u32) -> Server {
    let limits = Limits::default().max_starts_per_second(start_rate).max_start_burst(start_burst);
    Server::built(TempDir::new().unwrap(), prefix, |builder| builder.limits(limits)).await
}

/// The status of a start with nothing in it.
async fn start(site: &Site) -> u16 {
    let start = site.post("/count/start").header("accept", "application/json");
    start.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn burst_over_rate_limit_is_429() {
    for prefix in ["", "/a"] {
        let server = paced(prefix, 1, 3).await;
        for _ in 0..3 {
            assert_eq!(start(&server).await, 201, "{prefix}");
        }
        let refused = server.json("count", &json!({})).header("accept", "application/json");
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), 429);
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert_eq!(
            (wait, &refused.headers()["content-type"]),
            (1, &"application/problem+json".parse().unwrap())
        );
        let said = "Too many starts in a short time. Try again in 1 second.";
        assert_eq!(json_of(refused).await["detail"], said);
        tokio::time::sleep(Duration::from_secs(wait)).await;
        assert_eq!(start(&server).await, 201);
        assert_eq!(start(&server).await, 429);
    }
}

#[tokio::test]
async fn rate_limit_page_is_translated() {
    let server = paced("", 1, 1).await;
    assert_eq!(start(&server).await, 201);
    let (status, html) = page(server.form("count", &[]).header("accept-language", "fr")).await;
    assert!(status == 429 && html.contains("Trop de démarrages"), "{status}: {html}");
}

#[tokio::test]
async fn rate_limit_is_per_address() {
    let server = paced("", 1, 2).await;
    let neighbour = Site::with(server.url.clone(), |client| {
        client.local_address(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)))
    });
    assert_eq!((start(&server).await, start(&server).await, start(&server).await), (201, 201, 429));
    assert_eq!((start(&neighbour).await, start(&neighbour).await, start(&neighbour).await), (201, 201, 429));
}

#[tokio::test]
async fn rate_limit_prefers_actor_over_address() {
    let limits = Limits::default().max_starts_per_second(1).max_start_burst(1);
    let named = |builder: Builder| {
        builder.limits(limits).trust_forwarded(true).authorize(|request: AccessRequest| async move {
            let name = request.parts().headers.get("x-user").map(|name| name.to_str().unwrap().to_owned());
            Ok(name.map_or(Actor::anonymous(), Actor::named))
        })
    };
    let server = Server::built(TempDir::new().unwrap(), "", named).await;
    let start = async |name: &str, value: &str| {
        let start = server.post("/count/start").header("accept", "application/json").header(name, value);
        start.send().await.unwrap().status().as_u16()
    };
    for (name, one, other) in [
        ("x-user", "ada", "bob"),
        ("x-forwarded-for", "192.0.2.1", "6.6.6.6, 192.0.2.2"),
        ("forwarded", "for=192.0.2.3:80", "for=\"[2001:db8::1]:80\""),
    ] {
        assert_eq!((start(name, one).await, start(name, one).await), (201, 429), "{name}");
        assert_eq!((start(name, other).await, start(name, other).await), (201, 429), "{name}");
    }
    // An address that the client adds in front does not change its identity.
    assert_eq!(start("x-forwarded-for", "9.9.9.9, 192.0.2.1").await, 429);
}

#[tokio::test]
async fn rate_limit_ignores_code_and_controls() {
    let server = paced("", 1, 1).await;
    let run = started(server.json("wait", &json!({}))).await;
    let run = format!("/runs/{}", run["id"].as_str().unwrap());
    assert_eq!(start(&server).await, 429);
    assert_eq!(server.post(&format!("{run}/cancel")).send().await.unwrap().status(), 200);
    server.until_status(&run, "cancelled").await;
    for _ in 0..5 {
        Count::start(&server.processes, CountInput { total: 1, pause: 1 }).await.unwrap();
        // Rejected because of their content, not their rate.
        assert_eq!(server.post(&format!("{run}/pause")).send().await.unwrap().status(), 409);
    }
}

#[tokio::test]
async fn rate_limit_refuses_before_reading_body() {
    let server = paced("", 1, 1).await;
    assert_eq!(start(&server).await, 201);
    let began = Instant::now();
    let request = process_tests::wire::Request::multipart(&server, "count", "content-length: 1000000").await;
    let answer = request.answer().await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(5));
}
