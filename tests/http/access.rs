//! Authorization: hidden items look missing, and denied actions cannot be done.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use process_runtime::prelude::*;
use process_runtime::{AccessRequest, Action, Actor, Denied, RunId};
use process_tests::server::json;
use process_tests::{Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Waits, and is alone in doing so.
#[process(title = "Being alone", exclusive)]
async fn is_alone() {
    tokio::time::sleep(Duration::from_secs(600)).await;
}

pub(crate) type Answer = Result<Actor, Denied>;

pub(crate) fn asking(
    hook: impl Fn(&AccessRequest) -> Answer + Send + Sync + 'static,
) -> impl FnOnce(process_runtime::Builder) -> process_runtime::Builder {
    move |builder| {
        builder.reauthorize_every(Duration::from_millis(50)).authorize(move |request| {
            let answer = hook(&request);
            async move { answer }
        })
    }
}

pub(crate) async fn server(hook: impl Fn(&AccessRequest) -> Answer + Send + Sync + 'static) -> Server {
    Server::built(TempDir::new().unwrap(), "", asking(hook)).await
}

pub(crate) fn user(request: &AccessRequest) -> Option<&str> {
    request.parts().headers.get("x-user")?.to_str().ok()
}

/// Root may do everything; `others` decides for everybody else.
pub(crate) async fn server_for(others: impl Fn(&AccessRequest) -> bool + Send + Sync + 'static) -> Server {
    server(move |request| match user(request) {
        Some("root") => Ok(Actor::named("root")),
        name if others(request) => Ok(name.map_or_else(Actor::anonymous, Actor::named)),
        _ => Err(Denied::not_found()),
    })
    .await
}

/// Starts a run as this user, and returns its URL.
pub(crate) async fn started(server: &Server, user: &str, route: &str, input: Value) -> String {
    let request = server.post(&format!("/{route}/start")).header("content-type", "application/json");
    let response = request.header("x-user", user).body(input.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 201);
    format!("/runs/{}", json(response).await["id"].as_str().unwrap())
}

pub(crate) async fn ended(server: &Server, run: &str) -> Value {
    for _ in 0..500 {
        let response = server.get(run).header("x-user", "root").send().await.unwrap();
        let found = json(response).await;
        if !found["finished_at"].is_null() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{run} has not ended within 10 seconds");
}

/// Everything that a client sees of an answer but the clock.
async fn bytes(server: &Server, method: &str, path: &str, accept: &str) -> (u16, BTreeSet<String>, Vec<u8>) {
    let method = method.parse().unwrap();
    let request = server.client.request(method, format!("{}{path}", server.url)).header("accept", accept);
    let response = request.send().await.unwrap();
    let headers = response.headers().iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    (response.status().as_u16(), headers, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn hidden_and_missing_answers_are_identical() {
    let server = server_for(|request| {
        request.route().is_some_and(|route| route == "says-nothing") && request.run().is_none()
    })
    .await;
    let run = started(&server, "root", "writes-a-file", json!({})).await;
    ended(&server, &run).await;
    let live = started(&server, "root", "wait", json!({})).await;
    let none = format!("/runs/{}", RunId::new());
    let mut compared = 0;
    let mut same = async |method: &str, hidden: &str, unknown: &str| {
        for accept in ["text/html", "application/json", "text/event-stream", "*/*"] {
            let there = bytes(&server, method, hidden, accept).await;
            let not_there = bytes(&server, method, unknown, accept).await;
            assert_eq!(there, not_there, "{method} {hidden} with {accept}");
            // A verb that no route has gets a 405 without a permission check.
            let expected = if ["GET", "HEAD", "POST"].contains(&method) { 404 } else { 405 };
            assert_eq!(there.0, expected, "{method} {hidden} with {accept}");
            compared += 1;
        }
    };
    for route in ["show_progress", "schema.json", "start", "start?format=message"] {
        for method in ["GET", "HEAD"] {
            same(method, &format!("/wait/{route}"), &format!("/waif/{route}")).await;
            same(method, &format!("/odd/odd-values/{route}"), &format!("/odd/even-values/{route}")).await;
        }
    }
    same("POST", "/wait/start", "/waif/start").await;
    same("POST", "/odd/odd-values/start", "/odd/even-values/start").await;
    let shown = [
        "",
        "/events",
        "/events?format=message",
        "/log",
        "/log?q=a",
        "/result",
        "/files/report.txt",
        "/inputs/file",
    ];
    for run in [&run, &live] {
        for path in shown.into_iter().chain(["/compare"]) {
            for method in ["GET", "HEAD", "PUT", "OPTIONS", "TRACE"] {
                same(method, &format!("{run}{path}"), &format!("{none}{path}")).await;
            }
        }
        for path in ["/cancel", "/cancel?force=yes", "/pause", "/resume", "/retry", "/retry?from=start"] {
            same("POST", &format!("{run}{path}"), &format!("{none}{path}")).await;
        }
        let id = |run: &str| run.strip_prefix("/runs/").unwrap().to_owned();
        for name in ["run", "progress"] {
            let of = |run: &str| format!("/events?{name}={}", id(run));
            same("GET", &of(run), &of(&none)).await;
        }
    }
    assert!(compared > 200, "{compared}");
    // None of it has happened.
    let now = json(server.get(&live).header("x-user", "root").send().await.unwrap()).await;
    assert!(["running", "queued"].contains(&now["status"].as_str().unwrap()), "{now}");
}

#[tokio::test]
async fn hidden_run_in_stream_is_gone() {
    let server = server_for(|request| request.run().is_none_or(|run| run.process == "count")).await;
    let hidden = started(&server, "root", "wait", json!({})).await;
    let shown = started(&server, "root", "count", json!({ "total": 1 })).await;
    let id = |run: &str| run.strip_prefix("/runs/").unwrap().to_owned();
    let none = RunId::new().to_string();
    let path = format!("/events?run={}&run={}&run={none}", id(&hidden), id(&shown));
    let events = Events::of(server.get(&path).send().await.unwrap()).all().await;
    let gone: Vec<_> = events.iter().filter(|event| event.name == "gone").map(|event| &event.data).collect();
    assert_eq!(gone, [&json!({ "run": id(&hidden) }), &json!({ "run": none })]);
    for event in events.iter().filter(|event| event.name != "gone") {
        assert!(event.data.to_string().contains(&id(&shown)), "{event:?}");
    }
}

/// The page and the JSON for a read-only visitor.
#[tokio::test]
async fn read_only_viewer_can_change_nothing() {
    let server = server_for(|request| request.action() == Action::View).await;
    let run = started(&server, "root", "writes-a-file", json!({})).await;
    ended(&server, &run).await;
    let live = started(&server, "root", "wait", json!({})).await;
    let page = async |path: &str, user: &str| {
        let request = server.get(path).header("accept", "text/html").header("x-user", user);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    };
    for path in [&live, &run, "/wait/show_progress"] {
        let (all, seen) = (page(path, "root").await, page(path, "ann").await);
        for part in
            ["method=\"post\"", "/start\"", "/cancel\"", "/retry\"", "/files/", "/log\">", "data-saves"]
        {
            assert!(!seen.contains(part), "{path} has {part}: {seen}");
        }
        assert!(all.contains("method=\"post\"") && all.contains("data-saves"), "{path}");
        assert!(seen.contains("/log?q="), "{path}: the log can be read");
    }
    assert!(page(&run, "ann").await.contains("<bdi>report.txt</bdi>"));

    let seen = json(server.get(&run).send().await.unwrap()).await;
    let links: Vec<_> = seen["links"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(links, ["self", "process", "events"]);
    assert!(seen["files"][0].get("url").is_none(), "{seen}");
    let events = server.events(&run).await.all().await;
    assert_eq!(events[0].data["links"], seen["links"]);
    let index = json(server.get("/").send().await.unwrap()).await;
    assert!(!index.to_string().contains("/start"), "{index}");
    let document = json(server.get("/openapi.json").send().await.unwrap()).await;
    assert!(document["paths"]["/wait/start"]["get"].is_object());
    assert!(document["paths"]["/wait/start"].get("post").is_none());

    let refused = async |method: &str, path: &str| {
        let method = method.parse().unwrap();
        let response = server.client.request(method, format!("{}{path}", server.url)).send().await.unwrap();
        assert_eq!(response.status(), 403, "{path}");
        let problem = json(response).await;
        assert!(
            problem["detail"].as_str().unwrap().starts_with("You don't have permission to "),
            "{problem}"
        );
    };
    for what in ["cancel", "cancel?force=yes", "pause", "resume", "retry"] {
        refused("POST", &format!("{live}/{what}")).await;
    }
    refused("POST", "/wait/start").await;
    for what in ["result", "files/report.txt", "log", "log?q=a&download=1"] {
        refused("GET", &format!("{run}/{what}")).await;
    }
    let log = server.get(&format!("{run}/log?q=")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(log.status(), 200);
    assert!(!log.text().await.unwrap().contains("download=1"));
    let now = json(server.get(&live).send().await.unwrap()).await;
    assert!(["running", "queued"].contains(&now["status"].as_str().unwrap()), "{now}");
}

#[tokio::test]
async fn lists_hide_unauthorized_runs() {
    let server = server_for(|request| {
        request.route().is_some_and(|route| route == "count")
            && request.run().is_none_or(|run| run.input["total"] == 1)
    })
    .await;
    let shown = started(&server, "root", "count", json!({ "total": 1 })).await;
    ended(&server, &shown).await;
    let later = started(&server, "root", "count", json!({ "total": 2, "pause": 600_000 })).await;
    started(&server, "root", "wait", json!({})).await;
    let shown = shown.strip_prefix("/runs/").unwrap();
    let index = json(server.get("/").send().await.unwrap()).await;
    assert_eq!(index["processes"].as_array().unwrap().len(), 1);
    assert_eq!(index["processes"][0]["latest"]["id"], shown);
    let history = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(history["runs"].as_array().unwrap().len(), 1, "{history}");
    assert_eq!(history["runs"][0]["id"], shown);
    let document = json(server.get("/openapi.json").send().await.unwrap()).await;
    let processes = document["paths"].as_object().unwrap().keys().filter(|path| path.ends_with("/start"));
    assert_eq!(processes.collect::<Vec<_>>(), ["/count/start"]);
    for path in ["/", "/runs", "/count/show_progress", &format!("/runs/{shown}")] {
        let page = server.get(path).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
        assert!(page.contains(shown), "{path}");
        assert!(!page.contains(later.strip_prefix("/runs/").unwrap()), "{path} names a hidden run");
        assert!(!page.contains("Waiting"), "{path} names a hidden process");
    }
    // The active run is a hidden one.
    assert_eq!(server.get("/count/start").send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn history_pages_skip_hidden_runs() {
    let server = server_for(|request| {
        request.run().is_none_or(|run| run.input["what"].as_str().is_some_and(|what| what.ends_with('0')))
    })
    .await;
    for number in 0..600 {
        let input = process_tests::fixtures::EraseInput { what: number.to_string() };
        process_tests::fixtures::Erase::start(&server.processes, input).await.unwrap();
    }
    let page = async |address: &str| {
        let history = json(server.get(address).send().await.unwrap()).await;
        let what = |run: &Value| run["input"]["what"].as_str().unwrap().parse::<u32>().unwrap();
        let runs: Vec<u32> = history["runs"].as_array().unwrap().iter().map(what).collect();
        (runs, history["next"].as_str().map(str::to_owned))
    };
    let (runs, next) = page("/runs").await;
    assert_eq!(runs, (0..50).map(|n| 590 - n * 10).collect::<Vec<_>>());
    assert_eq!(page(&next.unwrap()).await, ((0..10).map(|n| 90 - n * 10).collect(), None));
}

#[tokio::test]
async fn authorization_runs_once_per_request() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&asked);
    let server = server(move |request| {
        let run = request.run().map(|run| run.id.to_string());
        let question = format!("{:?} {:?} {run:?}", request.action(), request.route());
        notes.lock().unwrap().push(question);
        Ok(Actor::anonymous())
    })
    .await;
    let run = server.run("count", json!({ "total": 1 })).await;
    server.ended(&run).await;
    for path in ["/", "/runs", "/openapi.json", "/count/show_progress", &run, &format!("{run}/compare")] {
        for accept in ["text/html", "application/json"] {
            asked.lock().unwrap().clear();
            assert_eq!(server.get(path).header("accept", accept).send().await.unwrap().status(), 200);
            let mut questions = std::mem::take(&mut *asked.lock().unwrap());
            let all = questions.len();
            questions.sort();
            questions.dedup();
            assert_eq!(questions.len(), all, "{path}: {questions:?}");
            assert!(all > 0, "{path}");
        }
    }
}

#[tokio::test]
async fn start_and_retry_record_the_actor() {
    let server = server(|request| user(request).map(Actor::named).ok_or_else(Denied::not_found)).await;
    let run = started(&server, "ann", "fails", json!({})).await;
    let shown = async |run: &str| json(server.get(run).header("x-user", "bob").send().await.unwrap()).await;
    for _ in 0..500 {
        if shown(&run).await["status"] == "failed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(shown(&run).await["actor"], "ann");
    let page = server.get(&run).header("accept", "text/html").header("x-user", "bob");
    assert!(page.send().await.unwrap().text().await.unwrap().contains("<dd dir=\"auto\">ann</dd>"));
    let again = server.post(&format!("{run}/retry")).header("x-user", "bob").send().await.unwrap();
    assert_eq!(again.status(), 201);
    assert_eq!(json(again).await["actor"], "bob");
}

#[tokio::test]
async fn retry_requires_start_permission() {
    let server = server_for(|request| request.action() != Action::Start).await;
    let run = started(&server, "root", "fails", json!({})).await;
    ended(&server, &run).await;
    let retry = server.post(&format!("{run}/retry")).send().await.unwrap();
    assert_eq!(retry.status(), 403);
    let page = server.get(&run).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("/retry\""), "{page}");
    assert_eq!(json(server.get(&run).send().await.unwrap()).await["links"].get("retry"), None);
}

#[tokio::test]
async fn start_does_not_leak_hidden_run() {
    let own = |request: &AccessRequest| request.run().is_none_or(|run| run.actor.as_deref() == user(request));
    let server = server_for(own).await;
    let running = started(&server, "ann", "is-alone", json!({})).await;
    let id = running.strip_prefix("/runs/").unwrap();
    let key = |user: &str| {
        let request = server.post("/count/start").header("idempotency-key", "the same");
        request.header("x-user", user).send()
    };
    let first = json(key("ann").await.unwrap()).await["id"].as_str().unwrap().to_owned();
    let alone = server.post("/is-alone/start").header("x-user", "bob").send().await.unwrap();
    for (response, id) in [(alone, id), (key("bob").await.unwrap(), &first)] {
        assert_eq!(response.status(), 403);
        assert!(response.headers().get("location").is_none());
        let text = response.text().await.unwrap();
        assert!(
            text.contains("matches an existing run that you don't have permission to view")
                && !text.contains(id),
            "{text}"
        );
    }
    // A visitor with permission is redirected to it.
    assert_eq!(json(key("ann").await.unwrap()).await["id"], *first);
}
