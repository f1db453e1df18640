//! Processes that do what real ones do, and what they should not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use process_runtime::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::held::{half_way, held};

/// Traces that the fixtures leave for tests.
#[derive(Debug, Default)]
pub struct Traces {
    pub bodies_started: AtomicU64,
    pub guards_dropped: AtomicU64,
}

#[derive(Debug, Serialize)]
pub struct Counted {
    pub message: String,
    pub total: u64,
}

pub struct Guard(pub Arc<Traces>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.guards_dropped.fetch_add(1, Ordering::SeqCst);
        // Destructors may report, too.
        if let Some(progress) = Progress::current() {
            progress.log("cleaned up");
        }
    }
}

/// Counts to a number, with a log line a step.
#[process(title = "Counting")]
pub async fn count(
    traces: State<Traces>,
    #[field(default = 5)] total: u64,
    #[field(default = 20, help = "Milliseconds between two steps")] pause: u64,
) -> Result<Counted, String> {
    traces.bodies_started.fetch_add(1, Ordering::SeqCst);
    for step in 1..=total {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        set_progress_of(step, total);
        set_progress_text(format!("Step {step}"));
        log(format!("line {step}"));
        half_way("count", step, total).await;
    }
    Ok(Counted { message: "Counted".into(), total })
}

/// Takes a value with bounds.
#[process(title = "Choosing")]
pub async fn choose(
    /// In percent
    #[field(max = 100)]
    percent: u8,
) {
    set_progress(percent);
}

/// Takes each step when the listener at this address has sent a byte.
#[process(title = "Waiting for a word", concurrency = 20)]
pub async fn waits_for_a_word(steps: u64, address: String) -> Result<u64, std::io::Error> {
    let mut listener = TcpStream::connect(address).await?;
    for step in 1..=steps {
        set_progress_of(step, steps);
        set_progress_text(format!("Step {step}"));
        log(format!("line {step}"));
        listener.read_u8().await?;
    }
    Ok(steps)
}

/// Runs until it is stopped, with awaits.
#[process(title = "Waiting")]
pub async fn wait(traces: State<Traces>) {
    let _guard = Guard(traces.into_inner());
    log("waiting");
    std::future::pending::<()>().await;
}

/// Runs until it is stopped, with a thread beside it that reports now and then.
#[process(title = "Working beside")]
pub async fn works_beside(traces: State<Traces>) {
    let traces = traces.into_inner();
    let _beside = process_runtime::spawn_blocking(move || {
        let _guard = Guard(traces);
        loop {
            std::thread::sleep(Duration::from_millis(50));
            set_progress(1);
        }
    });
    std::future::pending::<()>().await;
}

/// Runs until it is stopped, without awaits.
#[process(title = "Spinning")]
pub async fn spin(traces: State<Traces>) {
    let _guard = Guard(traces.into_inner());
    let mut step = 0_u64;
    loop {
        step += 1;
        set_progress_of(step % 1_000, 1_000);
    }
}

/// Calls a helper ten million times without an await.
#[process(title = "Racing")]
pub async fn race(#[field(default = 10_000_000)] steps: u64) -> Result<u64, String> {
    for step in 1..=steps {
        set_progress_of(step, steps);
    }
    Ok(steps)
}

#[process(title = "Panicking")]
pub async fn panics() {
    log("before");
    panic!("the secret details");
}

#[process(title = "Failing")]
pub async fn fails() -> Result<(), String> {
    log("before");
    Err("the disk is <b>full</b>".into())
}

/// Fails with an error that has two causes, in the second of three stages.
#[process(title = "Failing for a reason")]
pub async fn fails_for_a_reason() -> anyhow::Result<()> {
    let (ahead, host) = (3, "db.internal");
    stage_of(1, ahead, "Read");
    log("reading");
    stage_of(2, ahead, "Connect");
    log(format!("connecting to {host}"));
    let refused = std::io::Error::other("connection refused");
    Err(refused).with_context(|| format!("no connection to {host}")).context("the catalog was not read")
}

