//! An application's layout frames every page and nothing else, and receives the page's data.

use process_runtime::prelude::*;
use process_runtime::{Branding, Page, PageKind};
use process_tests::Server;
use process_tests::forms::{Multipart, page};
use process_tests::server::json;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Takes a secret.
#[process(title = "Keeping", group = "layouts")]
async fn keeps(#[field(max = 5)] number: u8, password: Secret<String>, file: Option<Upload>) {
    let _ = (number, password, file);
}

/// The data of a layout, as JSON.
fn given(page: &Page<'_>) -> String {
    let given = json!({
        "kind": format!("{:?}", page.kind()),
        "title": page.title(),
        "language": page.language(),
        "direction": page.direction(),
        "base": page.base(),
        "head": page.head(),
        "content": page.content(),
        "data": page.data(),
    });
    given.to_string()
}

async fn with_layout(prefix: &str) -> Server {
    Server::built(TempDir::new().unwrap(), prefix, |builder| builder.layout(given)).await
}

/// The data that the layout of a page received.
async fn shown(request: RequestBuilder) -> (u16, Value) {
    let response = request.header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "), "{policy}");
    (response.status().as_u16(), json(response).await)
}

fn text<'a>(page: &'a Value, name: &str) -> &'a str {
    page[name].as_str().unwrap()
}

#[tokio::test]
async fn layout_wraps_every_page_under_prefix() {
    for prefix in ["", "/a/b"] {
        let server = with_layout(prefix).await;
        let run = server.run("count", json!({ "total": 1, "pause": 0 })).await;
        server.ended(&run).await;
        let index = if prefix.is_empty() { "/" } else { "" };
        for (request, status, kind, part) in [
            (server.get(index), 200, "Index", "<h1>Processes</h1>"),
            (server.get("/count/show_progress"), 200, "Process", "<h1 dir=\"auto\">Counting</h1>"),
            (server.form("choose", &[("percent", "200")]), 422, "Process", "Must be 100 or less"),
            (server.form("erase", &[]), 428, "Process", "Really erase everything?"),
            (server.get(&run), 200, "Run", "data-run"),
            (server.get(&format!("{run}/log?q=line")), 200, "Log", "line 1"),
            (server.get("/runs"), 200, "History", "<h1>History</h1>"),
            (server.get(&format!("{run}/compare")), 200, "Compare", "<h1>Compare</h1>"),
            (server.get("/nothing"), 404, "Problem", "<h1>Not Found</h1>"),
            (server.get("/assets/nothing.css"), 404, "Problem", "Error 404"),
            (server.post(&format!("{run}/pause")), 409, "Problem", "Error 409"),
            (server.get("/runs").header("host", "evil.example"), 421, "Problem", "Error 421"),
        ] {
            let (answered, page) = shown(request).await;
            assert_eq!((answered, text(&page, "kind")), (status, kind), "{page}");
            assert!(text(&page, "content").contains(part), "{part} is missing in {page}");
            assert!(!text(&page, "content").contains("<main"), "{page}");
            assert!(!text(&page, "title").is_empty());
            assert_eq!((text(&page, "base"), text(&page, "language")), (prefix, "en"));
            for part in ["<link rel=\"icon\"", "<link rel=\"stylesheet\"", "<script type=\"module\""] {
                assert!(text(&page, "head").contains(part), "{part} is missing in {page}");
            }
            assert!(text(&page, "head").contains(&format!("href=\"{prefix}/assets/")), "{page}");
        }
    }
}

#[tokio::test]
async fn layout_data_equals_api_json() {
    let server = with_layout("/a/b").await;
    let run = server.run("count", json!({ "total": 2, "pause": 0 })).await;
    server.ended(&run).await;
    for path in ["", "/runs", "/runs?status=failed", &run, "/nothing", "/runs?before=x"] {
        let (_, page) = shown(server.get(path)).await;
        let mut program = json(server.get(path).send().await.unwrap()).await;
        let mut data = page["data"].clone();
        // The next time of a schedule may pass in between.
        for side in [&mut program, &mut data] {
            for process in side["processes"].as_array_mut().into_iter().flatten() {
                process.as_object_mut().unwrap().shift_remove("next_run_at");
            }
        }
        assert_eq!(data, program, "{path}");
    }
}

