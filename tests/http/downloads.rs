//! Downloads: ranges and conditions of requests, and files that a browser shows.

use process_runtime::prelude::*;
use process_tests::Server;
use process_tests::server::json;
use reqwest::{Method, Response};
use serde_json::json;

const LENGTH: usize = 300_000;

fn content() -> Vec<u8> {
    (0..LENGTH).map(|at| (at % 251) as u8).collect()
}

/// Offers a file that is longer than what is read of it at a time.
#[process(title = "Offering much", group = "downloads")]
async fn offers_bytes(empty: bool) -> Result<u64, std::io::Error> {
    let path = std::env::temp_dir().join(format!("bytes-{}", process_runtime::RunId::new()));
    std::fs::write(&path, if empty { Vec::new() } else { content() })?;
    artifact("all.bin", &path)?;
    Ok(1)
}

/// A server, and a run that has ended and offers the bytes.
async fn offered() -> (Server, String) {
    let server = Server::start().await;
    let run = server.run("downloads/offers-bytes", json!({ "empty": false })).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    (server, run)
}

async fn ask(server: &Server, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = server.client.request(method, format!("{}{path}", server.url));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(server, Method::GET, path, headers).await
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn byte_range_is_206() {
    let (server, run) = offered().await;
    let file = format!("{run}/files/all.bin");
    for (range, start, end) in [
        ("bytes=1000-1999", 1_000, 2_000),
        ("bytes=0-0", 0, 1),
        ("bytes=100000-249999", 100_000, 250_000),
        ("bytes=299990-", 299_990, LENGTH),
        ("bytes=-10", 299_990, LENGTH),
        ("bytes=299999-999999", 299_999, LENGTH),
        ("bytes=-999999", 0, LENGTH),
    ] {
        let response = get(&server, &file, &[("range", range)]).await;
        assert_eq!(response.status(), 206, "{range}");
        assert_eq!(header(&response, "content-range"), format!("bytes {start}-{}/{LENGTH}", end - 1));
        assert_eq!(header(&response, "content-length"), (end - start).to_string(), "{range}");
        assert_eq!(header(&response, "accept-ranges"), "bytes");
        assert!(header(&response, "content-disposition").starts_with("attachment; "));
        assert!(header(&response, "etag").starts_with('"') && !header(&response, "last-modified").is_empty());
        assert_eq!(response.bytes().await.unwrap(), content()[start..end], "{range}");
    }
}

#[tokio::test]
async fn range_beyond_end_is_416() {
    let (server, run) = offered().await;
    let empty = server.run("downloads/offers-bytes", json!({ "empty": true })).await;
    server.ended(&empty).await;
    for (run, range, length) in
        [(&run, "bytes=300000-", LENGTH), (&run, "bytes=-0", LENGTH), (&empty, "bytes=0-", 0)]
    {
        let response = get(&server, &format!("{run}/files/all.bin"), &[("range", range)]).await;
        assert_eq!(response.status(), 416, "{range}");
        assert_eq!(header(&response, "content-range"), format!("bytes */{length}"));
        assert_eq!(header(&response, "content-type"), "application/problem+json");
        assert_eq!(json(response).await["title"], "Range Not Satisfiable");
    }
    assert_eq!(get(&server, &format!("{empty}/files/all.bin"), &[]).await.bytes().await.unwrap().len(), 0);
}

#[tokio::test]
async fn several_ranges_give_whole_file() {
    let (server, run) = offered().await;
    for range in ["bytes=0-1,10-11", "bytes=9-3", "bytes=x", "lines=1-2"] {
        let response = get(&server, &format!("{run}/files/all.bin"), &[("range", range)]).await;
        assert_eq!((response.status().as_u16(), header(&response, "content-range")), (200, ""), "{range}");
        assert_eq!(response.bytes().await.unwrap().len(), LENGTH, "{range}");
    }
}

#[tokio::test]
async fn known_file_is_304() {
    let (server, run) = offered().await;
    let file = format!("{run}/files/all.bin");
    let first = get(&server, &file, &[]).await;
    let (tag, modified) = (header(&first, "etag"), header(&first, "last-modified"));
    assert_eq!(header(&first, "cache-control"), "private, no-cache");
    for known in [("if-none-match", tag), ("if-none-match", "*"), ("if-modified-since", modified)] {
        for method in [Method::GET, Method::HEAD] {
            let response = ask(&server, method, &file, &[known, ("range", "bytes=0-0")]).await;
            assert_eq!(response.status(), 304, "{known:?}");
            for name in ["etag", "last-modified", "cache-control", "content-security-policy"] {
                assert_eq!(header(&response, name), header(&first, name), "{known:?} {name}");
            }
            assert_eq!(response.bytes().await.unwrap().len(), 0);
        }
    }
    // Another run's file of the same name and content is another file.
    let other = server.run("downloads/offers-bytes", json!({ "empty": false })).await;
    server.ended(&other).await;
    let other = format!("{other}/files/all.bin");
    assert_eq!(get(&server, &other, &[("if-none-match", tag)]).await.status(), 200);
    assert_eq!(get(&server, &other, &[("if-match", tag)]).await.status(), 412);
    assert_eq!(get(&server, &file, &[("if-match", tag)]).await.status(), 200);
}

#[tokio::test]
async fn if_range_resumes_same_file() {
    let (server, run) = offered().await;
    let file = format!("{run}/files/all.bin");
    let first = get(&server, &file, &[]).await;
    let same = [header(&first, "etag"), header(&first, "last-modified")];
    for (known, status) in same.map(|known| (known, 206)).into_iter().chain([("\"other\"", 200)]) {
        let response = get(&server, &file, &[("range", "bytes=299000-"), ("if-range", known)]).await;
        assert_eq!(response.status(), status, "{known}");
        let expected = if status == 206 { 1_000 } else { LENGTH };
        assert_eq!(response.bytes().await.unwrap().len(), expected, "{known}");
    }
}

#[tokio::test]
async fn head_has_headers_of_get() {
    let (server, run) = offered().await;
    for path in ["files/all.bin", "files/all.bin?inline", "result"].map(|path| format!("{run}/{path}")) {
        let get = get(&server, &path, &[]).await;
        let head = ask(&server, Method::HEAD, &path, &[("range", "bytes=0-0")]).await;
        assert_eq!((get.status().as_u16(), head.status().as_u16()), (200, 200), "{path}");
        for name in [
            "content-length",
            "content-type",
            "content-disposition",
            "etag",
            "last-modified",
            "accept-ranges",
        ] {
            assert_eq!(header(&head, name), header(&get, name), "{path} {name}");
            assert!(!header(&head, name).is_empty(), "{path} {name}");
        }
        assert_eq!(head.bytes().await.unwrap().len(), 0);
    }
}

#[tokio::test]
async fn result_has_ranges_log_has_none() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 2, "pause": 1 })).await;
    server.ended(&run).await;
    let whole = get(&server, &format!("{run}/result"), &[]).await;
    let tag = header(&whole, "etag").to_owned();
    let whole = whole.text().await.unwrap();
    let part = get(&server, &format!("{run}/result"), &[("range", "bytes=2-9"), ("if-range", &tag)]).await;
    assert_eq!((part.status().as_u16(), part.text().await.unwrap().as_str()), (206, &whole[2..10]));
    assert_eq!(get(&server, &format!("{run}/result"), &[("if-none-match", &tag)]).await.status(), 304);

    let log = get(&server, &format!("{run}/log"), &[("range", "bytes=0-3")]).await;
    assert_eq!((log.status().as_u16(), header(&log, "accept-ranges")), (200, "none"));
    assert_eq!(log.text().await.unwrap().lines().count(), 2);
}

