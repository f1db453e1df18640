//! Files of other versions, and files that are not stores.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{
    Batch, Control, LogFilter, Release, Retention, RunFilter, StartOptions, Store, StoreError,
};
use process_runtime::{
    Run, RunId, RunStatus,
    run::{FailedItem, Level, LogLine, Outcome, ProgressState, RunFile, SavedCursor},
};
use process_tests::conformance::{claimable, line, run_of, wanted, with_key};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::{folder, open};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

/// A folder with a copy of this file as the store's.
fn copy_of(name: &str) -> TempDir {
    let folder = folder();
    fs::copy(golden(name), folder.path().join("runs.sqlite3")).unwrap();
    folder
}

/// Opens the file directly with SQLite.
fn look(folder: &Path) -> Connection {
    Connection::open(folder.join("runs.sqlite3")).unwrap()
}

fn refused(folder: &Path) -> String {
    SqliteStore::open(folder, Synchronous::Full).unwrap_err().to_string()
}

/// The content of a file of format 1, read without the runtime.
struct Format1 {
    runs: Vec<Run>,
    logs: Vec<Vec<LogLine>>,
}

fn format_1() -> Format1 {
    let db = Connection::open(golden("format-1.sqlite3")).unwrap();
    let mut query = db.prepare("SELECT n, data FROM runs ORDER BY n").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(i64, String)> = rows.map(Result::unwrap).collect();
    let line = |row: &rusqlite::Row<'_>| {
        Ok(LogLine {
            seq: row.get::<_, i64>(0)? as u64,
            at: jiff::Timestamp::from_microsecond(row.get(1)?).unwrap(),
            level: row.get::<_, String>(2)?.parse().unwrap(),
            text: row.get(3)?,
            styles: Vec::new(),
        })
    };
    let log = |n: i64| {
        let mut query =
            db.prepare("SELECT seq, at, level, text FROM lines WHERE run = ?1 ORDER BY seq").unwrap();
        query.query_map([n], line).unwrap().map(Result::unwrap).collect()
    };
    let runs = rows.iter().map(|(n, data)| (serde_json::from_str(data).unwrap(), log(*n)));
    let (runs, logs) = numbered(runs.collect()).into_iter().unzip();
    Format1 { runs, logs }
}

async fn says_what_format_1_said(store: &SqliteStore, said: &Format1) {
    let all = store.runs(RunFilter::default().limit(100)).await.unwrap();
    assert!(all.iter().rev().eq(&said.runs), "{all:?}");
    for (run, log) in said.runs.iter().zip(&said.logs) {
        assert_eq!(store.run(run.id).await.unwrap().as_ref(), Some(run));
        assert_eq!(store.log(run.id, LogFilter::after(0, 100)).await.unwrap(), *log);
    }
}

#[tokio::test]
async fn format_1_file_is_migrated_whole() {
    let said = format_1();
    assert_eq!((said.runs.len(), said.logs.concat().len()), (6, 7));
    let folder = copy_of("format-1.sqlite3");
    // The second time it is of this format already.
    for _ in 0..2 {
        let store = open(folder.path());
        says_what_format_1_said(&store, &said).await;
        let checked = store.checked().await.unwrap();
        assert_eq!((checked.runs, checked.lines, checked.damaged), (6, 7, 0));
    }
    let tables =
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1)";
    let tables: String = look(folder.path()).query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, "lines,mark,numbers,runs", "nothing of the old format is left");
    let store = open(folder.path());
    let again = store.start(run_of("count"), with_key("golden-key")).await.unwrap();
    assert!(again.existing && again.run.process == "count", "{again:?}");
    assert_eq!(again.run.status, RunStatus::Succeeded);
    let running = said.runs.iter().find(|run| run.status == RunStatus::Running).unwrap();
    let queued = said.runs.iter().find(|run| run.status == RunStatus::Queued).unwrap();
    let first = store.claim(wanted([claimable("wait")])).await.unwrap().unwrap();
    assert_eq!((first.run.id, first.abandoned, first.last_seq), (running.id, true, 1));
    let second = store.claim(wanted([claimable("wait")])).await.unwrap().unwrap();
    assert_eq!((second.run.id, second.abandoned), (queued.id, false));
    assert_eq!(store.claim(wanted([claimable("wait")])).await.unwrap(), None);
}

