//! The OpenAPI document and the server say the same: every route and verb is documented, and so is every answer.

use std::collections::{BTreeMap, BTreeSet};

use process_runtime::{AccessRequest, Action, Actor, Denied, Limits};
use process_tests::server::json;
use process_tests::{Events, Server};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::matrix::routes;

/// Everything is permitted but to operate, for which one has to be root.
fn permitted(request: &AccessRequest) -> Result<Actor, Denied> {
    let is_root = request.parts().headers.get("x-user").is_some_and(|user| user == "root");
    if is_root || request.action() != Action::Operate {
        Ok(Actor::named("ann"))
    } else {
        Err(Denied::not_found())
    }
}

async fn server() -> Server {
    let with = |builder: process_runtime::Builder| {
        let limits = Limits::default().max_header_count(20);
        builder.metrics_route().limits(limits).authorize(|request| std::future::ready(permitted(&request)))
    };
    Server::built(TempDir::new().unwrap(), "", with).await
}

async fn document(server: &Server, user: &str) -> Document {
    Document(json(server.get("/openapi.json").header("x-user", user).send().await.unwrap()).await)
}

struct Document(Value);

impl Document {
    fn paths(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0["paths"].as_object().unwrap().iter()
    }

    /// The object, or the one that it refers to.
    fn resolve<'a>(&'a self, object: &'a Value) -> &'a Value {
        match object["$ref"].as_str() {
            Some(target) => self.0.pointer(target.strip_prefix('#').unwrap()).unwrap(),
            None => object,
        }
    }

    fn assert_valid(&self, schema: &Value, value: &Value, case: &str) {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let wrong: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{case}: {wrong:?} in {value}");
        self.assert_known(&schema, value, case);
    }

    /// No object has a property that its schema does not name.
    fn assert_known(&self, schema: &Value, value: &Value, case: &str) {
        let schema = self.resolve(schema);
        if let Some(of_many) = schema["oneOf"].as_array() {
            // Or null.
            if !value.is_null() {
                self.assert_known(&of_many[0], value, case);
            }
            return;
        }
        if let Some(values) = value.as_array() {
            values.iter().for_each(|value| self.assert_known(&schema["items"], value, case));
        }
        let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) else {
            return;
        };
        for (name, value) in object {
            let Some(schema) = properties.get(name) else { panic!("{case}: {name} is not documented") };
            self.assert_known(schema, value, &format!("{case}.{name}"));
        }
    }

    /// Sends a request, whose answer must have this status and be as it is documented for this path.
    async fn check(&self, path: &str, verb: &str, request: RequestBuilder, status: u16) -> Response {
        let response = request.send().await.unwrap();
        let case = format!("{verb} {path}: {}", response.status());
        assert_eq!(response.status(), status, "{case}");
        let responses = &self.0["paths"][path][verb]["responses"];
        let documented = self.resolve(&responses[status.to_string()]);
        assert!(documented["description"].is_string(), "{case} is not documented");
        if documented["headers"]["Retry-After"].is_object() {
            assert!(response.headers().contains_key("retry-after"), "{case}");
        }
        let Some(media_type) = response.headers().get("content-type") else {
            assert!(documented.get("content").is_none(), "{case} has no content");
            return response;
        };
        let media_type = media_type.to_str().unwrap().split(';').next().unwrap().to_owned();
        let content = documented["content"].as_object().unwrap_or_else(|| panic!("{case} has {media_type}"));
        let content = content.get(&media_type).or_else(|| content.get("*/*"));
        let schema = &content.unwrap_or_else(|| panic!("{case} has {media_type}"))["schema"];
        if !media_type.ends_with("json") {
            return response;
        }
        let headers = response.headers().clone();
        let body = json(response).await;
        self.assert_valid(schema, &body, &case);
        let mut again = axum::http::Response::new(body.to_string());
        *again.headers_mut() = headers;
        again.into()
    }
}

