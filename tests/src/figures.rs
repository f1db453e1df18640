//! Processes whose figures are easily told wrong: growing totals, nested loops, stages, early ends and odd results.

use std::time::Duration;

use process_runtime::prelude::*;
use serde_json::Value;

/// Finds more work while it works: its total grows from 10 to 40.
#[process(title = "Finding more", concurrency = 10)]
pub async fn finds_more(#[field(default = 20)] pause: u64) {
    let mut found = 10;
    for done in 1..=40_u64 {
        if done == found {
            found = (found + 10).min(40);
        }
        set_progress_of(done, found);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Succeeds after 300 of 1,000 steps.
#[process(title = "Stopping short", concurrency = 10)]
pub async fn stops_short() {
    set_progress_of(300, 1_000);
    set_progress_text("Importing row 300");
}

/// Returns figures whose spelling and order differ between languages.
#[process(title = "Returning figures", concurrency = 10)]
pub async fn returns_figures() -> Result<Value, serde_json::Error> {
    serde_json::from_str(
        r#"{"a":1e16,"b":0.000001,"2024":1,"2023":2,"c":1234567.25,"d":-0.0,"e":9007199254740993}"#,
    )
}

/// Goes through six stages, each with steps of its own.
#[process(title = "Six stages", concurrency = 10)]
pub async fn six_stages(#[field(default = 30)] pause: u64) {
    for (index, name) in ["Read", "Check", "Sort", "Merge", "Write", "Verify"].into_iter().enumerate() {
        stage_of(index + 1, 6, name);
        for _ in (0..10).progress() {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// Loops in a loop.
#[process(title = "Nesting loops", concurrency = 10)]
pub async fn nests_loops(#[field(default = 20)] pause: u64) {
    for _ in (0..4).progress() {
        for _ in (0..5).progress() {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// Works silently until it is cancelled.
#[process(title = "Staying silent")]
pub async fn is_silent(#[field(default = 600)] seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
