//! Where requests may come from: hosts, other sites, proxies; and that no verb gets around it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response};
use process_runtime::{Builder, RunId};
use process_tests::Server;
use process_tests::fixtures::Traces;
use process_tests::server::json;
use serde_json::json;
use tempfile::TempDir;
use tower::ServiceExt as _;

async fn built(with: impl FnOnce(Builder) -> Builder) -> Server {
    Server::built(TempDir::new().unwrap(), "", with).await
}

/// One request to the router itself, with these headers.
async fn send(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let router: Router = server.processes.router();
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

const OWN: (&str, &str) = ("host", "localhost");

#[tokio::test]
async fn only_trusted_origins_may_start() {
    let origins = ["https://admin.example.org", "http://Other.Example:8080", "https://usual.example:443"];
    let server = built(|builder| builder.trusted_origins(origins)).await;
    let run = server.run("wait", json!({})).await;
    let trusted = ["https://admin.example.org", "http://other.example:8080", "https://usual.example"]
        .map(|of| (of, true));
    let others = [
        "http://admin.example.org",
        "https://admin.example.org:8443",
        "https://admin.example.org.evil.example",
        "https://evil.example",
        "null",
        "",
    ];
    for (origin, may) in trusted.into_iter().chain(others.map(|of| (of, false))) {
        for site in ["cross-site", "same-site"] {
            let headers = [OWN, ("origin", origin), ("sec-fetch-site", site)];
            for (method, path, status) in
                [("POST", "/says-nothing/start", 201), ("HEAD", &format!("{run}/events"), 200)]
            {
                let response = send(&server, method, path, &headers).await;
                let expected = if may { status } else { 403 };
                assert_eq!(response.status(), expected, "{method} {path} from {origin:?}, {site}");
                assert!(response.headers().get("access-control-allow-origin").is_none());
            }
        }
    }
}

#[tokio::test]
async fn default_port_is_the_same_host() {
    let server = built(|builder| builder.hosts(["shop.example"]).allow_anonymous()).await;
    let start = async |origin: &str, host: &str| {
        send(&server, "POST", "/says-nothing/start", &[("host", host), ("origin", origin)]).await
    };
    for (origin, host, may) in [
        ("http://shop.example", "shop.example", true),
        ("http://shop.example", "shop.example:80", true),
        ("http://shop.example:80", "shop.example", true),
        ("https://shop.example", "shop.example:443", true),
        ("https://shop.example:443", "shop.example", true),
        ("http://Shop.Example:8080", "shop.example:8080", true),
        ("http://shop.example:8080", "shop.example", false),
        ("http://shop.example", "shop.example:443", false),
        ("https://shop.example", "shop.example:80", false),
        ("http://evil.example", "shop.example", false),
        ("null", "shop.example", false),
        ("shop.example", "shop.example", false),
    ] {
        let response = start(origin, host).await;
        assert_eq!(response.status(), if may { 201 } else { 403 }, "from {origin} for {host}");
    }
    let refused = start("http://shop.example:8080", "shop.example").await;
    let problem = to_bytes(refused.into_body(), 10_000).await.unwrap();
    let problem: serde_json::Value = serde_json::from_slice(&problem).unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("http://shop.example:8080") && detail.contains("\"shop.example\""), "{detail}");
}

#[test]
fn invalid_origin_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let builder = process_runtime::builder().state_arc(Arc::new(Traces::default())).data_dir(folder.path());
    let error = builder.trusted_origins(["https://a.example", "b.example"]).build().unwrap_err().to_string();
    assert!(error.contains("\"b.example\"") && error.contains("https://admin.example.org"), "{error}");
}

