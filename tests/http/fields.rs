//! The same values start the same run, however they are sent, and a run's values fill its form again.

use std::time::Duration;

use process_runtime::field::Email;
use process_tests::fields::{Address, Delivery, Line, Order, OrderInput};
use process_tests::forms::{errors, page, pairs, started};
use process_tests::server::json;
use process_tests::{Multipart, Server};
use serde_json::{Value, json};

/// The form data that a browser would send for the same order.
const FORM: [(&str, &str); 44] = [
    ("name", "Ada & Söhne"),
    ("note", "first\r\nsecond + third"),
    ("sign", "✓"),
    ("number", "18446744073709551615"),
    ("huge", "340282366920938463463374607431768211455"),
    ("percent", "12.5"),
    ("limit", "0.30000000000000004"),
    ("only_check", "off"),
    ("subscribed", "false"),
    ("from", "2026-02-28"),
    ("until", "2026-03-01"),
    ("at", "14:30"),
    ("meeting", "2026-11-21T14:30"),
    ("deadline", "2026-11-21T14:30"),
    ("pause", "1h 30m"),
    ("shift", "-PT5M"),
    ("id", "0198C0DE-7e57-7000-8000-0123456789ab"),
    ("website", "https://example.org"),
    ("email", " ada@example.org "),
    ("delivery", "none"),
    ("deliveries", ""),
    ("deliveries", "door"),
    ("deliveries", "shop"),
    ("tags", ""),
    ("tags", "a"),
    ("tags", "b, c"),
    ("tags", ""),
    ("floors", ""),
    ("floors", "3"),
    ("floors", "0"),
    ("address.street", "Main Street 1"),
    ("address.zip", "01234"),
    ("address.floors", ""),
    ("address.floors", "7"),
    ("second_address.street", ""),
    ("second_address.zip", ""),
    ("second_address.floors", ""),
    ("lines.0.article", "lamp"),
    ("lines.0.quantity", "2"),
    ("lines.1.article", ""),
    ("lines.1.quantity", ""),
    ("lines.5.article", "chair"),
    ("lines.5.quantity", ""),
    ("confirmed-start", "yes"),
];

fn typed() -> OrderInput {
    OrderInput {
        name: "Ada & Söhne".into(),
        note: "first\nsecond + third".into(),
        sign: '✓',
        number: u64::MAX,
        huge: Some(u128::MAX),
        percent: 12.5,
        limit: Some(0.1 + 0.2),
        only_check: false,
        subscribed: Some(false),
        from: "2026-02-28".parse().unwrap(),
        until: Some("2026-03-01".parse().unwrap()),
        at: Some("14:30".parse().unwrap()),
        meeting: Some("2026-11-21T14:30".parse().unwrap()),
        deadline: Some("2026-11-21T14:30:00Z".parse().unwrap()),
        pause: Duration::from_secs(5400),
        shift: Some(jiff::SignedDuration::from_mins(-5)),
        id: Some("0198c0de-7e57-7000-8000-0123456789ab".parse().unwrap()),
        website: Some("https://example.org/".parse().unwrap()),
        email: Some("ada@example.org".parse::<Email>().unwrap()),
        delivery: Delivery::Nothing,
        deliveries: vec![Delivery::Door, Delivery::Shop],
        tags: vec!["a".into(), "b, c".into()],
        floors: vec![3, 0],
        address: Address { street: "Main Street 1".into(), zip: "01234".into(), floors: vec![7] },
        second_address: None,
        lines: vec![
            Line { article: "lamp".into(), quantity: 2 },
            Line { article: "chair".into(), quantity: 1 },
        ],
    }
}

fn as_json() -> Value {
    json!({
        "name": "Ada & Söhne", "note": "first\nsecond + third", "sign": "✓", "number": u64::MAX,
        "huge": u128::MAX.to_string(), "percent": 12.5, "limit": 0.1 + 0.2, "only_check": false,
        "subscribed": false, "from": "2026-02-28", "until": "2026-03-01", "at": "14:30:00",
        "meeting": "2026-11-21T14:30:00", "deadline": "2026-11-21T15:30:00+01:00", "pause": "PT1H30M",
        "shift": "-PT5M", "id": "0198c0de-7e57-7000-8000-0123456789ab", "website": "https://example.org",
        "email": "ada@example.org", "delivery": "none", "deliveries": ["door", "shop"],
        "tags": ["a", "b, c"], "floors": [3, 0],
        "address": { "street": "Main Street 1", "zip": "01234", "floors": [7] }, "second_address": null,
        "lines": [{ "article": "lamp", "quantity": 2 }, { "article": "chair" }]
    })
}

