//! Invalid values are reported with their paths, all at once; confirmation comes after validation.

use process_tests::forms::{answer, errors, page, places, started};
use process_tests::server::json;
use process_tests::{Multipart, Server};
use serde_json::{Value, json};

fn least() -> Value {
    json!({ "name": "Ada", "delivery": "door", "address": { "street": "x", "zip": "12345" } })
}

/// The least, with other values for some fields.
fn with(other: Value) -> Value {
    let mut input = least();
    let Value::Object(other) = other else { panic!("no object") };
    input.as_object_mut().unwrap().extend(other);
    input
}

const WRONG: [&str; 19] = [
    "name",
    "sign",
    "number",
    "huge",
    "percent",
    "limit",
    "from",
    "at",
    "meeting",
    "pause",
    "id",
    "website",
    "email",
    "delivery",
    "tags.1",
    "floors.0",
    "address.street",
    "address.zip",
    "lines.0.quantity",
];

#[tokio::test]
async fn all_invalid_fields_are_named() {
    let server = Server::start().await;
    let input = json!({
        "name": "A", "sign": "ab", "number": -1, "huge": "x", "percent": 12.3, "limit": "ten",
        "from": "2026-02-30", "at": "25:00", "meeting": "2026-13-01T10:00", "pause": "P2D", "id": "1-2",
        "website": "example.org", "email": "ada", "delivery": "plane", "tags": ["a", 5], "floors": [256],
        "address": { "zip": "1234" }, "lines": [{ "article": "lamp", "quantity": 0 }]
    });
    assert_eq!(places(&errors(server.json("fields/order", &input)).await), WRONG);
    let pairs = [
        ("name", "A"),
        ("sign", "ab"),
        ("number", "-1"),
        ("huge", "x"),
        ("percent", "12.3"),
        ("limit", "ten"),
        ("from", "2026-02-30"),
        ("at", "25:00"),
        ("meeting", "2026-13-01T10:00"),
        ("pause", "P2D"),
        ("id", "1-2"),
        ("website", "example.org"),
        ("email", "ada"),
        ("delivery", "plane"),
        ("floors", "256"),
        ("address.zip", "1234"),
        ("lines.3.article", "lamp"),
        ("lines.3.quantity", "0"),
    ];
    // Every text is a tag.
    let expected: Vec<&str> = WRONG.into_iter().filter(|place| *place != "tags.1").collect();
    let multipart = pairs.iter().fold(Multipart::new(), |form, (name, value)| form.text(name, value));
    let mut messages = Vec::new();
    for request in [server.form("fields/order", &pairs), server.multipart("fields/order", multipart)] {
        let errors = errors(request).await;
        assert_eq!(places(&errors), expected);
        messages.push(errors);
    }
    assert_eq!(messages[0], messages[1]);
    let (status, html) = page(server.form("fields/order", &pairs)).await;
    assert_eq!(status, 422);
    for (place, message) in &messages[0] {
        let error = html.split(&format!("id=\"field-{place}-error\"")).nth(1).unwrap_or_else(|| {
            panic!("the page does not name {place}");
        });
        let shown = error.split_once('>').unwrap().1.split('<').next().unwrap();
        let shown = shown.replace("&quot;", "\"").replace("&amp;", "&");
        assert_eq!(shown, *message, "{place}");
    }
    assert_eq!(json(server.get("/runs").send().await.unwrap()).await["runs"], json!([]));
}