#[tokio::test]
async fn forwarded_headers_require_trust() {
    let believing =
        built(|builder| builder.hosts(["shop.example"]).allow_anonymous().trust_forwarded(true)).await;
    let other = built(|builder| builder.hosts(["shop.example"]).allow_anonymous()).await;
    let cases: [(&[(&str, &str)], u16); 10] = [
        (&[("x-forwarded-host", "shop.example")], 200),
        (&[("x-forwarded-host", "shop.example:8443")], 200),
        // The nearest proxy added the last one.
        (&[("x-forwarded-host", "evil.example, shop.example")], 200),
        (&[("x-forwarded-host", "shop.example, evil.example")], 421),
        (&[("forwarded", "for=1.2.3.4;Host=\"shop.example:443\";proto=https")], 200),
        (&[("forwarded", "host=evil.example, for=1.2.3.4;host=shop.example")], 200),
        (&[("forwarded", "host=shop.example, host=evil.example")], 421),
        (&[("forwarded", "host=shop.example"), ("x-forwarded-host", "evil.example")], 421),
        (&[("forwarded", "host=evil.example"), ("x-forwarded-host", "shop.example")], 421),
        // A proxy that sends no host has left it unchanged.
        (&[("forwarded", "for=1.2.3.4")], 421),
    ];
    for (said, status) in cases {
        let inner = [&[("host", "10.0.0.7:3000")], said].concat();
        assert_eq!(send(&believing, "GET", "/", &inner).await.status(), status, "{said:?}");
        assert_eq!(send(&other, "GET", "/", &inner).await.status(), 421, "{said:?} is not trusted");
        // An untrusted header cannot change it either.
        let outer = [&[("host", "shop.example")], said].concat();
        assert_eq!(send(&other, "GET", "/", &outer).await.status(), 200, "{said:?}");
    }
    // The origin is compared with the host that the browser requested.
    let headers =
        [("host", "10.0.0.7"), ("x-forwarded-host", "shop.example"), ("origin", "https://shop.example")];
    assert_eq!(send(&believing, "POST", "/says-nothing/start", &headers).await.status(), 201);
    let headers =
        [("host", "shop.example"), ("x-forwarded-host", "evil.example"), ("origin", "https://evil.example")];
    assert_eq!(send(&other, "POST", "/says-nothing/start", &headers).await.status(), 403);
}

#[tokio::test]
async fn forwarded_prefix_is_in_every_link() {
    let believing = built(|builder| builder.trust_forwarded(true)).await;
    let page = async |server: &Server, prefix: &str| {
        let headers = [OWN, ("x-forwarded-prefix", prefix), ("accept", "text/html")];
        let response = send(server, "GET", "/count/show_progress", &headers).await;
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(page.to_vec()).unwrap()
    };
    assert!(page(&believing, "/jobs/").await.contains("action=\"/jobs/count/start\""));
    for odd in ["//evil.example", "/a\"b", "jobs", "https://evil.example", "/a b"] {
        assert!(page(&believing, odd).await.contains("action=\"/count/start\""), "{odd}");
    }
    assert!(page(&built(|builder| builder).await, "/jobs").await.contains("action=\"/count/start\""));
}

#[tokio::test]
async fn secure_cookies_follow_forwarded_proto() {
    let believing = built(|builder| builder.trust_forwarded(true)).await;
    let other = Server::start().await;
    for (said, secure) in [
        (("x-forwarded-proto", "https"), true),
        (("x-forwarded-proto", "https, http"), false),
        (("forwarded", "for=1.2.3.4;proto=HTTPS"), true),
        (("forwarded", "proto=https, proto=http"), false),
    ] {
        let headers = [OWN, ("accept", "text/html"), said];
        for (server, secure) in [(&believing, secure), (&other, false)] {
            let response = send(server, "GET", "/?lang=de", &headers).await;
            let cookie = response.headers()["set-cookie"].to_str().unwrap();
            assert_eq!(cookie.contains("; Secure"), secure, "{said:?}: {cookie}");
        }
    }
}

