//! No response grows out of proportion to its request: only the first errors are listed, and the others counted.

use process_runtime::{Limits, field::FieldErrors};
use process_tests::forms::{answer, errors_of, urlencoded};
use process_tests::server::json as json_of;
use process_tests::{Multipart, Server};
use reqwest::RequestBuilder;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The limits of a response: the size of a page without request data, and of repeated request data. An escaped quote
/// has six characters.
const PAGE: usize = 200_000;
const REPEATED: usize = 8;

async fn measured(what: &str, request: RequestBuilder) -> (u16, String) {
    let built = request.try_clone().unwrap().build().unwrap();
    let heads: usize = built.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let body = built.body().and_then(|body| body.as_bytes()).map_or(0, <[u8]>::len);
    let asked = built.url().as_str().len() + heads + body;
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let head: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let text = response.text().await.unwrap();
    let size = head + text.len();
    assert!(size <= PAGE + REPEATED * asked, "{what}: {size} bytes for {asked}");
    assert!(head < 20_000, "{what}: a head of {head} bytes");
    (status, text)
}

/// Names of which none is a field's.
fn unknown(many: usize, length: usize) -> Map<String, Value> {
    (0..many).map(|n| (format!("{n:0length$}"), json!(1))).collect()
}

#[tokio::test]
async fn errors_beyond_hundred_are_counted() {
    let server = Server::start().await;
    let many = unknown(99_000, 5);
    let (status, problem) = answer(server.json("count", &Value::Object(many.clone()))).await;
    assert_eq!((status, &problem["more_errors"]), (422, &json!(98_900)));
    assert_eq!(errors_of(&problem).len(), 100);
    let many: Vec<_> = many.keys().map(|name| (name.as_str(), "1")).collect();
    let (status, problem) = answer(server.form("count", &many)).await;
    assert_eq!((status, &problem["more_errors"]), (422, &json!(98_900)));
    let wrong = json!({ "limit": "x", "lines": vec![json!({}); 50_000] });
    let (status, problem) = answer(server.json("fields/order", &wrong)).await;
    assert_eq!((status, errors_of(&problem).len()), (422, 100));
    assert!(problem["more_errors"].as_u64() >= Some(49_900), "{}", problem["more_errors"]);
    let page = server.form("count", &many[..4_000]).header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 422);
    let html = page.text().await.unwrap();
    assert!(html.contains("3,900 more errors are not shown"), "{html}");
    let few = answer(server.form("count", &many[..100])).await.1;
    assert_eq!((errors_of(&few).len(), &few["more_errors"]), (100, &Value::Null));
    // From Rust as well.
    let all =
        (0..5_000).fold(FieldErrors::default(), |errors, n| errors.and(format!("{n}"), "x".repeat(9_000)));
    let error = process_runtime::StartError::Input(all).to_string();
    assert!(
        error.ends_with("\n  4,900 more errors are not shown") && error.len() < 300_000,
        "{}",
        error.len()
    );
}

#[tokio::test]
async fn start_response_size_is_proportional() {
    let server = Server::start().await;
    let quotes = "\"".repeat(200_000);
    let control = "\u{1}".repeat(100_000);
    let lines = |entry: Value, many: usize| json!({ "lines": vec![entry; many] });
    let deep = (0..100).fold(json!("x"), |inner, _| json!({ "n".repeat(500): inner }));
    let json_bodies = [
        ("unknown", "count", Value::Object(unknown(99_000, 5))),
        ("long names", "count", Value::Object(unknown(1_900, 512))),
        ("unknown in a group", "fields/order", json!({ "address": unknown(90_000, 6) })),
        ("unknown in a list", "fields/order", lines(json!({ "\"": 1 }), 90_000)),
        ("empty entries", "fields/order", lines(json!({}), 4_990)),
        ("a full form", "fields/order", lines(json!({}), 230)),
        ("wrong entries", "fields/order", lines(json!(1), 4_990)),
        ("wrong kinds", "fields/order", json!({ "tags": vec![json!({}); 90_000] })),
        ("tags", "fields/order", json!({ "tags": vec!["\""; 4_990] })),
        ("quotes", "fields/order", json!({ "note": quotes, "name": quotes })),
        ("control", "fields/order", json!({ "note": control, "tags": [control] })),
        ("deep", "fields/order", deep),
        ("everything", "fields/everything", Value::Object(unknown(50_000, 6))),
    ];
    for (what, route, body) in json_bodies {
        for accept in ["application/json", "text/html"] {
            measured(&format!("{what} as {accept}"), server.json(route, &body).header("accept", accept))
                .await;
        }
    }
    let tags: Vec<_> = (0..99_000).map(|_| ("tags", "")).collect();
    let boxes: Vec<_> = (0..99_000).map(|_| ("deliveries", "\"")).collect();
    let names: Vec<_> = (0..4_900).map(|n| format!("lines.{n}.article")).collect();
    let lines: Vec<_> = names.iter().map(|name| (name.as_str(), "\"")).collect();
    let text = [("note", quotes.as_str()), ("name", &control)];
    for (what, pairs) in [
        ("tags", &tags[..]),
        ("4,900 tags", &tags[..4_900]),
        ("boxes", &boxes),
        ("lines", &lines),
        ("text", &text),
    ] {
        for accept in ["application/json", "text/html"] {
            measured(
                &format!("{what} as {accept}"),
                server.form("fields/order", pairs).header("accept", accept),
            )
            .await;
        }
    }
    let parts =
        (0..1_900).fold(Multipart::new(), |form, n| form.file(&format!("f{n}"), &"n".repeat(400), b"x"));
    let named =
        Multipart::new().file("more", &"\"".repeat(200_000), b"x").file("file", &"x".repeat(200_000), b"x");
    for accept in ["application/json", "text/html"] {
        measured("parts", server.multipart("fields/takes-files", parts.clone()).header("accept", accept))
            .await;
        measured(
            "file names",
            server.multipart("fields/takes-files", named.clone()).header("accept", accept),
        )
        .await;
    }
}

