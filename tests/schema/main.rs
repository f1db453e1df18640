//! The JSON Schema of each process and its server accept the same inputs: values that are made from the schema, and values
//! with mistakes, of all fixtures and examples.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "tests")]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use jsonschema::Validator;
use process_examples::{Data, Pace};
use process_runtime::Limits;
use process_tests::Chance;
use process_tests::chance::from_env;
use process_tests::fixtures::Traces;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

mod bounds;
mod make;
mod mistakes;
mod rules;
mod texts;

/// What the messages of `validate` functions say: no schema states their rules.
const TOGETHER: [&str; 5] = [
    "the end is before the beginning",
    "only one line can be checked at a time",
    "this one is too much",
    "it is never right",
    "Must not be before the start",
];
/// The message about a file of an earlier run. Whether it is there, no schema states.
const EARLIER: &str = "This file is no longer available";

/// A router with every process. It starts nothing, since its queue is full.
struct Site {
    router: Router,
    runtime: Runtime,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let data = Data::open(&folder.path().join("examples")).unwrap();
        let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
        let builder = builder.state(data.catalog).state(data.users).state(data.site).state(Pace::default());
        let builder = builder.limits(Limits::default().max_queued_per_process(0).max_start_burst(u32::MAX));
        let processes = builder.data_dir(folder.path()).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: processes.router(), runtime, _folder: folder }
    }

    fn ask(&self, request: axum::http::request::Builder, body: String) -> (u16, Value) {
        let request: Request<Body> = request.header("host", "localhost").body(body.into()).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }

    fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Request::get(path).header("accept", "application/json"), String::new());
        assert_eq!(status, 200, "{path}");
        body
    }

    /// True if the server accepts the input; false if it refuses it, for a reason that a schema can state.
    fn accepts(&self, route: &str, input: &Value) -> Result<bool, String> {
        let start = Request::post(format!("{route}/start")).header("content-type", "application/json");
        let (status, body) = self.ask(start.header("accept", "application/json"), input.to_string());
        match status {
            // The queue is full, or the process wants a confirmation: the input is accepted.
            428 => Ok(true),
            429 if body["detail"].as_str().is_some_and(|detail| detail.contains("already queued")) => {
                Ok(true)
            }
            400 | 422 => {
                let errors = body["errors"].as_array().into_iter().flatten();
                let messages: Vec<_> = errors.filter_map(|error| error["message"].as_str()).collect();
                let is_known = |message: &&str| TOGETHER.iter().any(|known| message.contains(known));
                if messages.iter().any(|message| message.contains(EARLIER)) {
                    return Err(EARLIER.to_owned());
                }
                Ok(!messages.is_empty() && messages.iter().all(is_known))
            }
            status => Err(format!("{status}: {body}")),
        }
    }
}

/// The path of each process.
fn routes(site: &Site) -> Vec<String> {
    let index = site.get("/");
    let links =
        index["processes"].as_array().unwrap().iter().map(|process| process["links"]["start"].as_str());
    links.map(|link| link.unwrap().strip_suffix("/start").unwrap().to_owned()).collect()
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    bounds::with_bounds_of_times(options).build(schema).unwrap()
}

/// A seed that finds the same cases each time, unless SCHEMA_SEED sets another one.
fn seed() -> u64 {
    let seed = from_env("SCHEMA_SEED").unwrap_or(2026);
    println!("SCHEMA_SEED={seed}");
    seed
}

/// How many cases there are for each field of a process.
fn cases(schema: &Value) -> usize {
    let fields = schema["properties"].as_object().map_or(0, serde_json::Map::len);
    5 + fields * from_env("SCHEMA_CASES").unwrap_or(10) as usize
}

/// True for a whole number beyond 2^53 with a fraction or an exponent, whose last digits JSON parsers change. A `$comment`
/// of the schema says that the server refuses it.
fn has_rounded(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|number| number.abs() >= 2_f64.powi(53))
        }
        Value::Array(entries) => entries.iter().any(has_rounded),
        Value::Object(values) => values.values().any(has_rounded),
        _ => false,
    }
}

/// True for an e-mail address of few characters and too many bytes. A `$comment` of the schema says how many there may be.
fn has_too_many_bytes(value: &Value) -> bool {
    match value {
        Value::String(text) if !text.is_ascii() => text.rsplit_once('@').is_some_and(|(local, host)| {
            local.len() > 64 || text.len() > 254 || host.split('.').any(|label| label.len() > 63)
        }),
        Value::Array(entries) => entries.iter().any(has_too_many_bytes),
        Value::Object(values) => values.values().any(has_too_many_bytes),
        _ => false,
    }
}

/// Asks server and schema about inputs that `next` makes, and returns how many were accepted and refused.
fn compare(next: impl Fn(&mut Chance, &Value) -> Value) -> (usize, usize) {
    let (site, mut chance) = (Site::new(), Chance(seed()));
    let (mut accepted, mut refused, mut wrong) = (0, 0, Vec::new());
    for route in routes(&site) {
        let schema = site.get(&format!("{route}/schema.json"));
        let validator = validator(&schema);
        for _ in 0..cases(&schema) {
            let input = next(&mut chance, &schema);
            let by_schema = validator.is_valid(&input);
            match site.accepts(&route, &input) {
                Ok(by_server) if by_server == by_schema => {}
                Ok(false) if has_rounded(&input) || has_too_many_bytes(&input) => {}
                Err(reason) if reason == EARLIER => {}
                answer => {
                    let errors: Vec<_> =
                        validator.iter_errors(&input).map(|error| error.to_string()).collect();
                    wrong
                        .push(format!("{route}: the server says {answer:?}, the schema {errors:?}: {input}"));
                }
            }
            *(if by_schema { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    (accepted, refused)
}

#[test]
fn inputs_made_from_schema_are_accepted() {
    let (accepted, refused) = compare(make::value);
    // Rarely, a text that has to meet two rules meets only one.
    assert!(accepted > 5 * refused, "{accepted} were accepted, {refused} refused");
}

#[test]
fn inputs_with_mistakes_are_refused_by_both() {
    let (accepted, refused) = compare(|chance, schema| {
        let mut input = make::value(chance, schema);
        for _ in 0..chance.of(1, 2) {
            mistakes::one(chance, schema, &mut input);
        }
        input
    });
    assert!(accepted > 300 && refused > 300, "{accepted} were accepted, {refused} refused");
}

#[test]
fn every_default_conforms_to_its_schema() {
    let site = Site::new();
    for route in routes(&site) {
        let schema = site.get(&format!("{route}/schema.json"));
        let fields = schema["properties"].as_object().into_iter().flatten();
        for (name, field) in fields.filter(|(_, field)| field.get("default").is_some()) {
            assert!(validator(field).is_valid(&field["default"]), "{route}: {name} of {field}");
        }
    }
}

#[test]
fn body_of_json_null_is_refused() {
    let site = Site::new();
    assert_eq!(site.accepts("/says-nothing", &json!({})), Ok(true));
    assert_eq!(site.accepts("/says-nothing", &Value::Null), Ok(false));
}