/// Panics in a task, and passes on what became of it.
#[process(title = "Panicking in a task")]
pub async fn panics_in_a_task() -> Result<(), String> {
    let task = process_runtime::spawn(async { panic!("the task's details") });
    task.await.map_err(|_| "a part of the work was lost".to_owned())
}

/// Ends itself in the middle.
#[process(title = "Ending")]
pub async fn ends_early(traces: State<Traces>) -> Result<(), String> {
    let _guard = Guard(traces.into_inner());
    set_progress(40);
    if Progress::current().is_some() {
        end_process(Counted { message: "enough".into(), total: 40 });
    }
    Err("went on after end_process".into())
}

/// Returns without any report.
#[process(title = "Silent")]
pub async fn says_nothing() {}

/// Requires confirmation.
#[process(title = "Erasing", confirm = "Really erase everything?")]
pub async fn erase(#[field(default = "everything")] what: String) {
    log(format!("erased {what}"));
}

/// Takes several files.
#[process(title = "Gathering")]
pub async fn gather(#[field(min_len = 2)] files: Vec<Upload>) -> Result<u64, String> {
    files.iter().for_each(|file| log(file.name()));
    Ok(files.iter().map(Upload::size).sum())
}

/// Calls helpers with invalid values.
#[process(title = "Odd values", group = "odd")]
pub async fn odd_values() {
    process_start("A title\r\nevent: end\r\n\r\n\0");
    set_progress(f64::NAN);
    set_progress(-1);
    set_progress(1e300);
    set_progress_of(0, 0);
    set_progress_of(5, 3);
    set_progress_of(-5, 3);
    set_progress_of(u64::MAX, u64::MAX);
    set_progress_text("x".repeat(10_000_000));
    log("one\r\ntwo\n\nid: forged\n\n\0 and \u{2028} the end");
    log("y".repeat(10_000_000));
    set_progress_text("two\r\nlines\0");
    set_progress(99.5);
}

/// Goes through stages, and counts outcomes.
#[process(title = "Sorting", concurrency = 10)]
pub async fn sort(
    #[field(default = 30)] items: u64,
    #[field(default = 20)] pause: u64,
) -> Result<Counted, String> {
    for (index, name) in ["Reading", "Sorting", "Writing"].into_iter().enumerate() {
        stage_of(index + 1, 3, name);
        for item in 1..=items {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            set_progress_of(item, items);
            match item % 10 {
                0 => item_failed(format!("item {item}"), "it has no weight"),
                5 => tally("skipped"),
                _ => tally("sorted"),
            }
            if name == "Sorting" {
                half_way("sort", item, items).await;
            }
        }
        warn(format!("{name} took its time"));
    }
    Ok(Counted { message: "Sorted".into(), total: items })
}

/// Goes through a short stage and a long one.
#[process(title = "Taking turns", concurrency = 10)]
pub async fn takes_turns() {
    for (index, (name, pause)) in [("Short", 40), ("Long", 360)].into_iter().enumerate() {
        stage_of(index + 1, 2, name);
        set_progress(0);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        set_progress(100);
    }
}

#[derive(Debug, Serialize)]
pub struct Much {
    pub note: String,
    pub slowest: Duration,
    pub rows: Vec<Counted>,
}

/// Returns a long text, a length of time, and a list.
#[process(title = "Telling much")]
pub async fn tells_much() -> Result<Much, String> {
    let rows = ["one", "two"].map(|message| Counted { message: message.into(), total: 12_345 });
    Ok(Much { note: "Größe ".repeat(200), slowest: Duration::from_millis(65_300), rows: rows.into() })
}