#[tokio::test]
async fn every_route_and_verb_is_documented() {
    let server = server().await;
    let routes = routes();
    let index = json(server.get("/").send().await.unwrap()).await;
    let links =
        index["processes"].as_array().unwrap().iter().map(|process| &process["links"]["show_progress"]);
    let processes: Vec<_> =
        links.map(|link| link.as_str().unwrap().strip_suffix("show_progress").unwrap().to_owned()).collect();
    assert!(processes.contains(&"/odd/odd-values/".to_owned()) && processes.len() > 10);
    let mut documented = BTreeSet::new();
    let mut of_process = BTreeMap::<&str, usize>::new();
    for (path, item) in document(&server, "root").await.paths() {
        let process = processes.iter().find(|process| path.starts_with(*process));
        let pattern = match process {
            Some(process) => {
                *of_process.entry(process).or_default() += 1;
                let route =
                    if process.matches('/').count() == 3 { "/{process}/{name}/" } else { "/{process}/" };
                path.replacen(process.as_str(), route, 1)
            }
            None => path.clone(),
        };
        let verbs = ["GET", "POST"].into_iter().filter(|verb| item[verb.to_lowercase()].is_object());
        let routed = routes.get(&pattern).unwrap_or_else(|| panic!("{path} is no route"));
        assert_eq!(verbs.collect::<Vec<_>>(), *routed, "{path}");
        documented.insert(pattern);
    }
    assert_eq!(documented, routes.into_keys().collect());
    assert!(of_process.len() == processes.len() && of_process.values().all(|paths| *paths == 3));
}

#[tokio::test]
async fn metrics_are_documented_for_operators() {
    let server = server().await;
    for (user, is_documented) in [("root", true), ("ann", false)] {
        let document = document(&server, user).await;
        assert_eq!(document.paths().any(|(path, _)| path == "/metrics"), is_documented, "{user}");
    }
    let without = Server::start().await;
    assert!(document(&without, "root").await.0["paths"].get("/metrics").is_none());
}

#[tokio::test]
async fn path_parameters_are_documented() {
    let server = server().await;
    let document = document(&server, "root").await;
    for (path, item) in document.paths() {
        for verb in ["get", "post"].into_iter().filter(|verb| item[*verb].is_object()) {
            let all = [&item["parameters"], &item[verb]["parameters"]];
            let all = all.into_iter().filter_map(Value::as_array).flatten().map(|one| document.resolve(one));
            let in_path = all.filter(|parameter| parameter["in"] == "path" && parameter["required"] == true);
            let names: BTreeSet<_> = in_path.map(|parameter| parameter["name"].as_str().unwrap()).collect();
            let expected = path.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0);
            assert_eq!(names, expected.collect(), "{verb} {path}");
        }
    }
}

#[tokio::test]
async fn answers_match_documented_schemas() {
    let server = server().await;
    let document = document(&server, "root").await;
    let get = |path: &str| server.get(path).header("x-user", "root").header("accept", "*/*");
    let mut runs = Vec::new();
    for route in ["sort", "writes-a-file"] {
        let path = format!("/{route}/start");
        let started = document.check(&path, "post", server.post(&path), 201).await;
        assert!(started.headers().contains_key("location"));
        let run = format!("/runs/{}", json(started).await["id"].as_str().unwrap());
        let stream = document.check("/runs/{id}/events", "get", get(&format!("{run}/events")), 200).await;
        let events = Events::of(stream).all().await;
        for event in &events {
            let name = match event.name.as_str() {
                "snapshot" => "SnapshotEvent",
                "progress" => "ProgressEvent",
                "log" => "LogEvent",
                "end" => "EndEvent",
                _ => "RunEvent",
            };
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            document.assert_valid(&schema, &event.data, name);
        }
        assert!(events.len() >= 2, "{events:?}");
        runs.push(run);
    }
    let [sorted, written] = &runs[..] else { panic!("{runs:?}") };
    let run = json(document.check("/runs/{id}", "get", get(sorted), 200).await).await;
    assert!(run["stages"][0].is_object() && run["failed_items"][0].is_object(), "{run}");
    let page = get(sorted).header("accept", "text/html");
    document.check("/runs/{id}", "get", page, 200).await;
    for (path, address) in [
        ("/", "/".to_owned()),
        ("/runs", "/runs?status=succeeded,failed".to_owned()),
        ("/runs/{id}/compare", format!("{sorted}/compare")),
        ("/runs/{id}/compare", format!("{sorted}/compare?with={}", written.trim_start_matches("/runs/"))),
        ("/runs/{id}/log", format!("{sorted}/log")),
        ("/runs/{id}/result", format!("{sorted}/result")),
        ("/runs/{id}/files/{name}", format!("{written}/files/report.txt")),
        ("/sort/show_progress", "/sort/show_progress?items=3".to_owned()),
        ("/sort/schema.json", "/sort/schema.json".to_owned()),
        ("/assets/{name}", "/assets/process-progress.js".to_owned()),
        ("/openapi.json", "/openapi.json".to_owned()),
        ("/metrics", "/metrics".to_owned()),
        ("/healthz", "/healthz".to_owned()),
        ("/readyz", "/readyz".to_owned()),
    ] {
        document.check(path, "get", get(&address), 200).await;
    }
    document.check("/sort/start", "get", get("/sort/start"), 204).await;
    document.check("/runs/{id}/share", "post", server.post(&format!("{sorted}/share")), 201).await;
    let many = get(&format!("/events?run={}", sorted.trim_start_matches("/runs/")));
    document.check("/events", "get", many, 200).await;
    let waiting = json(server.post("/wait/start").send().await.unwrap()).await;
    let cancel = server.post(&format!("/runs/{}/cancel", waiting["id"].as_str().unwrap()));
    document.check("/runs/{id}/cancel", "post", cancel, 200).await;
}