#[tokio::test]
async fn wrong_method_changes_nothing() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let paths = [
        ("/", "GET"),
        ("/runs", "GET"),
        ("/openapi.json", "GET"),
        ("/events", "GET"),
        ("/count/show_progress", "GET"),
        ("/count/schema.json", "GET"),
        ("/count/start", "GET POST"),
        ("/odd/odd-values/start", "GET POST"),
        ("/odd/odd-values/show_progress", "GET"),
        (&run, "GET"),
        (&format!("{run}/events"), "GET"),
        (&format!("{run}/log"), "GET"),
        (&format!("{run}/result"), "GET"),
        (&format!("{run}/compare"), "GET"),
        (&format!("{run}/files/a"), "GET"),
        (&format!("{run}/cancel"), "POST"),
        (&format!("{run}/pause"), "POST"),
        (&format!("{run}/resume"), "POST"),
        (&format!("{run}/retry"), "POST"),
        ("/assets/a.js", "GET"),
    ];
    let verbs =
        ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get", "post", "OPTIONS", "POST", "GET"];
    for (path, has) in paths {
        for verb in verbs.into_iter().filter(|verb| !has.split(' ').any(|one| one == *verb)) {
            let response = send(&server, verb, path, &[OWN]).await;
            assert_eq!(response.status(), 405, "{verb} {path}");
            let allow = response.headers()["allow"].to_str().unwrap();
            assert!(has.split(' ').all(|verb| allow.contains(verb)), "{verb} {path}: {allow}");
            assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
            assert!(response.headers().contains_key("content-security-policy"), "{verb} {path}");
            if verb == "PUT" {
                let body = to_bytes(response.into_body(), 10_000).await.unwrap();
                let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(problem["detail"], "This address does not take PUT.", "{path}");
            }
            // A cross-site request does not reveal even that.
            if verb != "OPTIONS" && verb != "GET" {
                let foreign = send(&server, verb, path, &[OWN, ("sec-fetch-site", "cross-site")]).await;
                assert_eq!(foreign.status(), 403, "{verb} {path}");
            }
        }
    }
    let runs = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1, "{runs}");
    assert!(["queued", "running"].contains(&runs["runs"][0]["status"].as_str().unwrap()), "{runs}");
}

#[tokio::test]
async fn cross_site_streams_are_refused() {
    let server = Server::nested("/events/start").await;
    let run = server.run("writes-a-file", json!({ "name": "events" })).await;
    server.ended(&run).await;
    let id = run.strip_prefix("/runs/").unwrap();
    let cross = async |method: &str, path: &str| {
        let request = server.client.request(method.parse().unwrap(), format!("{}{path}", server.url));
        let request = request.header("sec-fetch-site", "cross-site").header("accept", "text/html");
        request.send().await.unwrap().status().as_u16()
    };
    let streams = [
        format!("{run}/events"),
        format!("{run}/events?format=message"),
        format!("/events?run={id}"),
        "/count/start".to_owned(),
        "/odd/odd-values/start".to_owned(),
        format!("/runs/{}/events", RunId::new()),
    ];
    for path in streams {
        assert_eq!(cross("GET", &path).await, 403, "{path}");
        assert_eq!(cross("HEAD", &path).await, 403, "{path}");
    }
    // A link on another site may lead here.
    for path in ["", "/runs", &run, &format!("{run}/files/events"), "/count/show_progress"] {
        assert_eq!(cross("GET", path).await, 200, "{path}");
    }
}

#[tokio::test]
async fn every_response_kind_has_security_headers() {
    let server = Server::start().await;
    let run = server.run("writes-a-file", json!({})).await;
    server.ended(&run).await;
    let page = server.get("/").header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    let script = page.split("src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let cases = [
        ("GET", "/", 200),
        ("GET", &script, 200),
        ("GET", "/assets/none.js", 404),
        ("GET", "/nothing/at/all/here", 404),
        ("DELETE", "/", 405),
        ("POST", "/count/start", 303),
        ("GET", &format!("{run}/result"), 404),
        ("GET", &format!("{run}/log"), 200),
        ("GET", &format!("{run}/files/report.txt"), 200),
        ("GET", &format!("{run}/events"), 200),
        ("GET", &format!("{run}/events?format=message"), 200),
        ("GET", "/erase/start", 204),
        ("GET", "/events", 400),
        ("OPTIONS", "/", 405),
    ];
    for (method, path, status) in cases {
        let request = server.client.request(method.parse().unwrap(), format!("{}{path}", server.url));
        let response = request.header("accept", "text/html").send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        carries(response.headers(), path);
    }
    let response = server.get("/").header("host", "evil.example").send().await.unwrap();
    assert_eq!(response.status(), 421);
    carries(response.headers(), "421");
}

fn carries(headers: &reqwest::header::HeaderMap, what: &str) {
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(headers[name], value, "{what}");
    }
}
