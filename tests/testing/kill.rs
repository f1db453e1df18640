//! A run is killed at a given step, and the test checks what it left behind.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use process_runtime::RunStatus;
use process_runtime::prelude::*;
use process_runtime::testing::TestRun;
use process_tests::fixtures::{EndsEarly, Traces, Wait};
use rusqlite::Connection;
use serde_json::Value;
use tempfile::TempDir;

/// A shop's database, in which the total is to be the sum of the orders.
struct Shop(PathBuf);

impl Shop {
    fn new(folder: &TempDir) -> Self {
        let shop = Self(folder.path().join("shop.db"));
        let tables = "CREATE TABLE orders (number INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
                      CREATE TABLE totals (amount INTEGER NOT NULL); INSERT INTO totals VALUES (0)";
        shop.open().unwrap().execute_batch(tables).unwrap();
        shop
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let connection = Connection::open(&self.0)?;
        // The test is about transactions, not about the disk.
        connection.pragma_update(None, "synchronous", "OFF")?;
        Ok(connection)
    }

    /// The number of orders, their sum, and the stored total.
    fn books(&self) -> (i64, i64, i64) {
        let sql = "SELECT count(number), coalesce(sum(orders.amount), 0), totals.amount FROM totals LEFT JOIN orders";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        self.open().unwrap().query_row(sql, [], read).unwrap()
    }
}

/// Books five orders; those that are booked already stay as they are.
#[process(title = "Booking")]
async fn book(shop: State<Shop>, #[field(default = true)] in_transactions: bool) -> rusqlite::Result<u64> {
    let mut connection = shop.open()?;
    for number in 1..=5 {
        let transaction = if in_transactions { "BEGIN IMMEDIATE" } else { "" };
        let connection = Rollback(&mut connection);
        connection.0.execute_batch(transaction)?;
        let order = "INSERT OR IGNORE INTO orders VALUES (?1, ?1 * 10)";
        if connection.0.execute(order, [number])? == 1 {
            log(format!("order {number} is new"));
            connection.0.execute("UPDATE totals SET amount = amount + ?1", [number * 10])?;
        }
        set_progress_text(format!("Booking order {number}"));
        if in_transactions {
            connection.0.execute_batch("COMMIT")?;
        }
        set_progress_of(number, 5);
    }
    Ok(5)
}

/// Ends the transaction that is open when it is dropped, as a crash would.
struct Rollback<'a>(&'a mut Connection);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            self.0.execute_batch("ROLLBACK").unwrap();
        }
    }
}

#[tokio::test]
async fn killed_transactional_process_can_rerun() {
    let mut killed = 0;
    for step in 1.. {
        let folder = TempDir::new().unwrap();
        let shop = Arc::new(Shop::new(&folder));
        let run = || TestRun::of::<Book>().state_arc(Arc::clone(&shop));
        let first = run().kill_at(step).execute().await.unwrap();
        let (orders, sum, total) = shop.books();
        assert_eq!(sum, total, "after step {step}: {:?}", first.log_texts());
        if !first.killed {
            assert_eq!((first.status, orders, first.steps), (RunStatus::Succeeded, 5, 15));
            break;
        }
        killed += 1;
        assert_eq!((first.status, first.steps), (RunStatus::Interrupted, step));
        assert_eq!(orders, i64::try_from(step / 3).unwrap());
        let again = run().execute().await.unwrap();
        assert_eq!((again.status, shop.books()), (RunStatus::Succeeded, (5, 150, 150)));
    }
    assert_eq!(killed, 15);
}

#[tokio::test]
async fn kill_reveals_missing_transactions() {
    let mut broken = Vec::new();
    for step in 1..=15 {
        let folder = TempDir::new().unwrap();
        let shop = Arc::new(Shop::new(&folder));
        let run = TestRun::of::<Book>().state_arc(Arc::clone(&shop)).kill_at(step);
        let run = run.input(serde_json::json!({ "in_transactions": false })).execute().await.unwrap();
        let (_, sum, total) = shop.books();
        assert!(run.killed);
        if sum != total {
            broken.push(step);
        }
    }
    // Between the order and the total, each time.
    assert_eq!(broken, [1, 4, 7, 10, 13]);
}