#[tokio::test]
async fn refusals_match_documented_problems() {
    let server = server().await;
    let document = document(&server, "root").await;
    let run = json(server.post("/says-nothing/start").send().await.unwrap()).await;
    let run = format!("/runs/{}", run["id"].as_str().unwrap());
    Events::of(server.get(&format!("{run}/events")).send().await.unwrap()).all().await;
    let start = "/choose/start";
    let json_start = || server.post(start).header("content-type", "application/json");
    let unknown = "/runs/01a22aee-adc3-7303-b8cc-6b817e9ab4b5";
    let requests = [
        (start, "post", json_start().body("{"), 400),
        (start, "post", json_start().body("{}"), 422),
        (start, "post", json_start().body("{}").header("sec-fetch-site", "cross-site"), 403),
        (start, "post", json_start().body("{}").header("host", "evil.example"), 421),
        (start, "post", json_start().body("{}").header("content-encoding", "br"), 415),
        (start, "post", json_start().body(" ".repeat(2 << 20)), 413),
        (start, "post", json_start().body("{}").header("idempotency-key", ""), 400),
        ("/erase/start", "post", server.post("/erase/start"), 428),
        ("/choose/start", "get", server.get("/choose/start?format=xml"), 400),
        (
            "/choose/show_progress",
            "get",
            server.get(&format!("/choose/show_progress?{}", "x".repeat(40_000))),
            414,
        ),
        ("/runs", "get", server.get("/runs?before=x"), 400),
        ("/runs", "get", (0..20).fold(server.get("/runs"), |request, _| request.header("x-many", "x")), 431),
        ("/events", "get", server.get("/events"), 400),
        ("/runs/{id}", "get", server.get(unknown), 404),
        ("/runs/{id}/events", "get", server.get(&format!("{unknown}/events")), 404),
        ("/runs/{id}/result", "get", server.get(&format!("{run}/result")), 404),
        ("/runs/{id}/files/{name}", "get", server.get(&format!("{run}/files/none.txt")), 404),
        ("/runs/{id}/log", "get", server.get(&format!("{run}/log?after=x")), 400),
        ("/runs/{id}/cancel", "post", server.post(&format!("{unknown}/cancel")), 404),
        ("/runs/{id}/pause", "post", server.post(&format!("{run}/pause")), 409),
        ("/runs/{id}/retry", "post", server.post(&format!("{run}/retry")), 409),
        ("/runs/{id}/share", "post", server.post(&format!("{run}/share?for=never")), 422),
        ("/assets/{name}", "get", server.get("/assets/none.js"), 404),
    ];
    for (path, verb, request, status) in requests {
        document.check(path, verb, request, status).await;
    }
}
