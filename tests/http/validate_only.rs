//! A start can be checked without starting anything, and a pattern says what to enter.

use process_tests::Server;
use process_tests::forms::{answer, errors, places};
use process_tests::server::json;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

fn order(other: Value) -> Value {
    let mut input =
        json!({ "name": "Ada", "delivery": "door", "address": { "street": "x", "zip": "12345" } });
    let Value::Object(other) = other else { panic!("no object") };
    input.as_object_mut().unwrap().extend(other);
    input
}

fn check(server: &Server, route: &str, query: &str, input: &Value) -> RequestBuilder {
    let request = server.post(&format!("/{route}/start?validate_only={query}"));
    request.header("content-type", "application/json").body(input.to_string())
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.unwrap().status().as_u16()
}

async fn nothing_is_started(server: &Server) {
    assert_eq!(json(server.get("/runs").send().await.unwrap()).await["runs"], json!([]));
}

#[tokio::test]
async fn validate_only_starts_nothing() {
    let server = Server::start().await;
    let (order_route, none) = ("fields/order", json!({}));
    assert_eq!(status(check(&server, order_route, "yes", &order(none.clone()))).await, 204);
    let wrong = order(json!({ "name": "A" }));
    assert_eq!(places(&errors(check(&server, order_route, "yes", &wrong)).await), ["name"]);
    // The validation of all fields together is a part of it.
    let crossed = order(json!({ "from": "2026-05-01", "until": "2026-04-01" }));
    assert_eq!(places(&errors(check(&server, order_route, "yes", &crossed)).await), ["until"]);
    assert_eq!(status(check(&server, "fields/deletes", "yes", &none)).await, 428);
    assert_eq!(status(check(&server, "fields/deletes", "yes&confirmed=yes", &none)).await, 204);
    // Whoever sends another value does not mean to start anything.
    for other in ["true", "1", "no", ""] {
        let (status, problem) = answer(check(&server, order_route, other, &order(none.clone()))).await;
        assert_eq!(status, 400, "{other}");
        assert!(problem["detail"].as_str().unwrap().contains("validate_only=yes"), "{problem}");
    }
    let keyed = check(&server, order_route, "yes", &order(none)).header("idempotency-key", "");
    assert_eq!(status(keyed).await, 400);
    nothing_is_started(&server).await;
}

#[tokio::test]
async fn validate_only_needs_no_file() {
    let server = Server::start().await;
    // A form names the files that it would send.
    let two = json!({ "files": ["a.csv", "b.csv"] });
    assert_eq!(status(check(&server, "gather", "yes", &two)).await, 204);
    let one = json!({ "files": ["a.csv"] });
    assert_eq!(places(&errors(check(&server, "gather", "yes", &one)).await), ["files"]);
    let unknown = json!({ "files": ["a.csv", "b.csv"], "other": 1 });
    assert_eq!(places(&errors(check(&server, "gather", "yes", &unknown)).await), ["other"]);
    assert_eq!(status(server.json("gather", &two)).await, 422);
    // The name shows whether the type is accepted.
    let files = |name: &str| json!({ "small": name });
    let route = "fields/takes-files";
    assert_eq!(status(check(&server, route, "yes", &files("a.txt"))).await, 204);
    assert_eq!(places(&errors(check(&server, route, "yes", &files("a.exe"))).await), ["small"]);
    // Its size, if it is given, shows whether that is.
    assert_eq!(status(check(&server, route, "yes", &files("1000/a.txt"))).await, 204);
    for refused in ["1001/a.txt", "1000/a.exe", "18446744073709551615/a.txt"] {
        assert_eq!(
            places(&errors(check(&server, route, "yes", &files(refused))).await),
            ["small"],
            "{refused}"
        );
    }
    nothing_is_started(&server).await;
}

#[tokio::test]
async fn pattern_message_says_what_to_enter() {
    let server = Server::start().await;
    let input = order(json!({ "address": { "street": "x", "zip": "1234" } }));
    let found = errors(server.json("fields/order", &input)).await;
    assert_eq!(found, [("address.zip".to_owned(), "Enter the five digits of the code".to_owned())]);
    let page = server.get("/fields/order/show_progress").header("accept", "text/html");
    let html = page.send().await.unwrap().text().await.unwrap();
    // Without the script, browsers show the title.
    let input = "pattern=\"[0-9]{5}\" title=\"Enter the five digits of the code\"";
    assert!(html.contains(input), "{html}");
}
