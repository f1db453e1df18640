//! What durability costs: the store against raw rusqlite, in the same run, on the same disk.
//!
//! `cargo bench -p process-tests --bench store`; with `-- starts` behind it, only the starts; with `-- floods`, only what
//! a run costs that talks without a pause. Each figure is the best of a few rounds, since the machine
//! may be busy with other things; the ratios are what counts.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{
    Batch, ClaimRequest, ClaimTarget, Lease, NodeId, RunFilter, StartOptions, Store,
};
use process_runtime::{
    Run,
    run::{Level, LogLine},
};
use rusqlite::{Connection, params};
use tempfile::TempDir;

mod floods;
mod ticks;

const ROUNDS: usize = 3;
const STARTS: usize = 4_096;
/// How many wait for an answer at the same time.
const AT_ONCE: usize = 64;
const LINES: u64 = 200_000;
const LINES_A_BATCH: u64 = 1_000;
const RUNS: usize = 100_000;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let asked = arguments.next();
    if asked.as_deref() == Some("fill") {
        return fill_and_abort(Path::new(&arguments.next().unwrap()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match asked.as_deref() {
            Some("floods") => return floods::floods().await,
            Some("starts") => return starts().await,
            _ => {}
        }
        starts().await;
        appends().await;
        ready().await;
        ticks::ticks().await;
        floods::floods().await;
    });
}

fn run(n: usize) -> Run {
    let mut input = serde_json::Map::new();
    input.insert("number".into(), n.into());
    Run::queued("count", "Counting", input)
}

fn line(seq: u64) -> LogLine {
    let text = format!("line {seq} of a log, about as long as lines are");
    LogLine { seq, at: jiff::Timestamp::now(), level: Level::Info, text, styles: Vec::new() }
}

fn best(times: impl IntoIterator<Item = Duration>) -> f64 {
    times.into_iter().map(|time| time.as_secs_f64()).fold(f64::INFINITY, f64::min)
}

fn raw(folder: &Path) -> Connection {
    let db = Connection::open(folder.join("raw.sqlite3")).unwrap();
    db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    db.execute_batch(
        "PRAGMA synchronous = FULL;
         CREATE TABLE IF NOT EXISTS runs (n INTEGER PRIMARY KEY, id BLOB UNIQUE, data TEXT);
         CREATE TABLE IF NOT EXISTS lines (run INTEGER, seq INTEGER, at INTEGER, level TEXT, text TEXT,
             PRIMARY KEY (run, seq)) WITHOUT ROWID;",
    )
    .unwrap();
    db
}

/// Starts that are answered when they are on the disk.
async fn starts() {
    let (mut ours, mut one, mut grouped) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = TempDir::new().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Full).unwrap());
        let began = Instant::now();
        let senders = (0..AT_ONCE).map(|sender| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in (sender..STARTS).step_by(AT_ONCE) {
                    store.start(run(n), StartOptions::default()).await.unwrap();
                }
            })
        });
        join_all(senders).await;
        ours.push(began.elapsed());
        // A commit each, as a table of jobs without a queue in front of it would.
        one.push(raw_starts(STARTS / 8, 1) * 8);
        grouped.push(raw_starts(STARTS, AT_ONCE));
    }
    let rate = |times| STARTS as f64 / best(times);
    let (ours, one, grouped) = (rate(ours), rate(one), rate(grouped));
    println!("durable starts a second, {AT_ONCE} at once, synchronous = FULL:");
    println!("  process-runtime              {ours:>10.0}");
    println!("  rusqlite, a commit each      {one:>10.0}   ours / this {:.2}", ours / one);
    println!("  rusqlite, {AT_ONCE} in a commit     {grouped:>10.0}   ours / this {:.2}", ours / grouped);
}

