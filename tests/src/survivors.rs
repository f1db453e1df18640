//! Processes that resume after a crash, wait in the queue, are retried, hang or time out.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use process_runtime::prelude::*;

use crate::fixtures::{Guard, Traces};
use crate::held::half_way;

/// Appends a line to a file that outlives the program, to count what was really done.
pub(crate) fn note(folder: &str, what: &str) {
    let run = Progress::current().unwrap().run_id();
    let path = Path::new(folder).join(run.to_string());
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    // In one write, so that the line is complete or missing.
    file.write_all(format!("{what}\n").as_bytes()).unwrap();
}

/// Processes one item after the other, and resumes after a crash.
#[process(title = "Tallying", concurrency = 4)]
pub async fn tally(
    cursor: Cursor<u64>,
    folder: String,
    #[field(default = 20)] items: u64,
    #[field(default = 10)] pause: u64,
    #[field(default = 0, help = "Fails at this item, the first time")] fails_at: u64,
) -> Result<u64, String> {
    for item in cursor.get().unwrap_or(0) + 1..=items {
        if item == fails_at && !Path::new(&folder).join("repaired").exists() {
            return Err(format!("item {item} is broken"));
        }
        if pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        note(&folder, &item.to_string());
        log(format!("item {item}"));
        set_progress_of(item, items);
        cursor.save(item);
        half_way("tally", item, items).await;
    }
    Ok(items)
}

/// Uses every kind of report, and resumes; without a hold it ends on its own.
#[process(title = "Telling", concurrency = 4)]
pub async fn tells(
    cursor: Cursor<u64>,
    #[field(default = 6)] items: u64,
    #[field(default = 0, help = "Waits after this item, until it is paused or cancelled")] hold: u64,
) {
    stage_of(1, 2, "Reading");
    tokio::time::sleep(Duration::from_millis(20)).await;
    stage_of(2, 2, "Writing");
    for item in cursor.get().unwrap_or(0) + 1..=items {
        if item % 3 == 0 {
            item_failed(format_args!("row {item}"), "it has <b>no</b>\r\n\r\nname");
        } else {
            tally("imported");
        }
        tally_of("bytes", item);
        if item == 1 {
            warn("careful");
        }
        cursor.save(item);
        if item == hold {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                cursor.save(item);
            }
        }
    }
}

/// Uses every kind of report, and fails at the first attempt, without a cursor.
#[process(title = "Telling anew", retries = 1, backoff = "10ms")]
pub async fn tells_anew(traces: State<Traces>) -> Result<(), String> {
    let attempt = 1 + traces.bodies_started.fetch_add(1, Ordering::SeqCst);
    stage(format!("Attempt {attempt}"));
    stage("Failing");
    tally(format!("attempt {attempt}"));
    item_failed(attempt, "it was to fail");
    if attempt == 1 { Err("the first".into()) } else { Ok(()) }
}

/// Aborts the program at one of its items, until that is repaired.
#[process(title = "Breaking off", concurrency = 4)]
pub async fn breaks_off(
    cursor: Cursor<u64>,
    folder: String,
    #[field(default = 3)] items: u64,
    breaks_at: u64,
    #[field(help = "Instead of a call that ends the program")] panics: bool,
) {
    cursor.repeat_at_most(1);
    for item in cursor.get().unwrap_or(0) + 1..=items {
        note(&folder, &item.to_string());
        if item == breaks_at && !Path::new(&folder).join("repaired").exists() {
            assert!(!panics, "item {item} is broken");
            std::process::abort();
        }
        cursor.save(item);
    }
}

/// Records its start, and takes a while.
#[process(title = "Beginning once", concurrency = 3)]
pub async fn begins_once(folder: String, #[field(default = 20)] pause: u64) {
    note(&folder, "began");
    log("began");
    tokio::time::sleep(Duration::from_millis(pause)).await;
    note(&folder, "ended");
}

/// Returns an error the first times.
#[process(title = "Failing at first", retries = 2, backoff = "50ms")]
pub async fn fails_at_first(traces: State<Traces>, times: u64) -> Result<u64, String> {
    let before = traces.bodies_started.fetch_add(1, Ordering::SeqCst);
    if before < times { Err(format!("failure {}", before + 1)) } else { Ok(before) }
}

/// Returns an error, and is tried again much later.
#[process(title = "Failing, and again later", retries = 1, backoff = "1h")]
pub async fn fails_later_again() -> Result<(), String> {
    Err("the server does not answer".into())
}

/// Exceeds its timeout.
#[process(title = "Taking too long", timeout = "300ms")]
pub async fn takes_too_long(traces: State<Traces>) {
    let _guard = Guard(traces.into_inner());
    std::future::pending::<()>().await;
}

/// Hears nothing for a while: it neither awaits nor reports.
#[process(title = "Deaf")]
pub async fn deaf(#[field(default = 2_000)] milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Allows two runs for each shop.
#[process(title = "Serving shops", concurrency = 2, concurrency_key = shop)]
pub async fn serves_shops(shop: String, #[field(default = 150)] pause: u64) {
    log(shop);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// Ends when a shutdown begins.
#[process(title = "Minding the end")]
pub async fn minds_the_end() -> Result<String, String> {
    while !shutting_down() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok("ended in time".into())
}
