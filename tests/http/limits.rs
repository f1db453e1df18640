//! Everything over a limit is refused with an error that states the limit, or truncated and marked.

use std::time::Duration;

use process_runtime::store::StoreError;
use process_runtime::{AccessRequest, Actor, Builder, Limits, StartError};
use process_tests::fixtures::{Count, CountInput, Wait};
use process_tests::forms::{answer, errors, page, places, started};
use process_tests::server::json as json_of;
use process_tests::wire::{Request, chunk};
use process_tests::{Events, Multipart, Server};
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

const FILES: &str = "fields/takes-files";

/// On our own server without a prefix, on axum's with one.
async fn limited(prefix: &str, limits: Limits) -> Server {
    Server::built(TempDir::new().unwrap(), prefix, |builder| builder.limits(limits)).await
}

async fn detail(response: Response) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    json_of(response).await["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn oversized_body_is_413_before_reading() {
    let server = limited("", Limits::default().max_body_bytes(10_000)).await;
    let head = |length: &str| {
        format!(
            "POST /count/start HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        )
    };
    let length = Request::begun(&server, head("content-length: 10001").as_bytes()).await.answer().await;
    assert!(length.starts_with("HTTP/1.1 413 "), "{length}");
    assert!(length.contains("The body of a start can have at most 10000 bytes."), "{length}");
    let chunked = Request::begun(&server, head("transfer-encoding: chunked").as_bytes()).await;
    let (sent, answer) = chunked.flood(&chunk(&[b' '; 64 << 10])).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(sent < 16 << 20, "{sent} bytes were taken");
    let just = format!("{{\"total\":1{}}}", " ".repeat(10_000 - 11));
    let request = server.post("/count/start").header("content-type", "application/json").body(just);
    assert_eq!(started(request).await["input"]["total"], 1);
}

#[tokio::test]
async fn too_long_text_names_its_field() {
    let server = limited("", Limits::default().max_field_bytes(100)).await;
    let long = "x".repeat(101);
    let said = "Must be at most 100 bytes";
    for request in [
        server.json(FILES, &json!({ "name": long })),
        server.form(FILES, &[("name", &long)]),
        server.multipart(FILES, Multipart::new().text("name", &long)),
    ] {
        assert_eq!(errors(request).await, [("name".to_owned(), said.to_owned())]);
    }
    let (status, html) = page(server.form(FILES, &[("name", &long)])).await;
    assert!(status == 422 && html.contains(said), "{status}");
    // With its path in a group or list, and not for files.
    let input = json!({ "documents": [{ "title": long, "file": { "content": "" } }] });
    assert_eq!(places(&errors(server.json(FILES, &input)).await), ["documents.0.title"]);
    let file = json!({ "file": { "name": "a", "content": "aGVs".repeat(100) }, "name": "y".repeat(100) });
    started(server.json(FILES, &file)).await;
}

#[tokio::test]
async fn too_many_values_are_413() {
    let limits = Limits::default().max_values(10).max_field_name_bytes(20).max_parts(5);
    let server = limited("", limits).await;
    let pairs: Vec<_> = (0..11).map(|_| ("more", "")).collect();
    let parts = (0..6).fold(Multipart::new(), |form, _| form.text("more", ""));
    let name = "n".repeat(21);
    for (request, said) in [
        (
            server.json(FILES, &json!({ "more": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })),
            "can have at most 10 values",
        ),
        (server.form(FILES, &pairs), "can have at most 10 values"),
        (server.multipart(FILES, parts), "can have at most 5 parts"),
        (server.json(FILES, &json!({ "file": { &name: 1 } })), "name of a field can have at most 20 bytes"),
        (server.form(FILES, &[(&name, "")]), "name of a field can have at most 20 bytes"),
        (
            server.multipart(FILES, Multipart::new().text(&name, "")),
            "name of a field can have at most 20 bytes",
        ),
    ] {
        let (status, problem) = answer(request).await;
        assert_eq!(status, 413, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(said), "{problem}");
    }
}

#[tokio::test]
async fn too_long_url_or_headers_explain() {
    for prefix in ["", "/a"] {
        let server = limited(
            prefix,
            Limits::default().max_url_bytes(200).max_header_bytes(2_000).max_header_count(20),
        )
        .await;
        let long = server.get(&format!("/runs?q={}", "x".repeat(200))).send().await.unwrap();
        assert_eq!(long.status(), 414, "{prefix}");
        assert_eq!(detail(long).await, "The URL of a request can have at most 200 bytes.");
        let fat = server.get("/runs").header("x-fat", "x".repeat(2_000)).send().await.unwrap();
        assert_eq!(fat.status(), 431, "{prefix}");
        assert_eq!(detail(fat).await, "The headers of a request can have at most 2,000 bytes.");
        let many = (0..20).fold(server.get("/runs"), |request, n| request.header(format!("x-{n}"), "1"));
        let (status, html) = page(many.header("accept-language", "de")).await;
        assert!(status == 431 && html.contains("darf höchstens 20 Header-Zeilen haben"), "{status}: {html}");
        assert_eq!(server.get("/runs").send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn oversized_run_output_is_cut() {
    let limits = Limits::default()
        .max_log_line_bytes(20)
        .max_text_bytes(8)
        .max_title_bytes(8)
        .max_error_bytes(12)
        .max_result_bytes(100);
    let server = limited("", limits).await;
    let run = server.run("odd/odd-values", json!({})).await;
    let told = server.ended(&run).await;
    assert_eq!(told["title"], "A title … [cut: 18 bytes in all]");
    assert_eq!(told["text"], "two\nline… [cut: 9 bytes in all]");
    let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    assert!(log.contains(&format!("{}… [cut: 10000000 bytes in all]", "y".repeat(20))), "{log}");
    let failed = server.ended(&server.run("fails", json!({})).await).await;
    assert_eq!(failed["error"], "the disk is … [cut: 23 bytes in all]");
    // The work is done, and the result page explains the omission.
    let run = server.run("tells-much", json!({})).await;
    let told = server.ended(&run).await;
    assert_eq!(told["status"], "succeeded");
    let message = told["result"]["message"].as_str().unwrap();
    assert!(message.starts_with("the result was left out: it has "), "{message}");
    assert!(message.ends_with("offer a file with artifact instead"), "{message}");
    assert_eq!(told["warnings"], 1);
}

#[tokio::test]
async fn max_files_per_run_holds() {
    let server = limited("", Limits::default().max_artifacts(0)).await;
    let run = server.ended(&server.run("writes-a-file", json!({})).await).await;
    assert_eq!((&run["status"], &run["files"]), (&json!("failed"), &json!([])));
    assert_eq!(run["error"], "a run can offer at most 0 files");
}

#[tokio::test]
async fn log_keeps_head_tail_within_bytes() {
    let server = limited("", Limits::default().max_log_bytes(8_000)).await;
    let run = server.run("chat", json!({ "lines": 5_000, "pause": 5 })).await;
    server.ended(&run).await;
    let store = server.processes.store();
    let lines = store.log_tail(run.trim_start_matches("/runs/").parse().unwrap(), 10_000).await.unwrap();
    let bytes: usize = lines.iter().map(|line| line.text.len()).sum();
    assert!((4_000..8_000).contains(&bytes), "{bytes} bytes in {} lines", lines.len());
    assert_eq!((lines[0].text.as_str(), lines.last().unwrap().text.as_str()), ("line 1", "line 5000"));
}

#[tokio::test]
async fn queue_limits_per_process_and_actor() {
    let limits = Limits::default().max_queued_per_process(2).max_queued_per_actor(3);
    let server = limited("", limits).await;
    let blocker = Wait::start(&server.processes, ()).await.unwrap();
    server.until_status(&format!("/runs/{}", blocker.id()), "running").await;
    let ann = || Wait::start(&server.processes, ()).actor("ann");
    for _ in 0..2 {
        ann().await.unwrap();
    }
    let error = ann().await.unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::ProcessFull(2))), "{error}");
    let refused = server.json("wait", &json!({})).header("accept", "application/json").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"10".parse().unwrap()));
    let said = "2 runs of this process are already queued, so nothing was started. Try again shortly.";
    assert_eq!(detail(refused).await, said);
    // Others can still start; one actor has a limit over all processes.
    let spin = || process_tests::fixtures::Spin::start(&server.processes, ());
    let running = spin().await.unwrap();
    server.until_status(&format!("/runs/{}", running.id()), "running").await;
    spin().actor("ann").await.unwrap();
    let input = || CountInput { total: 1, pause: 1 };
    let error = Count::start(&server.processes, input()).actor("ann").await.unwrap_err();
    assert!(matches!(error, StartError::Store(StoreError::ActorFull(3))), "{error}");
    Count::start(&server.processes, input()).actor("bob").await.unwrap();
    running.cancel().await.unwrap();
}