#[tokio::test]
async fn failed_migration_leaves_format_1() {
    let said = format_1();
    let folder = copy_of("format-1.sqlite3");
    // The fifth run has got the key of the first: no two may have the same.
    let fifth = "UPDATE runs SET process = 'odd' WHERE n = 5;
                 INSERT INTO keys SELECT 'odd', 'golden-key', id FROM runs WHERE n = 5;";
    look(folder.path()).execute_batch(fifth).unwrap();
    let error = refused(folder.path());
    assert!(error.contains("runs.sqlite3") && error.contains("runs.idempotency_key"), "{error}");
    let db = look(folder.path());
    let format: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let runs: i64 =
        db.query_row("SELECT count(*) FROM runs WHERE lease_until >= 0", [], |row| row.get(0)).unwrap();
    let keys: i64 = db.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
    assert_eq!((format, runs, keys), (1, 6, 2));
    let mend = "UPDATE runs SET process = 'count' WHERE n = 5; DELETE FROM keys WHERE process = 'odd';";
    db.execute_batch(mend).unwrap();
    drop(db);
    says_what_format_1_said(&open(folder.path()), &said).await;
}

#[tokio::test]
async fn damaged_format_1_record_stays_damaged() {
    let said = format_1();
    let folder = copy_of("format-1.sqlite3");
    let change = "UPDATE runs SET data = replace(data, 'Failing', 'Falling') WHERE process = 'fails'";
    assert_eq!(look(folder.path()).execute(change, []).unwrap(), 1);
    let id = said.runs.iter().find(|run| run.process == "fails").unwrap().id;
    for _ in 0..2 {
        let store = open(folder.path());
        assert!(matches!(store.run(id).await, Err(StoreError::Damaged(_))));
        assert!(matches!(store.control(id, Control::Cancel).await, Err(StoreError::Damaged(_))));
        let all = store.runs(RunFilter::default().limit(100)).await.unwrap();
        assert!(all.iter().rev().eq(said.runs.iter().filter(|run| run.id != id)));
        let checked = store.checked().await.unwrap();
        assert_eq!((checked.runs, checked.damaged), (6, 1));
    }
}

/// Refused, with not a byte of it changed.
fn is_refused_untouched(folder: &Path, says: &[&str]) {
    let file = folder.join("runs.sqlite3");
    let before = fs::read(&file).unwrap();
    let error = refused(folder);
    for says in says.iter().chain(&["runs.sqlite3"]) {
        assert!(error.contains(says), "{error}");
    }
    assert!(fs::read(&file).unwrap() == before, "{error}");
}

#[tokio::test]
async fn newer_format_is_refused_untouched() {
    let folder = copy_of("format-1.sqlite3");
    drop(open(folder.path()));
    look(folder.path()).execute_batch("PRAGMA user_version = 99").unwrap();
    let says = ["format 99", "up to 4", "newer version of process-runtime"];
    is_refused_untouched(folder.path(), &says);
    // The leftover write-ahead log beside it is not applied either.
    let db = look(folder.path());
    db.execute_batch("CREATE TABLE newer (x); INSERT INTO newer VALUES (1);").unwrap();
    let copy = TempDir::new().unwrap();
    for name in ["runs.sqlite3", "runs.sqlite3-wal"] {
        fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    is_refused_untouched(copy.path(), &says);
}

#[tokio::test]
async fn foreign_file_is_refused_untouched() {
    let folder = folder();
    let file = folder.path().join("runs.sqlite3");
    look(folder.path()).execute_batch("CREATE TABLE other (x); INSERT INTO other VALUES (1);").unwrap();
    is_refused_untouched(folder.path(), &["not a store of process-runtime"]);
    look(folder.path()).execute_batch("PRAGMA user_version = 1").unwrap();
    is_refused_untouched(folder.path(), &["not a store of process-runtime"]);
    look(folder.path()).execute_batch("PRAGMA journal_mode = WAL").unwrap();
    is_refused_untouched(folder.path(), &["not a store of process-runtime"]);
    for bytes in [&b"x"[..], &[b'x'; 600], &[b'x'; 100_000], b"SQLite format 3\0"] {
        fs::write(&file, bytes).unwrap();
        is_refused_untouched(folder.path(), &[]);
    }
    // A format before the first, and one that no version has.
    let folder = copy_of("format-1.sqlite3");
    for format in [0, -1, i32::MIN] {
        look(folder.path()).execute_batch(&format!("PRAGMA user_version = {format}")).unwrap();
        is_refused_untouched(folder.path(), &["not a store of process-runtime"]);
    }
}

#[test]
fn data_folder_is_locked_exclusively() {
    let folder = folder();
    let first = open(folder.path());
    let error = refused(folder.path());
    let name = folder.path().to_str().unwrap();
    assert!(error.contains(name) && error.contains("another process uses this data folder"), "{error}");
    drop(first);
    open(folder.path());
}

#[test]
fn uncreatable_folder_is_named() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(refused(&file).contains("file"), "{}", refused(&file));
}

