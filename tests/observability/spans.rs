//! Spans of each attempt of a run, around everything it logs, and of each request.

use process_tests::Server;
use process_tests::server::json;
use serde_json::json;
use tempfile::TempDir;
use tracing::Level;

use super::heard::{self, Span};

fn of_run(span: &Span, id: &str) -> bool {
    span.name == "run" && span.target == "process_runtime" && span.fields["run"] == id
}

fn id_of(run: &str) -> String {
    run.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn events_in_run_carry_its_span() {
    heard::listen();
    let server = Server::start().await;
    let run = server.run("speaks", json!({ "name": "Ada" })).await;
    server.ended(&run).await;
    let id = id_of(&run);
    let said: Vec<_> =
        heard::said().into_iter().filter(|one| one.target == "process_tests::logging").collect();
    for text in ["begins", "from a function", "from a task", "from a blocking task", "in a span"] {
        let one =
            said.iter().find(|one| one.message() == text && one.within.iter().any(|span| of_run(span, &id)));
        let one = one.unwrap_or_else(|| panic!("{text:?} is not in the run's span: {said:#?}"));
        let span = one.within.iter().find(|span| of_run(span, &id)).unwrap();
        assert_eq!((&*span.fields["process"], &*span.fields["attempt"]), ("speaks", "1"));
        assert_eq!(span.level, Level::INFO);
    }
}

#[tokio::test]
async fn each_attempt_has_its_own_span() {
    heard::listen();
    let server = Server::start().await;
    let run = server.run("fails-at-first", json!({ "times": 2 })).await;
    assert_eq!(server.ended(&run).await["status"], "succeeded");
    let id = id_of(&run);
    let spans = heard::closed_by_now("run", 3, |span| of_run(span, &id)).await;
    let attempts: Vec<_> = spans.iter().map(|span| span.fields["attempt"].as_str()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    for span in spans {
        assert_eq!(span.fields.keys().collect::<Vec<_>>(), ["attempt", "process", "run"]);
    }
}

#[tokio::test]
async fn request_span_has_route_not_values() {
    heard::listen();
    let server = Server::nested("/spans").await;
    let page = server.get("/count/show_progress?total=kanarienvogel&password=kanarienvogel");
    assert_eq!(page.send().await.unwrap().status(), 200);
    let started = json(server.post("/says-nothing/start").send().await.unwrap()).await;
    let id = started["id"].as_str().unwrap();
    server.ended(&format!("/runs/{id}")).await;
    assert_eq!(server.get("/kanarienvogel/\u{1b}").send().await.unwrap().status(), 404);
    let host = server.get("/runs").header("host", "kanarienvogel").send().await.unwrap();
    assert_eq!(host.status(), 421);
    for expected in [
        &[("method", "GET"), ("route", "/spans/{process}/show_progress"), ("status", "200")][..],
        &[("method", "POST"), ("route", "/spans/{process}/start"), ("status", "201"), ("run", id)],
        &[("method", "GET"), ("route", "/spans/runs/{id}"), ("status", "200"), ("run", id)],
        &[("method", "GET"), ("route", "other"), ("status", "404")],
        &[("method", "GET"), ("route", "/spans/runs"), ("status", "421")],
    ] {
        let fits = |span: &Span| {
            span.level == Level::DEBUG
                && span.target == "process_runtime"
                && expected.iter().all(|(name, value)| span.fields.get(*name).is_some_and(|is| is == value))
        };
        heard::closed_by_now("request", 1, fits).await;
    }
    let spans = heard::closed("request");
    assert!(!format!("{spans:?}").contains("kanarienvogel"), "{spans:#?}");
}

#[tokio::test]
async fn million_reports_emit_no_events() {
    heard::listen();
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder).await;
    let run = server.run("race", json!({ "steps": 1_000_000 })).await;
    server.ended(&run).await;
    let id = id_of(&run);
    let said = heard::said();
    let in_run = said.iter().filter(|one| one.within.iter().any(|span| of_run(span, &id)));
    let ours = in_run.filter(|one| one.target.starts_with("process_runtime"));
    assert_eq!(ours.count(), 0);
    assert_eq!(heard::closed_by_now("run", 1, |span| of_run(span, &id)).await.len(), 1);
}