#[tokio::test]
async fn killed_run_reports_nothing_after() {
    let run = TestRun::of::<EndsEarly>().state(Traces::default()).kill_at(1).execute().await.unwrap();
    assert_eq!((run.status, run.killed, run.steps), (RunStatus::Interrupted, true, 1));
    assert_eq!(run.error.as_deref(), Some("The server stopped responding while this was running."));
    assert_eq!((run.percents, run.result), (vec![Some(40.0)], Value::Null));
    // The guard's destructor ran, and its report was dropped.
    assert!(run.log.is_empty());
}

#[tokio::test]
async fn run_can_be_killed_at_end() {
    let traces = Arc::new(Traces::default());
    let run = TestRun::of::<EndsEarly>().state_arc(Arc::clone(&traces)).kill_at(2).execute().await.unwrap();
    assert_eq!((run.status, run.killed, run.result), (RunStatus::Interrupted, true, Value::Null));
    assert_eq!(traces.guards_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn killed_body_destructors_are_not_recorded() {
    let run = TestRun::of::<Wait>().state(Traces::default()).kill_at(1).execute().await.unwrap();
    assert_eq!((run.status, run.log_texts(), run.steps), (RunStatus::Interrupted, vec!["waiting"], 1));
}

/// Counts its progress, and reports only through its handle.
#[process(title = "Handling")]
async fn handle(progress: Progress, steps: State<AtomicU64>) {
    for step in 1..=10 {
        steps.store(step, Ordering::SeqCst);
        match step % 5 {
            0 => progress.log("a line"),
            1 => progress.set_progress(50),
            2 => progress.set_progress_text("a text"),
            3 => progress.stage("a stage"),
            _ => assert!(progress.artifact("no.txt", "/no/such/file").is_err()),
        }
    }
}

#[tokio::test]
async fn every_handle_method_leaves_when_killed() {
    for step in 1..=10 {
        let steps = Arc::new(AtomicU64::new(0));
        let run = TestRun::of::<Handle>().state_arc(Arc::clone(&steps)).kill_at(step);
        assert!(run.execute().await.unwrap().killed);
        assert_eq!(steps.load(Ordering::SeqCst), step);
    }
    let run = TestRun::of::<Handle>().state(AtomicU64::new(0)).kill_at(11).execute().await.unwrap();
    assert_eq!((run.status, run.killed, run.steps), (RunStatus::Succeeded, false, 10));
}

/// Records what it observes of the end of its own tasks.
#[derive(Default)]
struct Learnt(Mutex<Vec<&'static str>>);

/// Reports before it cleans up.
struct CleanUp(Arc<Learnt>);

impl Drop for CleanUp {
    fn drop(&mut self) {
        process_runtime::log("cleaning up");
        self.0.0.lock().unwrap().push("cleaned up");
    }
}

/// Has its work done by a task, which begins once it is waited for.
#[process(title = "Delegating")]
async fn delegate(learnt: State<Learnt>) {
    let _clean_up = CleanUp(learnt.clone().into_inner());
    let waited_for = Arc::new(tokio::sync::Notify::new());
    let begin = Arc::clone(&waited_for);
    let task = process_runtime::spawn(async move {
        begin.notified().await;
        process_runtime::log("at work");
    });
    let (ended, ()) = futures_util::future::join(task, async { waited_for.notify_one() }).await;
    learnt.0.lock().unwrap().push(if ended.is_ok() { "done" } else { "the task was gone" });
}

#[tokio::test]
async fn kill_is_invisible_to_awaiting_body() {
    for _ in 0..200 {
        let learnt = Arc::new(Learnt::default());
        let run =
            TestRun::of::<Delegate>().state_arc(Arc::clone(&learnt)).kill_at(1).execute().await.unwrap();
        assert_eq!((run.killed, run.log_texts()), (true, vec!["at work"]));
        assert_eq!(*learnt.0.lock().unwrap(), ["cleaned up"]);
    }
}

/// Leaves tasks and threads at work when it is killed.
#[process(title = "Working in many places")]
async fn work_everywhere(counter: State<AtomicU64>, progress: Progress) {
    let counter = counter.into_inner();
    for _ in 0..2 {
        let counter = Arc::clone(&counter);
        let _at_work = process_runtime::spawn_blocking(move || {
            loop {
                counter.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(3));
                process_runtime::set_progress(1);
            }
        });
    }
    let (ours, handle) = (Arc::clone(&counter), progress.clone());
    std::thread::spawn(move || {
        loop {
            ours.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(3));
            handle.set_progress(2);
        }
    });
    let _at_work = process_runtime::spawn(async move {
        loop {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    });
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn killed_run_ends_tasks_and_threads() {
    let counter = Arc::new(AtomicU64::new(0));
    let run = TestRun::of::<WorkEverywhere>().state_arc(Arc::clone(&counter)).kill_at(20);
    let run = run.execute().await.unwrap();
    assert_eq!((run.killed, run.steps), (true, 20));
    // Only its own thread may still be on its way to its next report.
    let began = Instant::now();
    while Arc::strong_count(&counter) > 1 {
        assert!(began.elapsed() < Duration::from_secs(20), "something still runs");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[tokio::test(start_paused = true)]
async fn kill_works_on_test_clock() {
    let counter = Arc::new(AtomicU64::new(0));
    let run = TestRun::of::<WorkEverywhere>().state_arc(Arc::clone(&counter)).kill_at(3);
    let run = run.on_this_runtime().execute().await.unwrap();
    assert_eq!((run.killed, run.status, run.steps), (true, RunStatus::Interrupted, 3));
}

#[tokio::test]
async fn file_at_last_step_is_kept() {
    let run = TestRun::of::<OfferTwo>().kill_at(1).execute().await.unwrap();
    let [file] = &run.files[..] else { panic!("{:?}", run.files) };
    assert_eq!((file.name.as_str(), std::fs::read(&file.path).unwrap()), ("1.txt", b"1".to_vec()));
}

/// Offers one file, and another when it is dropped.
#[process(title = "Offering")]
async fn offer_two() {
    struct Offer(u8);
    impl Drop for Offer {
        fn drop(&mut self) {
            let path = std::env::temp_dir().join(format!("offer-{}", process_runtime::RunId::new()));
            std::fs::write(&path, self.0.to_string()).unwrap();
            process_runtime::artifact(&format!("{}.txt", self.0), &path).unwrap();
        }
    }
    let _second = Offer(2);
    drop(Offer(1));
}

/// Counts its work, in stages, before and after its saves.
#[process(title = "Counting in stages")]
async fn count_in_stages(cursor: Cursor<u64>) {
    for item in (1..=6_u64).resume_from(&cursor).progress() {
        stage(if item < 4 { "First" } else { "Second" });
        tally("touched");
        if item % 2 == 0 {
            item_failed(item, "it is even");
        } else {
            tally_of("bytes", item);
        }
    }
    tally("over");
}

#[tokio::test]
async fn counts_survive_kill_at_every_step() {
    let whole = TestRun::of::<CountInStages>().execute().await.unwrap();
    assert_eq!(
        (whole.counts.get("touched"), whole.counts.get("bytes"), whole.counts.get("failed")),
        (6, 9, 3)
    );
    for first in 1..=whole.steps {
        let killed = TestRun::of::<CountInStages>().kill_at(first).execute().await.unwrap();
        assert!(killed.killed);
        for second in (1..).step_by(3) {
            let again =
                TestRun::of::<CountInStages>().resume(&killed).kill_at(second).execute().await.unwrap();
            let ended = TestRun::of::<CountInStages>().resume(&again).execute().await.unwrap();
            let at = format!("at {first} and {second}");
            assert_eq!(ended.status, RunStatus::Succeeded, "{at}");
            assert_eq!(ended.cursor, whole.cursor, "{at}");
            if again.killed {
                assert_eq!(ended.counts, whole.counts, "{at}");
                assert_eq!(ended.failed_items, whole.failed_items, "{at}");
            } else {
                assert_eq!(
                    (again.counts, again.failed_items),
                    (whole.counts.clone(), whole.failed_items.clone()),
                    "{at}"
                );
                break;
            }
        }
    }
}
