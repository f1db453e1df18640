//! The `authorize` hook: panics and timeouts, reauthorization of open streams, and the rules without a hook.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::routing::get;
use process_runtime::{AccessRequest, Actor, Controller, Denied, RunId};
use process_tests::fixtures::{Chat, Count, Traces};
use process_tests::server::json;
use process_tests::{Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::access::{asking, server, server_for, started, user};

#[tokio::test(start_paused = true)]
async fn panicking_or_hanging_hook_shows_nothing() {
    for (path, status) in [("/count/show_progress", 500), ("/odd/odd-values/show_progress", 503)] {
        let folder = TempDir::new().unwrap();
        let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
        let builder = builder.data_dir(folder.path()).authorize(async |request: AccessRequest| {
            assert!(request.route().as_deref() != Some("count"), "a mistake in the hook");
            std::future::pending().await
        });
        let router: Router = builder.build().unwrap().router();
        let request = Request::get(path).header("host", "localhost").header("accept", "text/html");
        let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        let page = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let page = String::from_utf8(page.to_vec()).unwrap();
        assert!(page.contains("<section class=\"problem\">") && !page.contains("a mistake"), "{page}");
    }
}

#[tokio::test]
async fn hook_sees_application_extensions() {
    #[derive(Clone)]
    struct User(&'static str);

    let folder = TempDir::new().unwrap();
    let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
    let processes = builder.data_dir(folder.path()).authorize(async |request: AccessRequest| {
        assert!(request.parts().uri.path().starts_with("/jobs/"), "the URI is the browser's");
        let user = request.parts().extensions.get::<User>().cloned();
        user.map(|user| Actor::named(user.0)).ok_or_else(Denied::not_found)
    });
    let processes = processes.build().unwrap();
    let router: Router = Router::new().nest("/jobs", processes.router());
    for (app, status) in [(router.clone().layer(axum::Extension(User("ann"))), 201), (router, 404)] {
        let request = Request::post("/jobs/says-nothing/start").header("host", "localhost");
        let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), status);
        if status == 201 {
            let run = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(serde_json::from_slice::<Value>(&run).unwrap()["actor"], "ann");
        }
    }
}

#[tokio::test]
async fn manually_mounted_controllers_check_access() {
    let started = Arc::new(AtomicUsize::new(0));
    let folder = TempDir::new().unwrap();
    let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
    let asked = Arc::clone(&started);
    let processes = builder.data_dir(folder.path()).authorize(move |request: AccessRequest| {
        asked.fetch_add(1, Ordering::Relaxed);
        let may = user(&request) == Some("ann");
        async move { if may { Ok(Actor::named("ann")) } else { Err(Denied::not_found()) } }
    });
    let processes = processes.build().unwrap();
    let app: Router = Router::new()
        .route("/mine/page", get(Count::show_progress))
        .route("/mine/start", get(Count::handle_start).post(Count::handle_start).delete(Count::handle_start))
        .with_state(processes.clone());
    let send = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    };
    for (method, path) in [("GET", "/mine/page"), ("GET", "/mine/start"), ("POST", "/mine/start")] {
        let own: (&str, &str) = ("host", "localhost");
        assert_eq!(send(method, path, &[("host", "evil.example"), ("x-user", "ann")]).await.status(), 421);
        let response = send(method, path, &[own]).await;
        assert_eq!(response.status(), 404, "{method} {path}");
        assert!(response.headers().contains_key("content-security-policy"), "{method} {path}");
        if path == "/mine/start" {
            let cross = send(method, path, &[own, ("x-user", "ann"), ("sec-fetch-site", "cross-site")]).await;
            assert_eq!(cross.status(), 403, "{method} {path}");
        }
    }
    let own = [("host", "localhost"), ("x-user", "ann")];
    assert_eq!(send("GET", "/mine/page", &own).await.status(), 200);
    assert_eq!(send("POST", "/mine/start", &own).await.status(), 201);
    let odd = send("DELETE", "/mine/start", &own).await;
    assert_eq!((odd.status().as_u16(), &odd.headers()["allow"]), (405, &"GET,HEAD,POST".parse().unwrap()));
    assert!(started.load(Ordering::Relaxed) > 0);
}