fn raw_starts(count: usize, group: usize) -> Duration {
    let folder = TempDir::new().unwrap();
    let db = raw(folder.path());
    let runs: Vec<Run> = (0..count).map(run).collect();
    let began = Instant::now();
    for group in runs.chunks(group) {
        let step = db.unchecked_transaction().unwrap();
        for run in group {
            let data = serde_json::to_string(run).unwrap();
            step.prepare_cached("INSERT INTO runs (id, data) VALUES (?1, ?2)")
                .unwrap()
                .execute(params![run.id.as_bytes(), data])
                .unwrap();
        }
        step.commit().unwrap();
    }
    began.elapsed()
}

fn any_run() -> ClaimRequest {
    ClaimRequest::new(NodeId::new(), Duration::from_secs(600))
        .processes(vec![ClaimTarget::new("count").concurrency(1)])
        .suspects(true)
}

async fn claimed(store: &dyn Store) -> Lease {
    store.start(run(0), StartOptions::default()).await.unwrap();
    store.claim(any_run()).await.unwrap().unwrap().lease
}

/// Log lines, a thousand a batch, each batch answered when it is on the disk.
async fn appends() {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(folder.path(), Synchronous::Full).unwrap();
        let lease = claimed(&store).await;
        let lines: Vec<LogLine> = (1..=LINES).map(line).collect();
        let batches: Vec<Batch> = lines
            .chunks(LINES_A_BATCH as usize)
            .map(|lines| Batch::default().lines(lines.to_vec()))
            .collect();
        let began = Instant::now();
        for batch in batches {
            store.append(lease, batch).await.unwrap();
        }
        ours.push(began.elapsed());

        let db = raw(folder.path());
        let began = Instant::now();
        for lines in lines.chunks(LINES_A_BATCH as usize) {
            let step = db.unchecked_transaction().unwrap();
            for line in lines {
                step.prepare_cached("INSERT INTO lines VALUES (1, ?1, ?2, ?3, ?4)")
                    .unwrap()
                    .execute(params![
                        line.seq as i64,
                        line.at.as_microsecond(),
                        line.level.as_str(),
                        line.text
                    ])
                    .unwrap();
            }
            step.commit().unwrap();
        }
        theirs.push(began.elapsed());
    }
    let rate = |times| LINES as f64 / best(times);
    let (ours, theirs) = (rate(ours), rate(theirs));
    println!("log lines a second, {LINES_A_BATCH} a batch, synchronous = FULL:");
    println!("  process-runtime              {ours:>10.0}");
    println!("  rusqlite, the same commits   {theirs:>10.0}   ours / this {:.2}", ours / theirs);
}

/// From nothing to the first claimed run, on a store that was left by an abort.
async fn ready() {
    let folder = TempDir::new().unwrap();
    let fill = Command::new(std::env::current_exe().unwrap()).arg("fill").arg(folder.path()).status();
    assert!(!fill.unwrap().success(), "it ends by aborting");
    let size = std::fs::metadata(folder.path().join("runs.sqlite3")).unwrap().len();
    let wal = std::fs::metadata(folder.path().join("runs.sqlite3-wal")).map_or(0, |file| file.len());
    let began = Instant::now();
    let store = SqliteStore::open(folder.path(), Synchronous::Full).unwrap();
    let opened = began.elapsed();
    let page = store.runs(RunFilter::default().limit(50)).await.unwrap();
    let listed = began.elapsed();
    assert!(store.claim(any_run()).await.unwrap().is_some());
    let claimed = began.elapsed();
    assert_eq!(page.len(), 50);
    println!(
        "ready after an abort with {RUNS} runs ({} MB, and {} MB of write-ahead log):",
        size >> 20,
        wal >> 20
    );
    println!(
        "  opened {opened:.1?}, first page of the history {listed:.1?}, first run claimed {claimed:.1?}"
    );
}

fn fill_and_abort(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(folder, Synchronous::Normal).unwrap();
        for block in 0..RUNS / 1_000 {
            join_all((0..1_000).map(|n| store.start(run(block * 1_000 + n), StartOptions::default()))).await;
        }
        std::process::abort();
    });
}