/// The required inputs only.
fn least() -> Value {
    json!({ "name": "Ada", "delivery": "door", "address": { "street": "x", "zip": "12345" } })
}

#[tokio::test]
async fn all_input_formats_give_same_run() {
    let server = Server::start().await;
    let multipart = FORM.iter().fold(Multipart::new(), |form, (name, value)| form.text(name, value));
    let mut inputs = vec![
        started(server.form("fields/order", &FORM)).await["input"].clone(),
        started(server.multipart("fields/order", multipart)).await["input"].clone(),
        started(server.json("fields/order", &as_json())).await["input"].clone(),
    ];
    let typed = Order::start(&server.processes, typed()).await.unwrap();
    inputs.push(json!(typed.run().await.unwrap().input));
    // And as they were stored, read from the disk.
    let page = json(server.get("/runs").header("accept", "application/json").send().await.unwrap()).await;
    inputs.extend(page["runs"].as_array().unwrap().iter().map(|run| run["input"].clone()));
    assert_eq!(inputs.len(), 8);
    for input in &inputs {
        assert_eq!(*input, inputs[0]);
        assert_eq!(input.to_string(), inputs[0].to_string(), "the order of the fields is the form's");
    }
    assert_eq!(inputs[0]["limit"].to_string(), "0.30000000000000004");
    assert_eq!(inputs[0]["number"].to_string(), "18446744073709551615");
    assert_eq!(inputs[0]["note"], "first\nsecond + third");
    assert_eq!(inputs[0]["lines"][1], json!({ "article": "chair", "quantity": 1 }));
    for run in page["runs"].as_array().unwrap() {
        let run = server.ended(&format!("/runs/{}", run["id"].as_str().unwrap())).await;
        assert_eq!(run["status"], "succeeded", "{run}");
    }
}

#[tokio::test]
async fn omitted_fields_use_defaults() {
    let server = Server::start().await;
    let pairs = [
        ("name", "Ada"),
        ("delivery", "door"),
        ("address.street", "x"),
        ("address.zip", "12345"),
        ("limit", ""),
        ("huge", ""),
        ("subscribed", ""),
        ("until", ""),
        ("pause", ""),
        ("website", ""),
        ("number", ""),
    ];
    let multipart = pairs.iter().fold(Multipart::new(), |form, (name, value)| form.text(name, value));
    let mut with_nulls = least();
    for name in ["limit", "huge", "subscribed", "until", "website", "second_address"] {
        with_nulls[name] = Value::Null;
    }
    for request in [
        server.form("fields/order", &pairs),
        server.multipart("fields/order", multipart),
        server.json("fields/order", &least()),
        server.json("fields/order", &with_nulls),
    ] {
        let input = started(request).await["input"].clone();
        for name in ["limit", "huge", "subscribed", "until", "website", "second_address"] {
            assert_eq!(input[name], Value::Null, "{name}");
        }
        assert_eq!(
            (&input["number"], &input["pause"]),
            (&json!(9_007_199_254_740_993_u64), &json!("PT1M30S"))
        );
        assert_eq!(
            (&input["tags"], &input["lines"], &input["only_check"]),
            (&json!([]), &json!([]), &json!(false))
        );
    }
}

#[tokio::test]
async fn json_is_not_read_like_a_form() {
    let server = Server::start().await;
    for (name, value, message) in [
        ("pause", Value::Null, "Enter an ISO 8601 duration such as PT1H30M or PT90S, not null"),
        ("pause", json!("1h 30m"), "Enter an ISO 8601 duration such as PT1H30M or PT90S, not \"1h 30m\""),
        ("percent", json!("10"), "Enter a number, not \"10\""),
        ("only_check", json!("on"), "Enter yes or no (true or false), not \"on\""),
        ("until", json!(""), "Enter a date such as 2026-11-21, not \"\""),
        ("tags", json!("a"), "Enter a list, not \"a\""),
    ] {
        let mut input = least();
        input[name] = value;
        let errors = errors(server.json("fields/order", &input)).await;
        assert_eq!(errors, [(name.to_owned(), message.to_owned())]);
    }
}