#[tokio::test]
async fn query_response_size_is_proportional() {
    // The request's own headers are the smallest part.
    let limits = Limits::default().max_header_count(1_000);
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.limits(limits)).await;
    let run = server.run("count", json!({ "total": 3, "pause": 0 })).await;
    server.ended(&run).await;
    let long = [
        urlencoded(&[("", &"\"".repeat(10_000))]),
        urlencoded(&[("", &"\u{1}".repeat(9_000))]),
        format!("={}", "x".repeat(30_000)),
    ];
    let id = run.trim_start_matches("/runs/");
    let mut paths = Vec::new();
    for name in [
        "q",
        "process",
        "status",
        "actor",
        "from",
        "until",
        "before",
        "failed_items",
        "lang",
        "format",
        "last",
        "run",
        "progress",
        "level",
        "after",
        "with",
        "share",
        "tags",
        "note",
        "deliveries",
    ] {
        for value in &long {
            for path in [
                "/",
                "/runs",
                "/events",
                "/fields/order/show_progress",
                "/count/start",
                &run,
                &format!("{run}/log"),
                &format!("{run}/compare"),
                &format!("{run}/events"),
                "/nothing",
            ] {
                paths.push(format!("{path}?{name}{value}"));
            }
        }
    }
    for (name, many) in [
        ("tags", 4_000),
        ("lines.1.article", 1_500),
        ("deliveries", 2_000),
        ("run", 5_000),
        ("last", 5_000),
        ("status", 3_000),
    ] {
        let query = vec![format!("{name}=%22"); many].join("&");
        for path in ["/fields/order/show_progress", "/runs", "/events", "/"] {
            paths.push(format!("{path}?{}", &query[..query.len().min(32_000)]));
        }
    }
    let numbered: Vec<_> = (0..1_400).map(|n| format!("lines.{n}.article=a")).collect();
    paths.push(format!("/fields/order/show_progress?{}", numbered.join("&")));
    paths.push(format!("/events?{}", vec![format!("run={id}"); 700].join("&")));
    paths.push(format!("/{}", "%22".repeat(10_000)));
    paths.push(format!("/{}/show_progress", "x".repeat(30_000)));
    for path in &paths {
        for accept in ["application/json", "text/html"] {
            measured(
                &format!("{} as {accept}", &path[..path.len().min(50)]),
                server.get(path).header("accept", accept),
            )
            .await;
        }
    }
    let huge = "\"".repeat(30_000);
    for name in [
        "accept",
        "accept-language",
        "cookie",
        "last-event-id",
        "idempotency-key",
        "origin",
        "content-type",
        "content-encoding",
        "x-forwarded-host",
        "range",
    ] {
        for path in ["/", "/count/start", &format!("{run}/events")] {
            measured(name, server.get(path).header(name, &huge).header("accept", "text/html")).await;
            measured(name, server.post(path).header(name, &huge)).await;
        }
    }
    // An unlisted host is repeated to the client that sent it.
    let host = format!("{}.example", "a".repeat(30_000));
    let (status, _) = measured("host", server.get("/").header("host", host)).await;
    assert_eq!(status, 421);
    let problem = json_of(server.get("/events?run=x").send().await.unwrap()).await;
    assert!(problem["detail"].as_str().unwrap().contains("\"run=x\""), "{problem}");
}