#[tokio::test]
async fn non_json_pages_have_data_too() {
    let server = with_layout("").await;
    let runs =
        [server.run("count", json!({ "total": 3, "pause": 0 })).await, server.run("count", json!({})).await];
    for run in &runs {
        server.ended(run).await;
    }
    let (_, page) = shown(server.get("/count/show_progress?total=7")).await;
    let data = &page["data"];
    assert_eq!((&data["process"], &data["title"]), (&json!("count"), &json!("Counting")));
    assert_eq!(data["schema"]["properties"]["total"]["default"], 5);
    assert_eq!(data["values"], json!({ "total": "7" }));
    assert_eq!(
        (&data["errors"], &data["question"], &data["active"]),
        (&json!([]), &Value::Null, &Value::Null)
    );
    assert_eq!(data["recent"].as_array().unwrap().len(), 2);
    assert_eq!(data["latest"], data["recent"][0]);
    assert!(data["idempotency_key"].as_str().is_some_and(|key| text(&page, "content").contains(key)));
    let (_, page) = shown(server.get(&format!("{}/log?level=info", runs[0]))).await;
    let lines = page["data"]["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["text"]).collect::<Vec<_>>(), ["line 1", "line 2", "line 3"]);
    assert_eq!(
        (&page["data"]["has_more"], &page["data"]["run"]["title"]),
        (&json!(false), &json!("Counting"))
    );
    let (_, page) = shown(server.get(&format!("{}/compare", runs[1]))).await;
    assert_eq!(page["data"]["run"]["links"]["self"], runs[1]);
    assert_eq!(page["data"]["other"]["links"]["self"], runs[0]);
    let (_, page) = shown(server.get(&format!("{}/compare", runs[0]))).await;
    assert_eq!(page["data"]["other"], Value::Null);
}

#[tokio::test]
async fn layout_form_data_omits_secrets() {
    let server = with_layout("").await;
    let form = Multipart::new().text("number", "9").text("password", "hunter2").file("file", "a.txt", b"abc");
    let request = server.multipart("layouts/keeps", form.text("unknown", "x"));
    let (status, page) = shown(request.header("accept-language", "de")).await;
    assert_eq!((status, text(&page, "language")), (422, "de"));
    assert_eq!(page["data"]["values"], json!({ "number": "9" }));
    let errors = page["data"]["errors"].as_array().unwrap();
    let number = json!({ "field": "number", "message": "Darf höchstens 5 sein" });
    assert!(errors.contains(&number), "{errors:?}");
    assert!(!page.to_string().contains("hunter2"));
    let (_, page) = shown(server.get("/nothing?lang=ar")).await;
    assert_eq!(text(&page, "direction"), "rtl");
    assert_ne!(page["data"]["detail"], "Page not found.");
}

#[tokio::test]
async fn layout_leaves_json_and_streams_alone() {
    let server = with_layout("").await;
    let run = server.run("says-nothing", json!({})).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    for path in ["/", &run, "/runs", "/nothing", "/openapi.json", "/says-nothing/schema.json"] {
        let answer = json(server.get(path).send().await.unwrap()).await;
        assert!(answer.get("kind").is_none() && answer.get("head").is_none(), "{path}: {answer}");
    }
    let log = server.get(&format!("{run}/log")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(log.headers()["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn layout_may_use_data_alone() {
    let layout = |page: &Page<'_>| match page.kind() {
        PageKind::Index => format!("<p>{} processes", page.data()["processes"].as_array().unwrap().len()),
        _ => format!("<title>{}</title>{}", page.title(), page.content()),
    };
    let server = Server::built(TempDir::new().unwrap(), "", |builder| {
        builder.branding(Branding::new().title("Shop")).layout(layout)
    })
    .await;
    let count = server.processes.registry().iter().count();
    assert_eq!(page(server.get("/")).await.1, format!("<p>{count} processes"));
    let (_, html) = page(server.get("/runs")).await;
    assert!(html.starts_with("<title>History</title><h1>History</h1>"), "{html}");
}

#[tokio::test]
async fn panicking_layout_is_skipped() {
    let layout = |page: &Page<'_>| match page.kind() {
        PageKind::History => panic!("no history today"),
        _ => "laid out".to_owned(),
    };
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.layout(layout)).await;
    let (status, html) = page(server.get("/runs")).await;
    assert!(status == 200 && html.contains("<main id=\"main\"><h1>History</h1>"), "{html}");
    assert_eq!(page(server.get("/")).await.1, "laid out");
}
