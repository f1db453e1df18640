//! Every route responds as documented, under any prefix.

use process_tests::forms::Multipart;
use process_tests::raw::FORM;
use process_tests::server::json;
use process_tests::{Events, Server};
use reqwest::RequestBuilder;
use serde_json::json;

#[tokio::test]
async fn json_start_is_201_with_location() {
    let server = Server::nested("/a/b").await;
    let response = server.post("/count/start").header("accept", "application/json").send().await.unwrap();
    assert_eq!(response.status(), 201);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let run = json(response).await;
    assert_eq!(location, format!("/a/b/runs/{}", run["id"].as_str().unwrap()));
    assert_eq!(run["links"]["self"], location);
    assert_eq!((&run["process"], &run["title"]), (&json!("count"), &json!("Counting")));
    assert_eq!(run["input"], json!({ "total": 5, "pause": 20 }));
    let keys = [
        "id",
        "process",
        "title",
        "status",
        "percent",
        "current",
        "total",
        "text",
        "stage",
        "created_at",
        "started_at",
        "finished_at",
        "elapsed_ms",
        "attempt",
        "actor",
        "input",
        "result",
        "error",
        "links",
    ];
    for key in keys {
        assert!(run.get(key).is_some(), "{key} is missing");
    }
}

#[tokio::test]
async fn form_start_is_303_to_run() {
    let server = Server::nested("/a").await;
    let form = server.post("/count/start").header("content-type", "application/x-www-form-urlencoded");
    let form = form.header("accept", "text/html");
    let response = form.body("total=2&pause=1").send().await.unwrap();
    assert_eq!(response.status(), 303);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let run = server.ended(location.strip_prefix("/a").unwrap()).await;
    assert_eq!(run["result"], json!({ "message": "Counted", "total": 2 }));
}

/// `curl -d`: the body is a form, and the client accepts everything.
#[tokio::test]
async fn form_of_a_program_gets_json() {
    let server = Server::start().await;
    for accept in [None, Some("*/*"), Some("application/json"), Some("application/json, text/html;q=0.5")] {
        let sent = async |request: RequestBuilder| {
            let request = accept.iter().fold(request, |request, accept| request.header("accept", *accept));
            let response = request.send().await.unwrap();
            let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
            (response.status().as_u16(), kind, json(response).await)
        };
        let (status, kind, run) = sent(server.form("wait", &[])).await;
        assert_eq!((status, kind.as_str()), (201, "application/json"), "{accept:?}: {run}");
        let run = format!("/runs/{}", run["id"].as_str().unwrap());
        let problem = "application/problem+json";
        let file = Multipart::new().file("file", "a.txt", b"a").text("unknown", "x");
        for (request, expected) in [
            (server.form("count", &[("total", "many")]), (422, problem)),
            (server.multipart("fields/takes-files", file), (422, problem)),
            (server.form("erase", &[]), (428, problem)),
            (server.form("erase", &[("confirmed-start", "yes")]), (201, "application/json")),
            (server.post(&format!("{run}/retry")).header("content-type", FORM).body("a=b"), (409, problem)),
            (server.post(&format!("{run}/cancel")).header("content-type", FORM), (200, "application/json")),
        ] {
            let (status, kind, body) = sent(request).await;
            assert_eq!((status, kind.as_str()), expected, "{accept:?}: {body}");
        }
    }
}

#[tokio::test]
async fn stream_start_returns_the_stream() {
    let server = Server::start().await;
    let response = server.post("/count/start").header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["location"].to_str().unwrap().starts_with("/runs/"));
    let events = Events::of(response).all().await;
    assert_eq!(events.first().unwrap().name, "snapshot");
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
}

#[tokio::test]
async fn get_never_starts_anything() {
    let server = Server::start().await;
    for path in ["/", "/count/show_progress", "/count/start", "/runs", "/odd/odd-values/start"] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let method = method.parse().unwrap();
            server.client.request(method, format!("{}{path}", server.url)).send().await.unwrap();
        }
    }
    let runs = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"], json!([]));
}