#[tokio::test]
async fn inline_files_are_sandboxed() {
    let server = Server::start().await;
    let run = server.run("offers-files", json!({})).await;
    let told = server.ended(&run).await;
    for (name, shown_as, is_sandboxed) in [
        ("report.html", "text/html", true),
        ("picture.svg", "image/svg+xml", true),
        ("rows.csv", "text/plain; charset=utf-8", true),
        ("letter.pdf", "application/pdf", false),
        ("all.zip", "", false),
    ] {
        let file = format!("{run}/files/{name}");
        let saved = get(&server, &file, &[]).await;
        let strict = header(&saved, "content-security-policy");
        assert!(header(&saved, "content-disposition").starts_with("attachment; "), "{name}");
        assert!(!strict.contains("sandbox") && strict.contains("default-src 'none'"), "{name}: {strict}");
        let told = told["files"].as_array().unwrap().iter().find(|file| file["name"] == name).unwrap();
        assert_eq!(told["viewable"], !shown_as.is_empty(), "{name}");

        let shown = get(&server, &format!("{file}?inline"), &[]).await;
        let known = [("if-none-match", header(&shown, "etag"))];
        for response in [&shown, &get(&server, &format!("{file}?inline"), &known).await] {
            let policy = header(response, "content-security-policy");
            if is_sandboxed {
                assert!(
                    policy.starts_with("sandbox; default-src 'none'; ") && !policy.contains("allow-"),
                    "{name}"
                );
                assert!(
                    !policy.contains("script-src") && policy.ends_with("frame-ancestors 'none'"),
                    "{name}"
                );
                assert_eq!(header(response, "cross-origin-opener-policy"), "unsafe-none", "{name}");
            } else {
                assert_eq!(policy, strict, "{name}");
                assert_eq!(header(response, "cross-origin-opener-policy"), "same-origin", "{name}");
            }
            assert_eq!(header(response, "x-content-type-options"), "nosniff", "{name}");
            assert_eq!(header(response, "cross-origin-resource-policy"), "same-origin", "{name}");
        }
        match shown_as {
            "" => assert!(header(&shown, "content-disposition").starts_with("attachment; "), "{name}"),
            shown_as => {
                assert!(header(&shown, "content-disposition").starts_with("inline; filename="), "{name}");
                assert_eq!(header(&shown, "content-type"), shown_as, "{name}");
            }
        }
        assert_eq!(shown.bytes().await.unwrap(), saved.bytes().await.unwrap(), "{name}");
    }
}

#[tokio::test]
async fn viewable_files_have_view_link() {
    let server = Server::start().await;
    let run = server.run("offers-files", json!({})).await;
    server.ended(&run).await;
    let html = server.get(&run).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    for (name, is_viewable) in [
        ("report.html", true),
        ("picture.svg", true),
        ("rows.csv", true),
        ("letter.pdf", true),
        ("all.zip", false),
    ] {
        assert!(html.contains(&format!("{run}/files/{name}\" download=\"{name}\"")), "{name}: {html}");
        let link = format!("<a href=\"{run}/files/{name}?inline\" aria-label=\"View {name}\">View</a>");
        assert_eq!(html.contains(&link), is_viewable, "{name}: {html}");
    }
}
