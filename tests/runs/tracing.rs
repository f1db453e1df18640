//! `tracing` events of a run go to its log, from anywhere in the run.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use process_runtime::testing::TestRun;
use process_tests::Server;
use process_tests::logging::SpeaksInput;
use serde_json::{Value, json};
use tracing_subscriber::prelude::*;

/// The operator's log. All tests in this program share the subscriber.
static OPERATOR: LazyLock<Arc<Mutex<Vec<u8>>>> = LazyLock::new(|| {
    let told = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&told);
    let operator =
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || Told(Arc::clone(&writer)));
    tracing_subscriber::registry().with(operator).with(process_runtime::layer()).init();
    told
});

struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn told() -> String {
    String::from_utf8_lossy(&OPERATOR.lock().unwrap()).into_owned()
}

async fn lines(server: &Server, run: &str) -> Vec<(String, String)> {
    let events = server.events(run).await.all().await;
    let lines = events[0].data["log"]["lines"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    lines.iter().map(|line| (text(&line["level"]), text(&line["text"]))).collect()
}

#[tokio::test]
async fn run_events_land_in_own_log() {
    LazyLock::force(&OPERATOR);
    let server = Server::start().await;
    let (first, other) = tokio::join!(
        server.run("speaks", json!({ "name": "Ada" })),
        server.run("count", json!({ "total": 3, "pause": 30 })),
    );
    tracing::error!("outside of every run");
    server.ended(&first).await;
    server.ended(&other).await;
    let expected = [
        ("info", "begins name=\"Ada\""),
        ("info", "a line of its own"),
        ("warn", "from a function size=3"),
        ("error", "from a task"),
        ("info", "from a blocking task"),
        ("info", "in a span"),
    ];
    assert_eq!(
        lines(&server, &first).await,
        expected.map(|(level, text)| (level.to_owned(), text.to_owned()))
    );
    let texts: Vec<_> = lines(&server, &other).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["line 1", "line 2", "line 3"]);
    // Other layers still receive the event.
    let told = told();
    assert!(told.contains("outside of every run") && told.contains("unheard in the run"), "{told}");
}

#[tokio::test]
async fn runtime_events_are_operator_only() {
    LazyLock::force(&OPERATOR);
    let server = Server::start().await;
    let run = server.run("panics", json!({})).await;
    server.ended(&run).await;
    assert!(told().contains("the secret details"));
    let expected = [("info", "before"), ("error", "the process panicked")];
    assert_eq!(lines(&server, &run).await, expected.map(|(level, text)| (level.to_owned(), text.to_owned())));
}

#[tokio::test]
async fn cancelled_run_events_are_logged() {
    LazyLock::force(&OPERATOR);
    let server = Server::start().await;
    let run = server.run("speaks-until-cancelled", json!({})).await;
    server.events(&run).await.until_logged().await;
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(server.ended(&run).await["status"], "cancelled");
    let texts: Vec<_> = lines(&server, &run).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["begins", "cancelled, and still speaking", "leaves here", "cleaned up"]);
    assert_eq!(server.traces.guards_dropped.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn killed_test_event_does_not_unwind() {
    LazyLock::force(&OPERATOR);
    let run = TestRun::with(SpeaksInput { name: "Ada".into() }).kill_at(1).execute().await.unwrap();
    assert!(run.killed);
    assert_eq!(run.log_texts(), ["begins name=\"Ada\""]);
}
