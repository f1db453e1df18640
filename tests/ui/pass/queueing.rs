//! How runs are queued and repeated: every key, what holds without it, and what a start says beside the input.
#![deny(warnings, missing_docs, clippy::all)]

use std::time::Duration;

use process_runtime::prelude::*;
use process_runtime::{Processes, RunHandle, Start, StartError, registry::Policy};

#[process(
    title = "With a key",
    concurrency = 3,
    concurrency_key = r#type,
    exclusive = false,
    priority = -1000,
    timeout = "1h 30m",
    retries = 100,
    backoff = "2 days"
)]
async fn with_a_key(database: State<String>, r#type: String) {
    let _ = (database, r#type);
}

#[process(title = "One at a time", exclusive, priority = 1000, schedule = "*/5 8-17 * * MON-FRI")]
async fn one_at_a_time() {
    while !shutting_down() {
        set_progress(1);
    }
}

#[process(title = "As it is")]
async fn as_it_is(number: u8) {
    let _ = number;
}

macro_rules! queued {
    ($name:ident, $places:literal, $key:ident, $timeout:literal) => {
        #[process(title = "Made", concurrency = $places, concurrency_key = $key, timeout = $timeout)]
        async fn $name($key: u8) {
            let _ = $key;
        }
    };
}
queued!(made_by_a_macro, 2, region, "90s");

async fn started(processes: &Processes) -> Result<RunHandle, StartError> {
    let _: RunHandle = OneAtATime::start(processes, ()).await?;
    let later: Start = AsItIs::start(processes, AsItIsInput { number: 1 });
    let later = later.idempotency_key("2026-11-21").priority(5).actor(String::from("ann"));
    let _ = tokio::spawn(async move { later.await }).await;
    let input = WithAKeyInput { r#type: "a".into() };
    WithAKey::start(processes, input).priority(-3).await
}

fn main() {
    assert_eq!(OneAtATime::PROCESS.schedule, Some("*/5 8-17 * * MON-FRI"));
    assert_eq!(AsItIs::PROCESS.schedule, None);
    let all = Policy {
        concurrency: 3,
        concurrency_key: Some("type"),
        exclusive: false,
        priority: -1000,
        timeout: Some(Duration::from_secs(90 * 60)),
        retries: 100,
        backoff: Duration::from_secs(2 * 24 * 60 * 60),
    };
    assert_eq!(WithAKey::PROCESS.policy, all);
    let one = Policy { exclusive: true, priority: 1000, ..Policy::DEFAULT };
    assert_eq!(OneAtATime::PROCESS.policy, one);
    assert_eq!(AsItIs::PROCESS.policy, Policy::DEFAULT);
    let made = MadeByAMacro::PROCESS.policy;
    assert_eq!((made.concurrency, made.concurrency_key), (2, Some("region")));
    assert_eq!(made.timeout, Some(Duration::from_secs(90)));
    let _ = started;
}