/// The runs of `golden/format-{n}.sqlite3`: one in each state, one of them with every possible member.
fn everything_of(format: &str) -> Vec<(Run, Vec<LogLine>)> {
    let text = fs::read_to_string(golden(&format!("{format}.json"))).unwrap();
    numbered(serde_json::from_str(&text).unwrap())
}

/// Earlier formats had no numbers: runs get them in the order of their starts.
fn numbered(mut runs: Vec<(Run, Vec<LogLine>)>) -> Vec<(Run, Vec<LogLine>)> {
    let mut last = BTreeMap::<String, u64>::new();
    for (run, _) in &mut runs {
        let last = last.entry(run.process.clone()).or_default();
        *last += 1;
        assert!([0, *last].contains(&run.number), "{run:?}");
        run.number = *last;
    }
    runs
}

#[tokio::test]
async fn format_2_golden_file_is_read() {
    says_what_it_was_given("format-2").await;
    // Its signatures and names of Rust types are ignored; cursors are read.
    let said = everything_of("format-2");
    let running = said.iter().find(|(run, _)| run.status == RunStatus::Running).unwrap();
    assert_eq!(running.0.bookkeeping.cursor, Some(SavedCursor::new(json!({ "at": 7 }))));
}

#[tokio::test]
async fn format_3_golden_file_is_read() {
    says_what_it_was_given("format-3").await;
    // Holders do not survive a restart; control requests do.
    let folder = copy_of("format-3.sqlite3");
    let store = open(folder.path());
    let claim = store.claim(wanted([claimable("count")])).await.unwrap().unwrap();
    assert!(claim.abandoned && claim.run.status == RunStatus::Running, "{claim:?}");
}

#[tokio::test]
async fn format_4_golden_file_is_read() {
    says_what_it_was_given("format-4").await;
    let folder = copy_of("format-4.sqlite3");
    let store = open(folder.path());
    let failed = RunFilter::default().failed_items(true).limit(100);
    assert_eq!(store.runs(failed).await.unwrap().len(), 7, "all but the queued one");
    assert_eq!(store.start(run_of("count"), StartOptions::default()).await.unwrap().run.number, 9);
    // The first one was removed.
    assert_eq!(store.start(run_of("removed"), StartOptions::default()).await.unwrap().run.number, 2);
}

#[tokio::test]
async fn migrated_runs_go_on_numbering() {
    for (format, next) in [("format-2", 9), ("format-3", 9)] {
        let folder = copy_of(&format!("{format}.sqlite3"));
        for again in 0..2 {
            let store = open(folder.path());
            let run = store.start(run_of("count"), StartOptions::default()).await.unwrap().run;
            assert_eq!(run.number, next + again, "{format}");
        }
    }
}

#[tokio::test]
async fn damaged_format_3_record_stays_damaged() {
    let said = everything_of("format-3");
    let folder = copy_of("format-3.sqlite3");
    let change = "UPDATE runs SET actor = 'eve' WHERE n = 3";
    assert_eq!(look(folder.path()).execute(change, []).unwrap(), 1);
    for _ in 0..2 {
        let store = open(folder.path());
        assert!(matches!(store.run(said[2].0.id).await, Err(StoreError::Damaged(_))));
        assert_eq!(
            store.run(said[3].0.id).await.unwrap().as_ref(),
            Some(&said[3].0),
            "its number stays its own"
        );
        let checked = store.checked().await.unwrap();
        assert_eq!((checked.runs, checked.damaged), (said.len() as u64, 1));
    }
}