#[tokio::test]
async fn field_error_says_what_is_expected() {
    let server = Server::start().await;
    for (value, place, message) in [
        (json!({ "percent": 100.5 }), "percent", "Must be between 0 and 100"),
        (json!({ "percent": 0.7 }), "percent", "Must be in steps of 0.5, starting at 0"),
        (json!({ "from": "2026-02-30" }), "from", "Enter a valid date or time: 2026-02-30 does not exist"),
        (json!({ "from": "30.2.2026" }), "from", "Enter a date such as 2026-11-21, not \"30.2.2026\""),
        (json!({ "delivery": "plane" }), "delivery", "Choose one of: door, shop, none (not plane)"),
        (json!({ "deliveries": ["door", "x"] }), "deliveries.1", "Choose one of: door, shop, none (not x)"),
        (json!({ "pause": "25h" }), "pause", "Must be 24h or less"),
        (json!({ "tags": ["1", "2", "3", "4", "5", "6"] }), "tags", "Enter at most 5 entries, not 6"),
        (
            json!({ "address": "Main Street" }),
            "address",
            "Enter an object with the fields (street, zip, floors), not \"Main Street\"",
        ),
        (json!({ "name": Value::Null }), "name", "This field is required"),
        (json!({ "number": [1] }), "number", "Enter a whole number, not a list"),
    ] {
        let found = errors(server.json("fields/order", &with(value))).await;
        assert_eq!(found, [(place.to_owned(), message.to_owned())]);
    }
}

#[tokio::test]
async fn missing_group_names_its_fields() {
    let server = Server::start().await;
    let pairs = [("name", "Ada"), ("delivery", "door"), ("address.street", ""), ("address.zip", "")];
    let found = errors(server.form("fields/order", &pairs)).await;
    assert_eq!(places(&found), ["address.street", "address.zip"]);
    // A part of an optional group makes its other parts required.
    let more = [("second_address.street", "x")];
    let pairs = [("name", "Ada"), ("delivery", "door"), ("address.street", "x"), ("address.zip", "12345")];
    let found = errors(server.form("fields/order", &[&pairs[..], &more[..]].concat())).await;
    assert_eq!(places(&found), ["second_address.zip"]);
}

#[tokio::test]
async fn unknown_nested_fields_are_named() {
    let server = Server::start().await;
    let input = with(json!({
        "colour": "red", "address": { "street": "x", "zip": "12345", "city": "y" },
        "lines": [{ "article": "a" }, { "article": "b", "price": 5 }]
    }));
    let found = errors(server.json("fields/order", &input)).await;
    assert_eq!(places(&found), ["address.city", "lines.1.price", "colour"]);
    assert_eq!(found[1].1, "Unknown field (the fields are: article, quantity)");
    let least = [("name", "Ada"), ("delivery", "door"), ("address.street", "x"), ("address.zip", "12345")];
    for (name, place) in [
        ("colour", "colour"),
        ("address.city", "address.city"),
        ("address.zip.x", "address.zip.x"),
        ("lines.0.price", "lines.0.price"),
        ("lines.x", "lines.x"),
        ("lines.x.article", "lines.x.article"),
        ("lines.00.article", "lines.00.article"),
        ("lines.99999999999999999999.article", "lines.99999999999999999999.article"),
        ("lines.0", "lines.0"),
        ("number.x", "number.x"),
        ("tags.0", "tags.0"),
        ("", ""),
    ] {
        let found = errors(server.form("fields/order", &[&least[..], &[(name, "5")]].concat())).await;
        assert_eq!(places(&found).last(), Some(&place), "{name}: {found:?}");
    }
    // A text where a group or a list of groups belongs.
    for name in ["address", "lines", "second_address"] {
        let found = errors(server.form("fields/order", &[&least[..], &[(name, "5")]].concat())).await;
        assert!(places(&found)[0].starts_with(name), "{name}: {found:?}");
    }
}

#[tokio::test]
async fn integers_are_exact_or_refused() {
    let server = Server::start().await;
    let post = |number: &str| {
        let body = least().to_string().replacen('{', &format!("{{\"number\":{number},"), 1);
        server.post("/fields/order/start").header("content-type", "application/json").body(body)
    };
    for number in ["9007199254740993", "18446744073709551615", "0", "\"9007199254740993\"", "1e3", "5.0"] {
        let run = started(post(number)).await;
        let exact = match number.trim_matches('"') {
            "1e3" => "1000",
            "5.0" => "5",
            other => other,
        };
        assert_eq!(run["input"]["number"].to_string(), exact);
    }
    let digits = "Send this number as a string: JSON numbers of this size lose digits";
    for (number, message) in [
        ("18446744073709551616", digits),
        ("1e19", digits),
        ("9007199254740994.0", digits),
        ("\"18446744073709551616\"", "Must be 18446744073709551615 or less"),
        ("1.5", "Enter a whole number, not 1.5"),
    ] {
        assert_eq!(errors(post(number)).await, [("number".to_owned(), message.to_owned())], "{number}");
    }
}