#[tokio::test]
async fn lists_of_any_length_arrive_whole() {
    let server = Server::start().await;
    let mut pairs: Vec<(String, String)> = [("name", "Ada"), ("delivery", "door")]
        .into_iter()
        .chain([("address.street", "x"), ("address.zip", "12345")])
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for index in 0..1_500_u32 {
        pairs.push((format!("lines.{index}.article"), format!("article {index}")));
        pairs.push(("floors".into(), (index % 100).to_string()));
    }
    let pairs: Vec<(&str, &str)> =
        pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let input = started(server.form("fields/order", &pairs)).await["input"].clone();
    assert_eq!(input["floors"].as_array().unwrap().len(), 1_500);
    assert_eq!(input["lines"].as_array().unwrap().len(), 1_500);
    assert_eq!(input["lines"][1_499]["article"], "article 1499");
}

#[tokio::test]
async fn link_only_prefills_the_form() {
    let server = Server::start().await;
    let query = "name=%3Cb%3EAda&number=18446744073709551615&subscribed=false&delivery=shop&tags=one&tags=two\
                 &address.street=Main&lines.0.article=lamp&lines.0.quantity=7&unknown=x&only_check=true";
    let html = page(server.get(&format!("/fields/order/show_progress?{query}"))).await.1;
    for part in [
        "value=\"&lt;b&gt;Ada\"",
        "value=\"18446744073709551615\"",
        "value=\"shop\" selected",
        "value=\"one\"",
        "value=\"two\"",
        "name=\"address.street\" type=\"text\" value=\"Main\"",
        "name=\"lines.0.article\" type=\"text\" value=\"lamp\"",
        "value=\"7\"",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    assert!(!html.contains("<b>Ada") && !html.contains("unknown") && !html.contains("aria-invalid"));
    let runs = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"], json!([]));
}

/// The URL of "Edit and run again" on the page of a run.
async fn again(server: &Server, run: &str) -> String {
    let html = page(server.get(run)).await.1;
    let link = html.split("<a ").find(|link| link.contains("data-part=\"again\"")).unwrap();
    let address = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    address.replace("&amp;", "&")
}

#[tokio::test]
async fn run_again_has_the_same_inputs() {
    let server = Server::start().await;
    let run = started(server.form("fields/order", &FORM)).await;
    let address = again(&server, &format!("/runs/{}", run["id"].as_str().unwrap())).await;
    let (status, form) = page(server.get(&address)).await;
    assert_eq!(status, 200);
    let sent = pairs(&form);
    let sent: Vec<_> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    // Sent unchanged, the form starts the same.
    let again = started(server.form("fields/order", &sent)).await;
    assert_eq!(again["input"], run["input"]);
    assert_ne!(again["id"], run["id"]);
}

#[tokio::test]
async fn run_again_omits_secrets_and_offers_files() {
    let server = Server::start().await;
    let input = json!({
        "password": "canary-password", "pin": 4711, "codes": ["canary-code"],
        "login": { "user": "ada", "token": "canary-token" }, "count": 7
    });
    let run = server.run("fields/signs-in", input).await;
    let address = again(&server, &run).await;
    let (_, form) = page(server.get(&address)).await;
    assert!(!form.contains("canary") && !form.contains("4711"), "{form}");
    let shown: Vec<_> =
        pairs(&form).into_iter().filter(|(_, value)| ["ada", "7"].contains(&&**value)).collect();
    assert_eq!(shown, [("login.user".into(), "ada".into()), ("count".into(), "7".into())]);
    let form = Multipart::new().file("file", "a.txt", b"x").file("documents.0.file", "b.txt", b"y");
    let form = form.file("more", "c.txt", b"z").text("documents.0.title", "B").text("name", "n");
    let run = started(server.multipart("fields/takes-files", form)).await;
    let address = again(&server, &format!("/runs/{}", run["id"].as_str().unwrap())).await;
    let (_, form) = page(server.get(&address)).await;
    let shown: Vec<_> =
        pairs(&form).into_iter().filter(|(_, value)| ["B", "n"].contains(&&**value)).collect();
    assert_eq!(shown, [("documents.0.title".into(), "B".into()), ("name".into(), "n".into())]);
    let offered = ["file", "more", "documents.0.file"].map(|field| format!("{address}/inputs/{field}"));
    let offered =
        offered.map(|path| path.replace("/fields/takes-files/show_progress?from=", "value=\"runs/"));
    assert!(
        offered.iter().all(|file| form.contains(file)),
        "its files are offered instead: {offered:?}: {form}"
    );
}
