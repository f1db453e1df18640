//! Each path has one spelling: paths that a layer or proxy may interpret differently are 404.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use process_tests::Server;
use serde_json::json;
use tower::ServiceExt as _;

/// The status for the path as written; `None` if no client can send it.
async fn status(router: &Router, method: &Method, path: &str) -> Option<u16> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let response = router.clone().oneshot(request.body(Body::empty()).ok()?).await.unwrap();
    Some(response.status().as_u16())
}

/// The path in every spelling that is not its own.
fn spellings(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, byte) in path.bytes().enumerate().skip(1) {
        let mut with = |text: &str| found.push(format!("{}{text}{}", &path[..at], &path[at + 1..]));
        let (small, large) = (format!("%{byte:02x}"), format!("%{byte:02X}"));
        match byte {
            b'/' => {
                for slash in [
                    "%2f",
                    "%2F",
                    "%5c",
                    "%5C",
                    "\\",
                    "//",
                    "/./",
                    "/x/../",
                    "/%2e/",
                    "/x/%2e%2e/",
                    "%252f",
                    "/;/",
                ] {
                    with(slash);
                }
            }
            b'%' => {
                with("%25");
                // Lower-case escapes are equal by the standard, but not to a layer that compares strings.
                let code = path[at..at + 3].to_ascii_lowercase();
                found.push(format!("{}{code}{}", &path[..at], &path[at + 3..]));
            }
            _ => {
                with(&small);
                with(&large);
                with(&format!("%25{byte:02x}"));
                if byte.is_ascii_lowercase() {
                    with(&char::from(byte).to_ascii_uppercase().to_string());
                }
            }
        }
    }
    for end in [
        ".", "%2e", "%20", "%00", "%0a", "%", "%2", "%zz", "%ff", ";a=b", "/", "//", "/.", "\\", "%2f",
        "%c0%af",
    ] {
        found.push(format!("{path}{end}"));
    }
    found.push(format!("/{path}"));
    found.push(format!("/.{path}"));
    // Digits have no capitals.
    found.retain(|other| other != path);
    found
}

#[tokio::test]
async fn noncanonical_route_is_404() {
    for prefix in ["", "/a", "/a/b"] {
        let server = Server::nested(prefix).await;
        let run = server.run("writes-a-file", json!({ "name": "report.txt" })).await;
        server.ended(&run).await;
        let router = match prefix {
            "" => server.processes.router::<()>(),
            prefix => Router::new().nest(prefix, server.processes.router()),
        };
        for (method, path, answer) in [
            (Method::GET, "/count/show_progress", 200),
            (Method::POST, "/count/start", 201),
            (Method::GET, "/count/schema.json", 200),
            (Method::POST, "/odd/odd-values/start", 201),
            (Method::GET, "/odd/odd-values/show_progress", 200),
            (Method::POST, "/gr%C3%B6%C3%9Fe-pr%C3%BCfen/start", 201),
            (Method::GET, "/runs", 200),
            (Method::GET, &run, 200),
            (Method::POST, &format!("{run}/cancel"), 200),
            (Method::GET, &format!("{run}/log"), 200),
            (Method::GET, &format!("{run}/files/report.txt"), 200),
            (Method::GET, "/openapi.json", 200),
            (Method::GET, "/healthz", 200),
        ] {
            let path = format!("{prefix}{path}");
            assert_eq!(status(&router, &method, &path).await, Some(answer), "{method} {path}");
            for other in spellings(&path) {
                let answer = status(&router, &method, &other).await.unwrap_or(404);
                // Another verb is no way around a layer either.
                assert!([404, 405].contains(&answer), "{method} {other}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn file_names_are_percent_encoded() {
    let server = Server::start().await;
    let router = server.processes.router::<()>();
    let name = "50% off; ä (1)+2.txt";
    let run = server.run("writes-a-file", json!({ "name": name })).await;
    let told = server.ended(&run).await;
    let url = told["files"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/files/50%25%20off%3B%20%C3%A4%20%281%29%2B2.txt"), "{url}");
    let spelled = |name: &str| format!("{run}/files/{name}");
    for same in [url, &spelled("50%25%20off;%20%c3%a4%20(1)+2.txt")] {
        let request = Request::get(same).header("host", "localhost").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{same}");
        assert_eq!(to_bytes(response.into_body(), 100).await.unwrap(), "what the file says");
    }
    for other in [
        "50%2525%20off%3B%20%C3%A4%20%281%29%2B2.txt",
        "50%25%20off%3B%20%C3%A4%20%281%29%2B2%2etxt",
        "%35%30%25%20off%3B%20%C3%A4%20%281%29%2B2.txt",
        "..%2ffiles%2f50%25%20off%3B%20%C3%A4%20%281%29%2B2.txt",
        "../files/50%25%20off%3B%20%C3%A4%20%281%29%2B2.txt",
    ] {
        assert_eq!(status(&router, &Method::GET, &spelled(other)).await, Some(404), "{other}");
    }
}

#[tokio::test]
async fn mount_path_cannot_redirect_elsewhere() {
    let server = Server::start().await;
    let router = Router::<()>::new().nest("/shops/{tenant}", server.processes.router());
    for (path, leads) in [
        ("/shops/acme/count/start", true),
        ("/shops/\\evil.example/count/start", false),
        ("/shops/%5Cevil.example/count/start", false),
        ("/shops/%2F%2Fevil.example/count/start", false),
        ("/shops/%09evil.example/count/start", false),
    ] {
        let request = Request::post(path).header("host", "localhost").header("accept", "text/html");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = router.clone().oneshot(request.body(Body::from("total=1")).unwrap()).await.unwrap();
        let location = response.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        assert_eq!((response.status() == 303, location.is_some()), (leads, leads), "{path}");
        assert!(location.is_none_or(|to| to.starts_with("/shops/acme/runs/")), "{path}");
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert!(!String::from_utf8_lossy(&page).contains("evil"), "{path}");
    }
}