#[tokio::test]
async fn cross_field_rules_name_a_field() {
    let server = Server::start().await;
    let input = with(json!({ "from": "2026-05-01", "until": "2026-04-01" }));
    let found = errors(server.json("fields/order", &input)).await;
    assert_eq!(found, [("until".to_owned(), "the end is before the beginning".to_owned())]);
    let pairs = [
        ("name", "Ada"),
        ("delivery", "door"),
        ("address.street", "x"),
        ("address.zip", "12345"),
        ("only_check", "on"),
        ("lines.0.article", "a"),
        ("lines.1.article", "b"),
    ];
    let found = errors(server.form("fields/order", &pairs)).await;
    assert_eq!(places(&found), ["", "lines.1.quantity"]);
    let html = page(server.form("fields/order", &pairs)).await.1;
    assert!(html.contains("only one line can be checked at a time"), "{html}");
    assert!(html.contains("id=\"field-lines.1.quantity-error\""));
    // Cross-field validation runs when every field is valid.
    let input = with(json!({ "from": "2026-05-01", "until": "2026-04-01", "name": "A" }));
    assert_eq!(places(&errors(server.json("fields/order", &input)).await), ["name"]);
}

#[tokio::test]
async fn confirmation_is_required_before_start() {
    let server = Server::start().await;
    let route = "fields/deletes";
    for (request, copies) in [
        (server.json(route, &json!({})), 1),
        (server.json(route, &json!({ "copies": 2 })), 2),
        (server.post("/fields/deletes/start"), 1),
        (server.post("/fields/deletes/start?confirmed=no"), 1),
        (server.post("/fields/deletes/start?confirmed"), 1),
        (server.form(route, &[("confirmed-start", "no")]), 1),
        (server.multipart(route, Multipart::new().text("copies", "2")), 2),
    ] {
        let (status, problem) = answer(request).await;
        // The question names the inputs.
        let question = format!("Really delete \"everything\", {copies} times?");
        assert_eq!((status, &problem["question"]), (428, &json!(question)));
        assert!(problem["detail"].as_str().unwrap().contains("?confirmed=yes"), "{problem}");
    }
    let (status, html) = page(server.form(route, &[("copies", "3")])).await;
    assert_eq!(status, 428);
    assert!(html.contains("Really delete &quot;everything&quot;, 3 times?") && html.contains("value=\"3\""));
    assert!(html.contains("name=\"confirmed-start\""));
    // Errors are reported before confirmation is requested.
    let found = errors(server.json(route, &json!({ "copies": -1 }))).await;
    assert_eq!(places(&found), ["copies"]);
    let found = errors(server.json(route, &json!({ "confirmed-start": "yes" }))).await;
    assert_eq!(places(&found), ["confirmed-start"]);
    assert_eq!(json(server.get("/runs").send().await.unwrap()).await["runs"], json!([]));
    let yes = server.post("/fields/deletes/start?confirmed=yes");
    assert_eq!(started(yes).await["input"]["copies"], 1);
    let yes = server.form(route, &[("confirmed-start", "yes"), ("copies", "3")]);
    assert_eq!(started(yes).await["input"], json!({ "copies": 3 }));
    let yes = Multipart::new().text("confirmed-start", "yes").text("copies", "4");
    assert_eq!(started(server.multipart(route, yes)).await["input"], json!({ "copies": 4 }));
    // A start from code counts as confirmed.
    use process_tests::fields::{Deletes, DeletesInput};
    Deletes::start(&server.processes, DeletesInput { copies: 5 }).await.unwrap();
}
