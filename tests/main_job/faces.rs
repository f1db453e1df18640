//! A form, JSON and a typed call give the kitchen sink the same input.

use std::time::Duration;

use jiff::civil::{date, time};
use process_examples::{Address, Colour, Delivery, KitchenSink, KitchenSinkInput, Line};
use process_runtime::{Controller, Processes, RunStatus, Secret, Upload, registry::Registry};
use serde_json::{Value, json};
use tempfile::TempDir;

const FILE: &str = "article;quantity\nA-1;2\n";

/// A server with the kitchen sink alone, in this process, and its address.
async fn server(folder: &TempDir) -> (Processes, String) {
    let registry = Registry::of([KitchenSink::PROCESS]).unwrap();
    let processes = process_runtime::builder().registry(registry).data_dir(folder.path()).build().unwrap();
    let router: axum::Router = processes.router();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/demo/kitchen-sink/start", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router.into_make_service()).await });
    (processes, url)
}

/// The input of the run in a response, once it has succeeded.
async fn input_of(processes: &Processes, id: &str) -> Value {
    let run = processes.handle(id.parse().unwrap()).wait().await.unwrap();
    assert_eq!(run.status, RunStatus::Succeeded, "{:?}", run.error);
    let result = run.result.unwrap();
    assert_eq!((&result["secret_length"], &result["bytes"]), (&json!(9), &json!(FILE.len())), "{result}");
    Value::Object(run.input)
}

fn typed(file: &std::path::Path) -> KitchenSinkInput {
    KitchenSinkInput {
        name: "Sale".into(),
        note: "two\nlines".into(),
        size: "L".into(),
        sign: 'ß',
        count: 3,
        number: 18_446_744_073_709_551_615,
        percent: 2.5,
        limit: Some(-7),
        only_check: true,
        subscribed: Some(false),
        from: date(2026, 2, 1),
        until: Some(date(2026, 3, 1)),
        at: Some(time(14, 30, 0, 0)),
        meeting: Some(date(2026, 2, 3).at(9, 15, 0, 0)),
        deadline: Some("2026-02-28T22:00:00Z".parse().unwrap()),
        pause: Duration::from_secs(90),
        shift: Some("-1h".parse().unwrap()),
        id: Some("0198c0de-7e57-7000-8000-0123456789ab".parse().unwrap()),
        website: Some("https://example.org/a?b=1".parse().unwrap()),
        email: "ada@example.org".parse().unwrap(),
        delivery: Delivery::Shop,
        colour: Some(Colour::DarkBlue),
        colours: vec![Colour::Red, Colour::Green],
        tags: vec!["a".into(), "b, c".into()],
        address: Address { street: "Main 1".into(), zip: "12345".into() },
        second_address: None,
        lines: vec![Line { article: "A-1".into(), quantity: 2 }, Line { article: "B".into(), quantity: 1 }],
        api_key: Secret::new("sk-secret".into()),
        file: Some(Upload::from_path(file).unwrap()),
    }
}

/// The form data of a browser with these values.
const FORM: [(&str, &str); 38] = [
    ("name", "Sale"),
    ("note", "two\r\nlines"),
    ("size", "L"),
    ("sign", "ß"),
    ("count", "3"),
    ("number", "18446744073709551615"),
    ("percent", "2.5"),
    ("limit", "-7"),
    ("only_check", "off"),
    ("only_check", "on"),
    ("subscribed", "false"),
    ("from", "2026-02-01"),
    ("until", "2026-03-01"),
    ("at", "14:30"),
    ("meeting", "2026-02-03T09:15"),
    ("deadline", "2026-02-28T22:00"),
    ("pause", "1m 30s"),
    ("shift", "-1h"),
    ("id", "0198C0DE-7E57-7000-8000-0123456789AB"),
    ("website", "https://example.org/a?b=1"),
    ("email", "ada@example.org"),
    ("delivery", "shop"),
    ("colour", "dark_blue"),
    ("colours", ""),
    ("colours", "red"),
    ("colours", "green"),
    ("tags", ""),
    ("tags", "a"),
    ("tags", "b, c"),
    ("address.street", "Main 1"),
    ("address.zip", "12345"),
    ("second_address.street", ""),
    ("lines.0.article", "A-1"),
    ("lines.0.quantity", "2"),
    ("lines.1.article", "B"),
    ("lines.1.quantity", "1"),
    ("lines.2.article", ""),
    ("api_key", "sk-secret"),
];

fn form() -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in FORM {
        body += &format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"lines.csv\"\r\n";
    body += &format!("Content-Type: text/csv\r\n\r\n{FILE}\r\n--x--\r\n");
    body.into_bytes()
}

#[tokio::test]
async fn all_input_formats_store_the_same() {
    let folder = TempDir::new().unwrap();
    let (processes, url) = server(&folder).await;
    let client = reqwest::Client::new();
    let post = |kind: &str, body: Vec<u8>| {
        let request = client.post(&url).header("content-type", kind).header("accept", "application/json");
        request.body(body).send()
    };
    let id = |answer: reqwest::Response| async {
        let status = answer.status();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    };

    let path = folder.path().join("lines.csv");
    std::fs::write(&path, FILE).unwrap();
    let run = KitchenSink::start(&processes, typed(&path)).await.unwrap();
    let from_code = input_of(&processes, &run.id().to_string()).await;

    let answer = post("multipart/form-data; boundary=x", form()).await.unwrap();
    let from_form = input_of(&processes, &id(answer).await).await;
    assert_eq!(from_form, from_code);

    // The stored input is equal to the JSON, except for the secret and the file.
    let mut body = from_code.clone();
    body["api_key"] = json!("sk-secret");
    body["file"] =
        json!({ "name": "lines.csv", "type": "text/csv", "content": "YXJ0aWNsZTtxdWFudGl0eQpBLTE7Mgo=" });
    let answer = post("application/json", body.to_string().into_bytes()).await.unwrap();
    let from_json = input_of(&processes, &id(answer).await).await;
    assert_eq!(from_json, from_code);

    assert_eq!(from_code["api_key"], "••••••");
    assert_eq!(from_code["number"], json!(u64::MAX));
    assert_eq!(
        from_code["file"],
        json!({ "name": "lines.csv", "type": "text/csv", "size": FILE.len(), "file": "file" })
    );
}