/// Repeats the request until there is capacity, which the server releases asynchronously.
async fn until_watched(server: &Server, path: &str) -> Response {
    for _ in 0..250 {
        let response = server.get(path).send().await.unwrap();
        if response.status() == 200 {
            return response;
        }
        assert_eq!(response.status(), 503);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no place was given back");
}

#[tokio::test]
async fn streams_beyond_limit_are_503() {
    for prefix in ["", "/a"] {
        let server = limited(prefix, Limits::default().max_viewers(2)).await;
        let run = server.run("wait", json!({})).await;
        let (events, messages) = (format!("{run}/events"), format!("{run}/events?format=message"));
        let first = server.get(&events).send().await.unwrap();
        let second = server.get(&messages).send().await.unwrap();
        assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
        let many = format!("/events?progress={}", run.trim_start_matches("/runs/"));
        for path in [&events, &messages, &many, "/wait/start"] {
            let refused = server.get(path).header("accept", "text/event-stream").send().await.unwrap();
            assert_eq!(refused.status(), 503, "{path}");
            assert_eq!(refused.headers()["retry-after"], "10", "{path}");
            let said = "Too many streams are open (the limit is 2). Try again shortly.";
            assert_eq!(detail(refused).await, said);
            // An EventSource cannot see the status: its page sends a HEAD request.
            let head = server.client.head(format!("{}{path}", server.url)).send().await.unwrap();
            assert_eq!(
                (head.status().as_u16(), &head.headers()["retry-after"]),
                (503, &"10".parse().unwrap())
            );
        }
        let (status, html) = page(server.get(&events)).await;
        assert!(status == 503 && html.contains("the limit is 2"), "{html}");
        // A start succeeds even if there is no capacity for another viewer.
        let start = server.json("count", &json!({ "total": 1 })).header("accept", "text/event-stream");
        let start = start.send().await.unwrap();
        assert_eq!(start.status(), 201);
        assert!(start.headers().contains_key("location"));
        assert_eq!(json_of(start).await["process"], "count");
        drop(first);
        let third = until_watched(&server, &messages).await;
        drop(second);
        let fourth = until_watched(&server, &events).await;
        server.post(&format!("{run}/cancel")).send().await.unwrap();
        for ended in [third, fourth] {
            assert!(ended.text().await.unwrap().contains("ancelled"));
        }
        until_watched(&server, &events).await;
    }
}

#[tokio::test]
async fn max_viewers_per_run_holds() {
    let server = limited("", Limits::default().max_viewers_per_run(1)).await;
    let (one, other) = (server.run("wait", json!({})).await, server.run("spin", json!({})).await);
    let _first = server.events(&one).await;
    let refused = server.get(&format!("{one}/events")).send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(detail(refused).await.starts_with("Too many viewers are watching this run (the limit is 1)."));
    let id = |run: &str| run.trim_start_matches("/runs/").to_owned();
    let both = server.get(&format!("/events?run={}&progress={}", id(&other), id(&one))).send().await.unwrap();
    assert_eq!(both.status(), 503);
    // Rejected requests used no capacity.
    let mut watched = Events::of(until_watched(&server, &format!("{other}/events")).await);
    assert_eq!(watched.next().await.unwrap().name, "snapshot");
    server.post(&format!("{other}/cancel")).send().await.unwrap();
}

#[tokio::test]
async fn max_streams_per_actor_holds() {
    let limits = Limits::default().max_viewers_per_actor(1);
    let named = |builder: Builder| {
        builder.limits(limits).authorize(|request: AccessRequest| async move {
            let name = request.parts().headers.get("x-user").map(|name| name.to_str().unwrap().to_owned());
            Ok(name.map_or(Actor::anonymous(), Actor::named))
        })
    };
    let server = Server::built(TempDir::new().unwrap(), "", named).await;
    let run = server.run("wait", json!({})).await;
    let watch = async |user: &str, path: &str| {
        server.get(&format!("{run}/{path}")).header("x-user", user).send().await.unwrap()
    };
    let first = watch("ada", "events").await;
    assert_eq!(first.status(), 200);
    let refused = watch("ada", "events?format=message").await;
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"10".parse().unwrap()));
    assert_eq!(detail(refused).await, "You have too many streams open (the limit is 1). Close one of them.");
    assert_eq!(watch("bob", "events").await.status(), 200);
    let _nameless = [server.events(&run).await, server.events(&run).await];
    drop(first);
    for _ in 0..250 {
        if watch("ada", "events").await.status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no place was given back");
}

#[tokio::test]
async fn connections_beyond_limit_are_503() {
    let server = limited("", Limits::default().max_connections(3)).await;
    let get = b"GET /runs HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Request::begun(&server, get).await);
    }
    let refused = Request::begun(&server, b"").await.answer().await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 10"), "{refused}");
    let (_, body) = refused.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["detail"].as_str().unwrap().contains("the limit is 3"), "{body}");
    let answer = open.pop().unwrap().answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    for _ in 0..250 {
        let answer =
            Request::begun(&server, b"GET /runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        if answer.await.answer().await.starts_with("HTTP/1.1 200 ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("its place was not given back");
}
