//! A malformed body gets an error that describes it, and nothing is started.

use axum::body::Body;
use axum::extract::Request as Asked;
use axum::{Router, middleware};
use http_body_util::Limited;
use process_tests::forms::{answer, page, started};
use process_tests::server::json as json_of;
use process_tests::wire::{Request, chunk};
use process_tests::{Multipart, Server};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

const FORM: &str = "application/x-www-form-urlencoded";
const WHOLE: &str = "transfer-encoding: Chunked";
const FILES: &str = "fields/takes-files";

async fn has_started_nothing(server: &Server) {
    let runs = json_of(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"], json!([]));
    let staging = std::fs::read_dir(server.folder.path().join("uploads/staging"));
    assert_eq!(staging.map_or(0, Iterator::count), 0, "files are left behind");
}

/// Sends a request with a truncated body.
async fn send(server: &Server, kind: &str, length: &str, body: &[u8]) -> String {
    let path = server.url.splitn(4, '/').nth(3).map_or(String::new(), |prefix| format!("/{prefix}"));
    let head = format!(
        "POST {path}/{FILES}/start HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: {kind}\r\n{length}\r\n\r\n"
    );
    let mut request = Request::begun(server, head.as_bytes()).await;
    // The server may respond and close before everything is sent.
    let _ = request.0.write_all(body).await;
    if length != WHOLE {
        let _ = request.0.shutdown().await;
    }
    request.answer().await
}

#[tokio::test]
async fn truncated_body_is_400() {
    let multipart = Multipart::new().text("name", "x").file("file", "a.txt", b"abc").finished();
    for prefix in ["", "/a"] {
        let server = Server::nested(prefix).await;
        for (kind, whole) in [
            ("application/json", b"{\"name\":\"a text\"}".as_slice()),
            (FORM, b"name=a+text"),
            (Multipart::content_type().as_str(), &multipart),
        ] {
            let half = &whole[..whole.len() / 2];
            let begun = [format!("{:x}\r\n", whole.len()).as_bytes(), half].concat();
            let long = [format!("{:x}\r\n", half.len() - 1).as_bytes(), half, b"XX"].concat();
            for (what, length, body) in [
                ("within a chunk", "transfer-encoding: chunked", begun),
                ("between chunks", "transfer-encoding: chunked", chunk(half)),
                (
                    "a size that is none",
                    "transfer-encoding: chunked",
                    [chunk(half), b"zz\r\n".to_vec()].concat(),
                ),
                (
                    "a size beyond all",
                    "transfer-encoding: chunked",
                    [chunk(half), b"fffffffffffffffff\r\n".to_vec()].concat(),
                ),
                ("a chunk beyond its size", "transfer-encoding: chunked", long),
                ("less than its length", &format!("content-length: {}", whole.len()), half.to_vec()),
            ] {
                let answer = send(&server, kind, length, &body).await;
                assert!(answer.starts_with("HTTP/1.1 400 "), "{prefix} {kind}, {what}: {answer}");
                assert!(answer.contains("The body was cut off or is malformed"), "{kind}, {what}: {answer}");
            }
        }
        has_started_nothing(&server).await;
    }
}

#[tokio::test]
async fn short_content_length_is_400() {
    let server = Server::start().await;
    let text = send(&server, "application/json", "content-length: 9", b"{\"name\":\"a text\"}").await;
    assert!(text.starts_with("HTTP/1.1 400 ") && text.contains("is not valid JSON"), "{text}");
    let form = Multipart::new().text("name", "x").finished();
    let length = format!("content-length: {}", form.len() - 6);
    let text = send(&server, &Multipart::content_type(), &length, &form).await;
    assert!(text.starts_with("HTTP/1.1 400 ") && text.contains("is not a valid form"), "{text}");
    has_started_nothing(&server).await;
}

#[tokio::test]
async fn body_limit_layer_is_413() {
    let server = Server::start().await;
    let limited = middleware::map_request(|request: Asked| async {
        request.map(|body| Body::new(Limited::new(body, 50)))
    });
    let app = Router::<()>::new().nest("/a", server.processes.router()).layer(limited);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a/{FILES}/start", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let post = |kind: &str, body: Vec<u8>| server.client.post(&url).header("content-type", kind).body(body);
    let multipart = Multipart::new().file("file", "a.txt", &[b'x'; 100]).finished();
    for (kind, body) in [
        ("application/json", json!({ "name": "x".repeat(100) }).to_string().into_bytes()),
        (&Multipart::content_type(), multipart),
    ] {
        let (status, problem) = answer(post(kind, body)).await;
        assert_eq!((status, &problem["detail"]), (413, &json!("The body is too large.")));
    }
    started(post("application/json", b"{\"name\":\"x\"}".to_vec())).await;
}

#[tokio::test]
async fn invalid_utf8_text_is_400() {
    let server = Server::start().await;
    let form =
        |body: &'static str| server.post(&format!("/{FILES}/start")).header("content-type", FORM).body(body);
    let part = Multipart::new().part("Content-Disposition: form-data; name=\"name\"", b"\xff");
    for (request, name) in [
        (form("name=M%FCller"), "name"),
        (form("a=b&na%FFme=x"), "na\u{fffd}me"),
        (server.multipart(FILES, part), "name"),
    ] {
        let (status, problem) = answer(request).await;
        assert_eq!(status, 400, "{problem}");
        let said = format!("\"{name}\" is not UTF-8");
        assert!(problem["detail"].as_str().unwrap().contains(&said), "{problem}");
    }
    has_started_nothing(&server).await;
    started(form("name=M%C3%BCller+%26+a%")).await;
}

#[tokio::test]
async fn other_charset_is_415() {
    let server = Server::start().await;
    let post = |kind: &str| {
        let body = if kind.starts_with(FORM) { "name=a" } else { "{\"name\":\"a\"}" };
        server.post(&format!("/{FILES}/start")).header("content-type", kind).body(body)
    };
    let part = |charset: &str| {
        let head = format!(
            "Content-Disposition: form-data; name=\"name\"\r\nContent-Type: text/plain; charset={charset}"
        );
        server.multipart(FILES, Multipart::new().part(&head, b"a"))
    };
    for request in [
        post("application/json; charset=utf-16"),
        post("application/json;CHARSET=\"ISO-8859-1\""),
        post(&format!("{FORM}; charset=windows-1252")),
        part("Shift_JIS"),
    ] {
        let (status, problem) = answer(request).await;
        assert_eq!(status, 415, "{problem}");
        assert!(problem["detail"].as_str().unwrap().ends_with("Send the text in UTF-8."), "{problem}");
    }
    has_started_nothing(&server).await;
    for request in [
        post("application/json; charset=utf-8"),
        post("application/json; charset=\"UTF-8\""),
        post(&format!("{FORM};charset=us-ascii")),
        part("utf8"),
    ] {
        started(request).await;
    }
}

#[tokio::test]
async fn encoded_body_is_415() {
    for prefix in ["", "/a"] {
        let server = Server::nested(prefix).await;
        let wait = server.run("wait", json!({})).await;
        for path in
            ["/count/start", "/odd/odd-values/start", &format!("{wait}/cancel"), &format!("{wait}/share")]
        {
            for encoding in ["br", "gzip", "GZIP", "deflate, identity", "zstd", "aes128gcm", "*"] {
                let request = server.post(path).header("content-encoding", encoding).body("{\"total\":1}");
                let response = request.header("content-type", "application/json").send().await.unwrap();
                assert_eq!(response.status(), 415, "{path} {encoding}");
                assert_eq!(response.headers()["accept-encoding"], "identity", "{path} {encoding}");
                let detail = json_of(response).await["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains("Content-Encoding: identity, or without"), "{detail}");
            }
        }
        // No other 415 has it: RFC 9110 uses it to distinguish them.
        let other =
            server.post("/count/start").header("content-type", "text/plain").body("x").send().await.unwrap();
        assert_eq!((other.status().as_u16(), other.headers().get("accept-encoding")), (415, None));
        let (status, html) =
            page(server.post("/count/start").header("content-encoding", "br").body("x")).await;
        assert!(status == 415 && html.contains("br"), "{html}");
        let runs = json_of(server.get("/runs").send().await.unwrap()).await;
        assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs}");
        assert_ne!(runs["runs"][0]["status"], "cancelled");
        for encoding in ["identity", "Identity", ""] {
            let start = server.json("count", &json!({ "total": 1, "pause": 0 }));
            started(start.header("content-encoding", encoding)).await;
        }
        server.post(&format!("{wait}/cancel")).send().await.unwrap();
    }
}

#[tokio::test]
async fn encoded_multipart_part_is_415() {
    let server = Server::start().await;
    for head in [
        "Content-Disposition: form-data; name=\"name\"\r\nContent-Transfer-Encoding: base64",
        "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Transfer-Encoding: quoted-printable",
    ] {
        let (status, problem) = answer(server.multipart(FILES, Multipart::new().part(head, b"YQ=="))).await;
        assert_eq!(status, 415, "{problem}");
    }
    has_started_nothing(&server).await;
    let head = "Content-Disposition: form-data; name=\"name\"\r\nContent-Transfer-Encoding: 8bit";
    started(server.multipart(FILES, Multipart::new().part(head, b"a"))).await;
}

#[tokio::test]
async fn unknown_transfer_encoding_is_501() {
    for prefix in ["", "/a"] {
        let server = Server::nested(prefix).await;
        let body = [chunk(b"{\"name\":\"a\"}"), b"0\r\n\r\n".to_vec()].concat();
        for coding in ["gzip, chunked", "br,chunked", "identity, chunked"] {
            let answer =
                send(&server, "application/json", &format!("transfer-encoding: {coding}"), &body).await;
            assert!(answer.starts_with("HTTP/1.1 501 "), "{coding}: {answer}");
            assert!(answer.contains("is not supported: use chunked."), "{answer}");
        }
        for coding in ["gzip", "chunked, gzip"] {
            let answer =
                send(&server, "application/json", &format!("transfer-encoding: {coding}"), &body).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{coding}: {answer}");
        }
        has_started_nothing(&server).await;
        let answer = send(&server, "application/json", WHOLE, &body).await;
        let run: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        assert_eq!(run["input"]["name"], "a");
    }
}
