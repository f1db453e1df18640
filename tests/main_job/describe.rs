//! Descriptions for programs: a JSON Schema of each process, and OpenAPI of the mount.

use process_tests::server::json;
use serde_json::{Value, json};

use crate::examples::Examples;

const SINK: &str = "/demo/kitchen-sink";

fn good() -> Value {
    json!({
        "name": "Sale", "percent": 2.5, "email": "ada@example.org", "delivery": "door", "colours": ["red"],
        "address": { "street": "Main 1", "zip": "12345" }, "api_key": "sk-123456", "limit": null,
        "lines": [{ "article": "A-1" }], "file": { "name": "a.csv", "content": "YSxiCg==" },
        "until": "2026-12-31", "at": "14:30", "meeting": "2026-12-31T14:30:00", "pause": "PT5M",
    })
}

#[tokio::test]
async fn schema_accepts_exactly_valid_starts() {
    let server = Examples::start();
    let response = server.get(&format!("{SINK}/schema.json")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/schema+json");
    let schema = json(response).await;
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).expect("a good schema");
    let change = |pointer: &str, to: Value| {
        let mut input = good();
        *input.pointer_mut(pointer).expect(pointer) = to;
        input
    };
    let mut unknown = good();
    unknown["colour_of_the_sky"] = json!("blue");
    let mut missing = good();
    missing.as_object_mut().unwrap().remove("name");
    let bad = [
        change("/name", json!("x")),
        change("/percent", json!(101)),
        change("/percent", json!(0.3)),
        change("/delivery", json!("moon")),
        change("/colours/0", json!("pink")),
        change("/address/zip", json!("1234")),
        change("/email", json!("ada")),
        change("/until", json!("2026-02-30")),
        change("/at", json!("noon")),
        change("/lines/0", json!({ "quantity": 1 })),
        change("/file", json!({ "name": "a.csv" })),
        unknown,
        missing,
    ];
    for (input, accepted) in [(good(), true)].into_iter().chain(bad.map(|input| (input, false))) {
        let request = server.client.post(format!("{}{SINK}/start", server.url));
        let response =
            request.header("content-type", "application/json").body(input.to_string()).send().await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(status, if accepted { 201 } else { 422 }, "{input}: {}", response.text().await.unwrap());
        assert_eq!(schema.is_valid(&input), accepted, "{input}");
    }
}

#[tokio::test]
async fn openapi_document_names_every_process() {
    let server = Examples::start();
    let response = server.get("/openapi.json").await;
    assert_eq!(response.status(), 200);
    let document = json(response).await;
    assert_eq!(document["openapi"], "3.1.0");
    let parsed = oas3::from_json(document.to_string()).expect("OpenAPI 3.1");
    let paths = parsed.paths.expect("paths");
    for page in &server.pages {
        let (url, title) = page.split_once("  ").expect("an address and a title");
        let path = url.strip_prefix(&server.url).expect("a page").replace("/show_progress", "/start");
        let start = paths.get(&path).and_then(|path| path.post.as_ref()).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(start.summary.as_deref(), Some(title));
    }
    // Every reference leads somewhere.
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference of this document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    // Operation ids are unique.
    let mut ids: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| {
            path.as_object().unwrap().values().filter_map(|operation| operation["operationId"].as_str())
        })
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
            object.values().for_each(|value| collect(value, references));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}

#[tokio::test]
async fn unknown_process_has_no_schema() {
    let server = Examples::start();
    for path in ["/nothing/schema.json", "/demo/nothing/schema.json"] {
        assert_eq!(server.get(path).await.status(), 404, "{path}");
    }
}
