//! Every route with every verb, role and origin: one table lists the responses, and a route that is missing in it
//! fails.

use std::collections::BTreeMap;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use process_runtime::prelude::*;
use process_runtime::{AccessRequest, Action, Actor, Denied};
use process_tests::Server;
use process_tests::server::json;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// Takes a file, and produces a result and a file.
#[process(title = "Reporting")]
async fn reports(given: Option<Upload>) -> Result<u64, std::io::Error> {
    drop(given);
    let path = std::env::temp_dir().join(format!("report-{}", process_runtime::RunId::new()));
    std::fs::write(&path, "all of it")?;
    artifact("report.txt", &path)?;
    Ok(7)
}

/// The purpose of a verb on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Everybody on our site; lists leave out what one may not see.
    Everybody,
    /// Requires this permission.
    Those(Action),
    /// The same, and never another site: it is a stream.
    Watching,
    /// Requires permission to operate.
    Operating,
    /// Open to every host and site, because it reveals nothing.
    Probes,
}

use For::{Everybody, Operating, Probes, Those, Watching};

/// The response to a request with permission.
type Answer = (&'static str, For, u16);

/// A route, an address of it, and its verbs. GET answers HEAD too.
type Row = (&'static str, &'static str, &'static [Answer]);

const VIEW: For = Those(Action::View);
const CONTROL: For = Those(Action::Control);
const START: Answer = ("POST", Those(Action::Start), 201);
// The run has ended, so control requests are conflicts.
const ASK: Answer = ("POST", CONTROL, 409);

/// `{run}` is a run that has ended, with a file that it was given, a result and a file of its own.
const TABLE: &[Row] = &[
    ("/", "/", &[("GET", Everybody, 200)]),
    ("/{process}/show_progress", "/says-nothing/show_progress", &[("GET", VIEW, 200)]),
    ("/{process}/{name}/show_progress", "/odd/odd-values/show_progress", &[("GET", VIEW, 200)]),
    ("/{process}/start", "/says-nothing/start", &[("GET", Watching, 204), START]),
    ("/{process}/{name}/start", "/odd/odd-values/start", &[("GET", Watching, 204), START]),
    ("/{process}/schema.json", "/says-nothing/schema.json", &[("GET", VIEW, 200)]),
    ("/{process}/{name}/schema.json", "/odd/odd-values/schema.json", &[("GET", VIEW, 200)]),
    ("/openapi.json", "/openapi.json", &[("GET", Everybody, 200)]),
    ("/runs", "/runs", &[("GET", Everybody, 200)]),
    ("/runs/{id}", "/runs/{run}", &[("GET", VIEW, 200)]),
    ("/runs/{id}/events", "/runs/{run}/events", &[("GET", Watching, 200)]),
    ("/events", "/events?run={run}", &[("GET", Watching, 200)]),
    ("/runs/{id}/cancel", "/runs/{run}/cancel", &[("POST", CONTROL, 200)]),
    ("/runs/{id}/pause", "/runs/{run}/pause", &[ASK]),
    ("/runs/{id}/resume", "/runs/{run}/resume", &[ASK]),
    ("/runs/{id}/retry", "/runs/{run}/retry", &[ASK]),
    ("/runs/{id}/share", "/runs/{run}/share", &[("POST", CONTROL, 201)]),
    ("/runs/{id}/compare", "/runs/{run}/compare", &[("GET", VIEW, 200)]),
    ("/runs/{id}/log", "/runs/{run}/log", &[("GET", Those(Action::Download), 200)]),
    ("/runs/{id}/result", "/runs/{run}/result", &[("GET", Those(Action::Download), 200)]),
    ("/runs/{id}/inputs/{field_path}", "/runs/{run}/inputs/given", &[("GET", Those(Action::Download), 200)]),
    ("/runs/{id}/files/{name}", "/runs/{run}/files/report.txt", &[("GET", Those(Action::Download), 200)]),
    ("/assets/{name}", "/assets/process-progress.js", &[("GET", Everybody, 200)]),
    ("/metrics", "/metrics", &[("GET", Operating, 200)]),
    ("/healthz", "/healthz", &[("GET", Probes, 200)]),
    ("/readyz", "/readyz", &[("GET", Probes, 200)]),
];

/// The routes of the sources, each with its verbs.
pub(crate) fn routes() -> BTreeMap<String, Vec<&'static str>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("process-runtime/src");
    let mut files = vec![source.join("web/routes.rs")];
    files.extend(std::fs::read_dir(source.join("web/routes")).unwrap().map(|entry| entry.unwrap().path()));
    let mut routes = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let text = std::fs::read_to_string(file).unwrap();
        let code: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for route in code.join("\n").split(".route(\"").skip(1) {
            let (pattern, handler) = route.split_once('"').unwrap();
            let handler = handler.split([';', '\n']).next().unwrap();
            // A handler for both verbs of a start.
            let is_start = handler.contains("start()");
            let verbs = [("GET", "get("), ("POST", "post(")].into_iter();
            let verbs = verbs.filter(|(_, call)| handler.contains(call) || is_start).map(|(verb, _)| verb);
            routes.insert(pattern.to_owned(), verbs.collect());
        }
    }
    routes
}

#[test]
fn every_route_has_a_matrix_row() {
    let table: BTreeMap<_, Vec<_>> = TABLE
        .iter()
        .map(|(pattern, _, answers)| {
            ((*pattern).to_owned(), answers.iter().map(|(verb, ..)| *verb).collect())
        })
        .collect();
    let routes = routes();
    assert!(routes.len() > 20, "{routes:?}");
    assert_eq!(table, routes);
}

const VERBS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"];