/// Reports a text in every possible way.
#[process(title = "Repeating", concurrency = 20)]
pub async fn repeats(
    text: String,
    #[field(default = false)] fails: bool,
) -> Result<Map<String, Value>, String> {
    process_start(&text);
    stage(&text);
    set_progress_text(&text);
    log(&text);
    warn(&text);
    tracing::info!("{text}");
    tally(&text);
    item_failed(&text, &text);
    let path = std::env::temp_dir().join(format!("fixture-{}", process_runtime::RunId::new()));
    std::fs::write(&path, &text).map_err(|error| error.to_string())?;
    // Not every text is the name of a file.
    if artifact(&text, &path).is_err() {
        let _ = std::fs::remove_file(&path);
    }
    if fails {
        Err(text)
    } else {
        Ok([("message".to_owned(), text.clone().into()), (text.clone(), text.into())].into_iter().collect())
    }
}

/// Is full long before it has ended.
#[process(title = "Lingering")]
pub async fn linger() {
    set_progress(100);
    held("linger").await;
}

/// Writes many lines at once.
#[process(title = "Chatting")]
pub async fn chat(#[field(default = 3_000)] lines: u64, #[field(default = 0)] pause: u64) {
    for line in 1..=lines {
        log(format!("line {line}"));
        if line % 100 == 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// Reports from tasks and threads.
#[process(title = "Spreading")]
pub async fn spreads(progress: Progress) -> Result<u64, String> {
    let task = process_runtime::spawn(async { process_runtime::log("from a task") });
    let blocking = process_runtime::spawn_blocking(|| process_runtime::log("from a blocking task"));
    let thread = std::thread::spawn(move || progress.enter(|| process_runtime::log("from a thread")));
    task.await.map_err(|error| error.to_string())?;
    blocking.await.map_err(|error| error.to_string())?;
    thread.join().map_err(|_| "the thread panicked".to_owned())?;
    Ok(3)
}

/// Blocks its thread, as code with a synchronous database does.
#[process(title = "Blocking")]
pub async fn blocks(#[field(default = 300)] milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Delegates its work to a thread, and treats the thread's end as a failure.
#[process(title = "Delegating")]
pub async fn delegates() -> Result<(), String> {
    let work = process_runtime::spawn_blocking(|| {
        loop {
            process_runtime::set_progress_of(1, 2);
        }
    });
    work.await.map_err(|_: tokio::task::JoinError| "the thread panicked".to_owned())
}

/// Offers a file.
#[process(title = "Writing a file")]
pub async fn writes_a_file(#[field(default = "report.txt")] name: String) -> Result<(), std::io::Error> {
    artifact(&name, written("what the file says")?)
}

fn written(content: &str) -> std::io::Result<std::path::PathBuf> {
    let path = std::env::temp_dir().join(format!("fixture-{}", process_runtime::RunId::new()));
    std::fs::write(&path, content)?;
    Ok(path)
}

/// A page that would do what it must not, and looks like something.
const REPORT: &str = "<!doctype html><title>Report</title><style>h1 { color: rgb(0, 128, 0) }</style><h1>Report</h1>\
    <form action='/count/start' method='post'><button>Start</button></form>\
    <script>document.title = 'it ran'; fetch('/runs');</script>";
const PICTURE: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'><rect width='9' height='9'/>\
    <script>document.documentElement.id = 'it-ran';</script></svg>";
const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj\ntrailer<</Root 1 0 R>>";

/// Offers files that browsers show, and one that they save.
#[process(title = "Offering files")]
pub async fn offers_files() -> Result<(), std::io::Error> {
    for (name, content) in [
        ("report.html", REPORT),
        ("picture.svg", PICTURE),
        ("rows.csv", "<b>a</b>,1\n"),
        ("letter.pdf", PDF),
        ("all.zip", "PK"),
    ] {
        artifact(name, written(content)?)?;
    }
    Ok(())
}

/// Has a name beyond ASCII.
#[process(title = "Größe")]
pub async fn größe_prüfen() {}
