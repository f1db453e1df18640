//! Rejected requests, and the headers of every response.

use process_tests::Server;
use process_tests::server::json;
use serde_json::json;

#[tokio::test]
async fn only_listed_hosts_are_answered() {
    let server = Server::start().await;
    for host in ["evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", ""]
    {
        for path in ["/", "/count/show_progress", "/nothing"] {
            let response = server.get(path).header("host", host).send().await.unwrap();
            assert_eq!(response.status(), 421, "{host}{path}");
        }
        assert_eq!(server.post("/count/start").header("host", host).send().await.unwrap().status(), 421);
    }
    for host in ["localhost", "localhost:9999", "LOCALHOST:1", "127.0.0.1", "[::1]:3000"] {
        assert_eq!(server.get("/").header("host", host).send().await.unwrap().status(), 200, "{host}");
    }
}

#[tokio::test]
async fn csrf_cross_site_requests_are_refused() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
    ] {
        for path in ["/count/start", &format!("{run}/cancel")] {
            let response = server.post(path).header(name, value).send().await.unwrap();
            assert_eq!(response.status(), 403, "POST {path} with {name}: {value}");
        }
        for path in [format!("{run}/events"), "/wait/start".to_owned()] {
            let response = server.get(&path).header(name, value).send().await.unwrap();
            assert_eq!(response.status(), 403, "GET {path} with {name}: {value}");
        }
        assert_eq!(server.get("/").header(name, value).send().await.unwrap().status(), 200);
    }
    let runs = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn same_origin_and_programs_may_start() {
    let server = Server::start().await;
    let host = server.url.strip_prefix("http://").unwrap().to_owned();
    for (name, value) in [
        ("sec-fetch-site", "same-origin".to_owned()),
        ("sec-fetch-site", "none".to_owned()),
        ("origin", format!("http://{host}")),
        ("x-nothing", "curl".to_owned()),
    ] {
        let response = server.post("/says-nothing/start").header(name, &value).send().await.unwrap();
        assert_eq!(response.status(), 201, "{name}: {value}");
    }
}

#[tokio::test]
async fn every_response_has_security_headers() {
    let server = Server::start().await;
    let run = server.run("says-nothing", json!({})).await;
    server.ended(&run).await;
    for path in
        ["/", "/nothing", "/count/show_progress", "/count/start", &run, &format!("{run}/events"), "/runs"]
    {
        let response = server.get(path).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{path}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{path}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(response.headers()["referrer-policy"], "same-origin", "{path}");
    }
}