/// A stream of events and one of messages of a viewer who loses permission, and one that continues.
#[tokio::test]
async fn lost_access_ends_the_stream() {
    let may = Arc::new(AtomicBool::new(true));
    let right = Arc::clone(&may);
    let server = server_for(move |_| right.load(Ordering::SeqCst)).await;
    let input = json!({ "lines": 100_000, "pause": 20 });
    let run = started(&server, "root", "chat", input).await;
    let other = started(&server, "root", "wait", json!({})).await;
    let id = |run: &str| run.strip_prefix("/runs/").unwrap().to_owned();
    let events = server.events(&run).await;
    let many = server.get(&format!("/events?run={}&progress={}", id(&run), id(&other))).send().await.unwrap();
    let messages = server.get(&format!("{run}/events?format=message")).send().await.unwrap();
    let stays = server.get(&format!("{run}/events")).header("x-user", "root").send().await.unwrap();
    let mut stays = Events::of(stays);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let last_line = async || {
        let run = server.processes.handle(id(&run).parse().unwrap());
        let lines = server.processes.store().log_tail(run.id(), 1).await.unwrap();
        lines.last().map_or(0, |line| line.seq)
    };
    may.store(false, Ordering::SeqCst);
    let lost = Instant::now();
    tokio::time::sleep(Duration::from_millis(400)).await;
    // By now the hook was called again. Later lines reach only root.
    let seen_at_most = last_line().await + 5_000;
    for stream in [events, Events::of(many)] {
        let all = stream.all().await;
        assert_eq!(all.last().map(|event| event.name.as_str()), Some("gone"), "{:?}", all.last());
        let seen = all.iter().filter_map(|event| event.data["seq"].as_u64()).max().unwrap_or(0);
        assert!(seen <= seen_at_most, "line {seen} was shown, {seen_at_most} had been logged");
    }
    let text = tokio::time::timeout(Duration::from_secs(20), messages.text()).await.unwrap().unwrap();
    assert!(!text.contains("id: CLOSE"), "it has not ended for this viewer");
    assert!(lost.elapsed() < Duration::from_secs(20), "{:?}", lost.elapsed());
    assert_eq!(server.get(&format!("{run}/events")).send().await.unwrap().status(), 404);
    stays.until(|event| event.data["seq"].as_u64().is_some_and(|seq| seq > seen_at_most)).await;
    assert!(Chat::PROCESS.route() == "chat");
}

#[tokio::test]
async fn expired_session_asks_to_sign_in() {
    let signed_in = Arc::new(AtomicBool::new(true));
    let session = Arc::clone(&signed_in);
    let server = server(move |_| match session.load(Ordering::SeqCst) {
        true => Ok(Actor::named("ann")),
        false => Err(Denied::sign_in("/login")),
    })
    .await;
    let run = server.run("chat", json!({ "lines": 100_000, "pause": 20 })).await;
    let events = server.events(&run).await;
    signed_in.store(false, Ordering::SeqCst);
    let all = tokio::time::timeout(Duration::from_secs(20), events.all()).await.unwrap();
    assert!(all.iter().all(|event| !["gone", "end"].contains(&event.name.as_str())));
    assert_eq!(server.get(&format!("{run}/events")).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn without_policy_everyone_is_allowed() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 1 })).await;
    let run = server.ended(&run).await;
    assert_eq!(run["actor"], Value::Null);
    assert_eq!(run["links"].as_object().unwrap().len(), 11);
}

