//! Work that is done is not failed and not repeated because of what it returned.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

use process_runtime::prelude::*;
use process_tests::Server;
use process_tests::fixtures::Traces;
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// A result of many kinds.
pub(crate) struct Odd(pub(crate) String);

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0.as_str() {
            "tuple keys" => BTreeMap::from([((1, 2), 3)]).serialize(out),
            "wide number" => u128::MAX.serialize(out),
            "error" => Err(serde::ser::Error::custom("it has no form")),
            "panic" => panic!("the secret details"),
            "deep" => (0..500).fold(json!(1), |inner, _| json!([inner])).serialize(out),
            "long text" => "x".repeat(2 << 20).serialize(out),
            "long" => "x".repeat(2 << 20).as_bytes().serialize(out),
            "endless" => Endless.serialize(out),
            "nan" => json_of_prices().serialize(out),
            other => other.serialize(out),
        }
    }
}

/// A list in a list in a list.
struct Endless;

impl Serialize for Endless {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        let mut list = out.serialize_seq(None)?;
        list.serialize_element(&Endless)?;
        list.end()
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        assert_ne!(self.0, "drop", "the secret details");
    }
}

fn json_of_prices() -> BTreeMap<&'static str, Vec<f64>> {
    BTreeMap::from([("prices", vec![1.5, f64::NAN, f64::INFINITY])])
}

/// Does its work, and returns something odd.
#[process(title = "Returning", retries = 3, backoff = "10ms")]
pub(crate) async fn returns_odd(traces: State<Traces>, what: String, ends: bool) -> Result<Odd, String> {
    traces.bodies_started.fetch_add(1, Ordering::SeqCst);
    if ends {
        end_process(Odd(what));
    }
    Ok(Odd(what))
}

/// An error whose text cannot be written completely.
pub(crate) struct Unsayable;

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is full")?;
        panic!("the secret details");
    }
}

#[process(title = "Failing without words", retries = 1, backoff = "10ms")]
pub(crate) async fn fails_without_words() -> Result<(), Unsayable> {
    Err(Unsayable)
}

/// Results that are omitted, and the text of the warning.
const LEFT_OUT: [(&str, &str); 7] = [
    ("tuple keys", "key must be a string"),
    ("wide number", "number out of range"),
    ("error", "it has no form"),
    ("panic", "panicked"),
    ("deep", "is nested more than"),
    ("endless", "is nested more than"),
    ("long", "bytes (the limit is"),
];

#[tokio::test(flavor = "multi_thread")]
async fn unserializable_result_succeeds_once() {
    let server = Server::start().await;
    for ends in [false, true] {
        for (what, why) in LEFT_OUT {
            let before = server.traces.bodies_started.load(Ordering::SeqCst);
            let run = server.run("returns-odd", json!({ "what": what, "ends": ends })).await;
            let ended = server.ended(&run).await;
            assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(1)), "{ended}");
            assert_eq!(server.traces.bodies_started.load(Ordering::SeqCst), before + 1);
            let message = ended["result"]["message"].as_str().unwrap();
            assert!(message.starts_with("the result was left out: ") && message.contains(why), "{message}");
            assert!(!message.contains("secret details"), "{message}");
            let log =
                server.get(&format!("{run}/log?level=warn")).send().await.unwrap().text().await.unwrap();
            assert!(log.contains(message) && ended["warnings"] == 1, "{what}: {log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn non_finite_numbers_become_null() {
    let server = Server::start().await;
    let run = server.run("returns-odd", json!({ "what": "nan", "ends": false })).await;
    let ended = server.ended(&run).await;
    assert_eq!(ended["result"], json!({ "prices": [1.5, null, null] }));
    let log = server.get(&format!("{run}/log?level=warn")).send().await.unwrap().text().await.unwrap();
    assert!(log.contains("2 numbers of the result are null") && log.contains("prices.1"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_text_warns() {
    let server = Server::start().await;
    let run = server.run("returns-odd", json!({ "what": "long text", "ends": false })).await;
    let ended = server.ended(&run).await;
    assert!(ended["result"].as_str().unwrap().ends_with("[cut: 2097152 bytes in all]"));
    let log = server.get(&format!("{run}/log?level=warn")).send().await.unwrap().text().await.unwrap();
    assert!(log.contains("the result was truncated: it has 2097152 bytes (the limit is 1048576)"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn result_panicking_on_drop_stands() {
    let server = Server::start().await;
    for ends in [false, true] {
        let run = server.run("returns-odd", json!({ "what": "drop", "ends": ends })).await;
        let ended = server.ended(&run).await;
        assert_eq!((&ended["status"], &ended["result"]), (&json!("succeeded"), &json!("drop")), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn error_with_panicking_display_is_retried() {
    let server = Server::start().await;
    let ended =
        server.ended(&server.run("fails-without-words", Value::Object(Default::default())).await).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("failed"), &json!(2)), "{ended}");
    assert_eq!(ended["error"], "the disk is full… [the rest of the error could not be written]");
}

#[tokio::test]
async fn test_run_omits_unserializable_results() {
    use process_runtime::RunStatus;
    use process_runtime::testing::TestRun;
    for (what, why) in LEFT_OUT {
        let input = json!({ "what": what, "ends": false });
        let run = TestRun::of::<ReturnsOdd>().state(Traces::default()).input(input).execute().await.unwrap();
        assert_eq!((run.status, run.warnings().len()), (RunStatus::Succeeded, 1));
        assert!(run.warnings()[0].contains(why) && run.result["message"] == run.warnings()[0], "{run:?}");
    }
}

/// Offers a file, and soon another of the same name.
#[process(title = "Offering")]
pub(crate) async fn offers_twice() -> Result<(), std::io::Error> {
    for text in ["first", "second"] {
        let path = std::env::temp_dir().join(format!("offered-{}", process_runtime::RunId::new()));
        std::fs::write(&path, text)?;
        artifact("report.txt", &path)?;
        tokio::time::sleep(std::time::Duration::from_millis(60)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn file_is_downloadable_once_listed() {
    let server = Server::start().await;
    for _ in 0..10 {
        let run = server.run("offers-twice", json!({})).await;
        loop {
            let shown = process_tests::server::json(server.get(&run).send().await.unwrap()).await;
            if let Some(address) = shown["files"][0]["url"].as_str() {
                let file = server.get(address).send().await.unwrap();
                assert_eq!(file.status(), 200, "{shown}");
                assert!(["first", "second"].contains(&&*file.text().await.unwrap()));
            }
            if shown["status"] == "succeeded" {
                break;
            }
        }
    }
}