/// The roles and their permissions.
const ROLES: [(&str, &[Action]); 7] = [
    ("root", &[Action::View, Action::Start, Action::Control, Action::Download]),
    ("operator", &[Action::Operate]),
    ("viewer", &[Action::View]),
    ("starter", &[Action::View, Action::Start]),
    ("reader", &[Action::View, Action::Download]),
    // Without permission to view, nothing else is possible.
    ("blind", &[Action::Start, Action::Control, Action::Download]),
    ("stranger", &[]),
];

fn allowed(request: &AccessRequest) -> Result<Actor, Denied> {
    let name = request.parts().headers.get("x-user").and_then(|name| name.to_str().ok()).unwrap_or_default();
    let (name, may) = ROLES.iter().find(|(role, _)| *role == name).unwrap();
    if may.contains(&request.action()) { Ok(Actor::named(*name)) } else { Err(Denied::not_found()) }
}

/// The origin of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Us,
    OtherSite,
    OtherHost,
}

const ORIGINS: [(From, &[(&str, &str)]); 12] = [
    (From::Us, &[("host", "localhost:3000")]),
    (From::Us, &[("host", "localhost:3000"), ("sec-fetch-site", "same-origin")]),
    (From::Us, &[("host", "localhost:3000"), ("sec-fetch-site", "none")]),
    (From::Us, &[("host", "localhost:3000"), ("origin", "http://localhost:3000")]),
    (From::OtherSite, &[("host", "localhost:3000"), ("sec-fetch-site", "same-site")]),
    (From::OtherSite, &[("host", "localhost:3000"), ("sec-fetch-site", "cross-site")]),
    (
        From::OtherSite,
        &[("host", "localhost:3000"), ("sec-fetch-site", "cross-site"), ("origin", "http://localhost:3000")],
    ),
    (From::OtherSite, &[("host", "localhost:3000"), ("origin", "http://localhost:3001")]),
    (From::OtherSite, &[("host", "localhost:3000"), ("origin", "null")]),
    (From::OtherHost, &[("host", "evil.example")]),
    (From::OtherHost, &[("host", "evil.example"), ("sec-fetch-site", "same-origin")]),
    (From::OtherHost, &[]),
];

/// What must be answered, and nothing else.
fn expected(answers: &[Answer], verb: &str, may: &[Action], from: From) -> u16 {
    let asked = if verb == "HEAD" { "GET" } else { verb };
    let answer = answers.iter().find(|(verb, ..)| *verb == asked);
    let is_probe = answers.iter().any(|(_, who, _)| *who == Probes);
    if from == From::OtherHost && !is_probe {
        return 421;
    }
    if from == From::OtherSite && !is_probe && !["GET", "HEAD", "OPTIONS"].contains(&verb) {
        return 403;
    }
    let Some((_, who, status)) = answer else { return 405 };
    match who {
        Everybody | Probes => *status,
        Watching if from == From::OtherSite => 403,
        Operating if !may.contains(&Action::Operate) => 404,
        Operating => *status,
        Watching | Those(_) if !may.contains(&Action::View) => 404,
        Those(action) if !may.contains(action) => 403,
        Watching | Those(_) => *status,
    }
}

#[tokio::test]
async fn route_matrix_answers_as_listed() {
    let with = |builder: process_runtime::Builder| {
        builder.metrics_route().authorize(|request| std::future::ready(allowed(&request)))
    };
    let server = Server::built(TempDir::new().unwrap(), "", with).await;
    let start = server.post("/reports/start").header("x-user", "root");
    let start = start.header("content-type", "application/json");
    let start =
        start.body(r#"{ "given": { "name": "a.txt", "content": "aGVsbG8=" } }"#).send().await.unwrap();
    let run = json(start).await["id"].as_str().unwrap().to_owned();
    let stored = async || {
        let store = server.processes.store();
        store.runs(process_runtime::store::RunFilter::default().limit(10_000)).await.unwrap()
    };
    while !stored().await[0].status.is_terminal() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let before = stored().await.remove(0);
    let router: Router = server.processes.router();
    let (mut asked, mut started) = (0, 0);
    for (pattern, address, answers) in TABLE {
        let address = address.replace("{run}", &run);
        for verb in VERBS {
            for (role, may) in ROLES {
                for (from, headers) in ORIGINS {
                    let mut request = Request::builder()
                        .method(Method::from_bytes(verb.as_bytes()).unwrap())
                        .uri(&address)
                        .header("x-user", role)
                        .header("accept", "application/json");
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    let request = request.body(Body::empty()).unwrap();
                    let response = router.clone().oneshot(request).await.unwrap();
                    let case = format!("{verb} {address} ({pattern}) as {role} with {headers:?}");
                    let status = response.status().as_u16();
                    assert_eq!(status, expected(answers, verb, may, from), "{case}");
                    check_headers(response.headers(), &case);
                    asked += 1;
                    started += usize::from(status == 201 && address.ends_with("/start"));
                }
            }
        }
    }
    // No other request has started, changed or removed anything.
    let mut after = stored().await;
    assert_eq!(after.len(), 1 + started);
    assert_eq!(after.pop(), Some(before));
    assert_eq!(asked, TABLE.len() * VERBS.len() * ROLES.len() * ORIGINS.len());
}

/// Headers that every response has, and that none has.
fn check_headers(headers: &HeaderMap, case: &str) {
    let policy = headers.get("content-security-policy").and_then(|policy| policy.to_str().ok());
    assert!(policy.is_some_and(|policy| policy.starts_with("default-src 'none'")), "{case}: {policy:?}");
    assert_eq!(headers.get("x-content-type-options").unwrap(), "nosniff", "{case}");
    assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{case}");
}