#[test]
fn public_hosts_require_access_policy() {
    let build = |with: &dyn Fn(process_runtime::Builder) -> process_runtime::Builder| {
        let folder = TempDir::new().unwrap();
        let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
        with(builder.data_dir(folder.path())).build().map(drop).map_err(|error| error.to_string())
    };
    let error = build(&|builder| builder.hosts(["localhost", "shop.example.org"])).unwrap_err();
    for part in ["\"shop.example.org\"", ".authorize(", ".allow_anonymous()", "PROCESS_ACCESS=anonymous"] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(build(&|builder| builder), Ok(()));
    assert_eq!(build(&|builder| builder.hosts(["localhost", "127.0.0.1", "[::1]"])), Ok(()));
    assert_eq!(build(&|builder| builder.hosts(["shop.example.org"]).allow_anonymous()), Ok(()));
    let hook = async |_: AccessRequest| Ok(Actor::anonymous());
    assert_eq!(build(&|builder| builder.hosts(["shop.example.org"]).authorize(hook)), Ok(()));
}

#[tokio::test]
async fn public_address_requires_access_policy() {
    let serve = async |open: bool| {
        let folder = TempDir::new().unwrap();
        let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
        let builder = builder.data_dir(folder.path());
        let processes = if open { builder.allow_anonymous() } else { builder }.build().unwrap();
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let served = process_runtime::serve_until(listener, processes, async {}).await;
        served.map_err(|error| error.to_string())
    };
    let error = serve(false).await.unwrap_err();
    assert!(error.contains("0.0.0.0:") && error.contains("PROCESS_ACCESS=anonymous"), "{error}");
    assert_eq!(serve(true).await, Ok(()));
}

#[tokio::test]
async fn sign_in_redirects_there_and_back() {
    let server = Server::built(
        TempDir::new().unwrap(),
        "/a/b",
        asking(|request| user(request).map(Actor::named).ok_or_else(|| Denied::sign_in("/login?by=name"))),
    )
    .await;
    let run = started(&server, "ann", "wait", json!({})).await;
    let unknown = format!("/runs/{}", RunId::new());
    let to = |path: &str| format!("/login?by=name&next=/a/b{path}");
    let lead = [
        ("/wait/show_progress?q=a%26b", to("/wait/show_progress%3Fq%3Da%2526b")),
        ("", to("")),
        ("/runs?q=2", to("/runs%3Fq%3D2")),
        (&run, to(&run)),
        // Missing items reveal no more than existing ones.
        (&unknown, to(&unknown)),
        ("/nothing/show_progress", to("/nothing/show_progress")),
        ("/nothing", to("/nothing")),
    ];
    for (path, expected) in lead {
        let response = server.get(path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(response.status(), 303, "{path}");
        assert_eq!(response.headers()["location"], expected.as_str(), "{path}");
        let response = server.get(path).send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
        assert!(response.headers().contains_key("www-authenticate"), "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(json(response).await["sign_in"], "/login?by=name", "{path}");
    }
    for path in [format!("{run}/events"), "/wait/start".to_owned(), format!("{unknown}/events")] {
        let response = server.get(&path).header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 401, "{path}");
    }
    // A POST is not repeated: the return address is the page that it was sent from.
    let posts = [("/wait/start".to_owned(), to("/wait/show_progress")), (format!("{run}/cancel"), to(&run))];
    for (path, expected) in posts {
        let response = server.post(&path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (303, &expected.parse().unwrap())
        );
    }
}

#[tokio::test]
async fn sign_in_never_redirects_off_site() {
    let server = server(|_| Err(Denied::sign_in("/login"))).await;
    let router: Router = server.processes.router();
    for path in [
        "//evil.example/runs",
        "/\\evil.example",
        "///evil.example//",
        "/%5Cevil.example",
        "/.//evil.example",
    ] {
        let request = Request::get(path).header("host", "localhost").header("accept", "text/html");
        let Ok(request) = request.body(Body::empty()) else { continue };
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 303, "{path}");
        // There is no return address.
        assert_eq!(response.headers()["location"], "/login", "{path}");
    }
}