async fn says_what_it_was_given(format: &str) {
    let folder = copy_of(&format!("{format}.sqlite3"));
    let store = open(folder.path());
    assert_eq!(store.checked().await.unwrap().damaged, 0);
    let said = everything_of(format);
    for status in RunStatus::ALL {
        assert!(said.iter().any(|(run, _)| run.status == status), "{status}");
    }
    for (run, log) in &said {
        assert_eq!(store.run(run.id).await.unwrap().as_ref(), Some(run));
        assert_eq!(store.log(run.id, LogFilter::after(0, 100)).await.unwrap(), *log);
    }
    let all = store.runs(RunFilter::default().limit(100)).await.unwrap();
    assert!(all.iter().rev().eq(said.iter().map(|(run, _)| run)));
    let again = store.start(run_of("count"), with_key("golden-key")).await.unwrap();
    assert_eq!((again.run.id, again.existing), (said[0].0.id, true));
}

/// Makes the golden file of this format: to be run once, when the format is settled.
#[tokio::test]
#[ignore = "writes golden/format-4.sqlite3 and golden/format-4.json"]
async fn write_format_4_golden_file() {
    let folder = folder();
    let store = SqliteStore::open(folder.path(), Synchronous::Full).unwrap();
    let removed = store.start(run_of("removed"), StartOptions::default()).await.unwrap().run.id;
    store.control(removed, Control::Cancel).await.unwrap();
    let nothing = Retention::default().newest(0);
    assert_eq!(store.prune(nothing).await.unwrap().runs, [removed]);
    let mut ids = Vec::new();
    for status in RunStatus::ALL {
        let mut run = run_of("count");
        run.input.insert("list".into(), json!(["ä", 0.1, null]));
        run.priority = -7;
        run.actor = Some("ada".into());
        run.retry_of = Some(RunId::new());
        run.bookkeeping.concurrency_key = Some(format!("of {status}"));
        let terms = if ids.is_empty() { with_key("golden-key") } else { StartOptions::default() };
        let id = store.start(run, terms).await.unwrap().run.id;
        ids.push(id);
        if status != RunStatus::Queued {
            live_until(&store, id, status).await;
        }
    }
    let mut said = Vec::new();
    for id in ids {
        let log = store.log(id, LogFilter::after(0, 100)).await.unwrap();
        said.push((store.run(id).await.unwrap().unwrap(), log));
    }
    drop(store);
    fs::copy(folder.path().join("runs.sqlite3"), golden("format-4.sqlite3")).unwrap();
    fs::write(golden("format-4.json"), serde_json::to_string_pretty(&said).unwrap() + "\n").unwrap();
}

/// Brings the run that was started last into this state.
async fn live_until(store: &SqliteStore, id: RunId, status: RunStatus) {
    // Those before it that wait would be claimed first.
    let waiting = RunFilter::default().statuses(vec![RunStatus::Queued]).limit(100);
    let waiting: Vec<_> = store.runs(waiting).await.unwrap().into_iter().filter(|run| run.id != id).collect();
    for run in &waiting {
        store.control(run.id, Control::Pause).await.unwrap();
    }
    let claim = store.claim(wanted([claimable("count")])).await.unwrap().unwrap();
    for run in &waiting {
        store.control(run.id, Control::Resume).await.unwrap();
    }
    assert_eq!(claim.run.id, id);
    let batch = Batch::default()
        .lines(vec![line(1, Level::Warn, "watch <b>out</b>"), line(3, Level::Debug, "")])
        .progress(ProgressState { percent: Some(12.5), total: Some(u64::MAX), ..claim.run.progress })
        .files(vec![RunFile {
            name: "a.csv".into(),
            size: 3,
            media_type: "text/csv".into(),
            stored: "0".into(),
        }])
        .failed_items(vec![FailedItem { item: "7".into(), reason: "no".into() }])
        .cursor(SavedCursor::new(json!({ "at": 7 })))
        .stalled(true)
        .elapsed_ms(77);
    let outcome = match status {
        RunStatus::Succeeded => Outcome::Succeeded(json!({ "total": 3 })),
        RunStatus::Failed => Outcome::Failed("no".into()),
        RunStatus::Cancelled => Outcome::Cancelled,
        RunStatus::Interrupted => Outcome::Interrupted("gone".into()),
        RunStatus::Paused => return drop(store.release(claim.lease, batch, Release::Paused).await.unwrap()),
        _ => {
            store.append(claim.lease, batch).await.unwrap();
            if status == RunStatus::Cancelling {
                store.control(id, Control::Cancel).await.unwrap();
            }
            return;
        }
    };
    store.finish(claim.lease, batch, outcome).await.unwrap();
}