#[tokio::test]
async fn get_start_streams_the_active_run() {
    let server = Server::start().await;
    assert_eq!(server.get("/count/start").send().await.unwrap().status(), 204);
    let run = server.run("count", json!({ "total": 5, "pause": 50 })).await;
    let events = Events::of(server.get("/count/start").send().await.unwrap()).all().await;
    assert!(run.ends_with(events[0].data["id"].as_str().unwrap()));
    assert_eq!(events.last().unwrap().name, "end");
    assert_eq!(server.get("/count/start").send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn get_start_replays_end_on_reconnect() {
    let server = Server::start().await;
    let run = server.run("count", json!({})).await;
    let seen = server.events(&run).await.next().await.unwrap();
    server.ended(&run).await;
    let again = server.get("/count/start").header("last-event-id", seen.id).send().await.unwrap();
    let events = Events::of(again).all().await;
    assert_eq!(events.last().unwrap().name, "end");
    let after_the_end = server.get("/count/start").header("last-event-id", &events.last().unwrap().id);
    assert_eq!(after_the_end.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn head_opens_no_stream() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let response = server.client.head(format!("{}{run}/events", server.url)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.bytes().await.unwrap().len(), 0);
}

#[tokio::test]
async fn pages_and_links_work_under_prefix() {
    for prefix in ["", "/processes", "/a/b"] {
        let server = Server::nested(prefix).await;
        let run = server.run("count", json!({ "total": 1 })).await;
        server.ended(&run).await;
        let index = if prefix.is_empty() { "/" } else { "" };
        for path in [index, "/count/show_progress", "/odd/odd-values/show_progress", "/runs", &run] {
            let response = server.get(path).header("accept", "text/html").send().await.unwrap();
            assert_eq!(response.status(), 200, "{prefix}{path}");
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{prefix}{path}");
            let html = response.text().await.unwrap();
            let attributes = ["href=\"", "src=\"", "action=\""];
            let starts = attributes.iter().flat_map(|attribute| html.split(attribute).skip(1));
            let links: Vec<_> = starts.filter_map(|rest| rest.split('"').next()).collect();
            let links: Vec<_> = links.into_iter().filter(|link| link.starts_with('/')).collect();
            assert!(links.len() >= 4, "{links:?}");
            for link in links {
                assert!(link.starts_with(prefix), "{prefix}{path} links to {link}");
                let url = format!("{}{}", server.url.strip_suffix(prefix).unwrap(), link);
                let status = server.client.get(url).send().await.unwrap().status().as_u16();
                // Controls are for POST; the start of a process that does not run has nothing to show.
                assert!([200, 204, 405].contains(&status), "{prefix}{path} links to {link}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn nested_index_allows_trailing_slash() {
    let server = Server::start().await;
    let app = axum::Router::<()>::new().nest_service("/a/b", server.processes.router::<()>());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.into_make_service()).await });
    for path in ["/a/b", "/a/b/"] {
        let response =
            server.client.get(format!("{url}{path}")).header("accept", "text/html").send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert!(response.text().await.unwrap().contains("href=\"/a/b/count/show_progress\""), "{path}");
    }
}

#[tokio::test]
async fn non_ascii_name_is_a_route() {
    let server = Server::start().await;
    let route = "gr%C3%B6%C3%9Fe-pr%C3%BCfen";
    let run = server.run(route, json!({})).await;
    let run = server.ended(&run).await;
    assert_eq!(run["process"], "größe-prüfen");
    assert_eq!(run["links"]["process"], format!("/{route}/show_progress"));
    let page =
        server.get(&format!("/{route}/show_progress")).header("accept", "text/html").send().await.unwrap();
    assert!(page.text().await.unwrap().contains(&format!("action=\"/{route}/start\"")));
}

#[tokio::test]
async fn index_lists_processes_sorted_by_route() {
    let server = Server::start().await;
    let index = json(server.get("/").send().await.unwrap()).await;
    let routes: Vec<_> =
        index["processes"].as_array().unwrap().iter().map(|p| p["process"].clone()).collect();
    assert!(routes.contains(&json!("odd/odd-values")) && routes.contains(&json!("count")));
    assert!(routes.is_sorted_by_key(|route| route.as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn index_shows_progress_of_active_runs() {
    let server = Server::nested("/a/b").await;
    let run = server.run("wait", json!({})).await;
    server.until_status(&run, "running").await;
    let index =
        async || server.get("").header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    let live = [
        format!("<process-progress src=\"/a/b{run}\" compact"),
        "aria-valuetext=\"Working…\"".to_owned(),
        "<noscript>".to_owned(),
    ];
    let html = index().await;
    assert!(live.iter().all(|part| html.contains(part)), "{html}");
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    server.ended(&run).await;
    let html = index().await;
    assert!(!live.iter().any(|part| html.contains(part)), "{html}");
    assert!(html.contains(">Cancelled</span>"), "{html}");
}

#[tokio::test]
async fn log_result_and_files_are_downloads() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 2, "pause": 1 })).await;
    server.ended(&run).await;
    let log = server.get(&format!("{run}/log")).send().await.unwrap();
    assert!(log.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; "));
    let log = log.text().await.unwrap();
    assert!(log.lines().zip(["line 1", "line 2"]).all(|(line, text)| line.ends_with(text)), "{log}");
    assert_eq!(log.lines().count(), 2);
    let result = json(server.get(&format!("{run}/result")).send().await.unwrap()).await;
    assert_eq!(result, json!({ "message": "Counted", "total": 2 }));
    assert_eq!(server.get(&format!("{run}/files/none.txt")).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn only_offered_files_are_downloaded() {
    let server = Server::start().await;
    let run = server.run("writes-a-file", json!({ "name": "../Zürich \"1\".txt" })).await;
    let run_json = server.ended(&run).await;
    let file = &run_json["files"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("Zürich \"1\".txt"), &json!(18)));
    let response = server.get(file["url"].as_str().unwrap()).send().await.unwrap();
    let disposition = response.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert_eq!(
        disposition,
        "attachment; filename=\"Z_rich__1_.txt\"; filename*=UTF-8''Z%C3%BCrich%20%221%22.txt"
    );
    assert_eq!(response.text().await.unwrap(), "what the file says");
    for name in ["..%2f..%2fruns.sqlite3", "%2e%2e", "runs.sqlite3", "Z%C3%BCrich"] {
        let response = server.get(&format!("{run}/files/{name}")).send().await.unwrap();
        assert_eq!(response.status(), 404, "{name}");
    }
}

#[tokio::test]
async fn same_idempotency_key_gives_same_run() {
    let server = Server::start().await;
    let start = |key: &'static str| {
        let request = server.post("/count/start").header("idempotency-key", key);
        async move { json(request.send().await.unwrap()).await["id"].clone() }
    };
    let (first, second, other) = (start("a").await, start("a").await, start("b").await);
    assert_eq!(first, second);
    assert_ne!(first, other);
    let form = |key: &'static str| {
        let request = server.post("/count/start").header("content-type", "application/x-www-form-urlencoded");
        let request = request.header("accept", "text/html").body(format!("total=1&idempotency-key={key}"));
        async move { request.send().await.unwrap().headers()["location"].clone() }
    };
    assert_eq!(form("c").await, form("c").await);
}

#[tokio::test]
async fn assets_are_cached_as_immutable() {
    let server = Server::start().await;
    let html = server.get("/").header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    let assets: Vec<_> = html.split('"').filter(|part| part.contains("/assets/")).collect();
    // The style sheet, the script of every page, and that of pages from which runs are started.
    assert_eq!(assets.len(), 3, "{assets:?}");
    for asset in assets {
        let response = server.get(asset).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    }
    assert_eq!(server.get("/assets/0000000000000000.css").send().await.unwrap().status(), 404);
}
