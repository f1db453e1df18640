//! Reports of damage in the operator's log: which record of which file, and once.

use std::io::Write;
use std::sync::{Arc, Mutex};

use process_runtime::store::{RunFilter, StartOptions, Store, StoreError};
use process_tests::conformance::{batch_of, claimable, claimed, lines, run_of, started, wanted};
use rusqlite::Connection;

use super::{folder, open};

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn damaged_record_is_reported_once() {
    let heard = Heard::default();
    let writer = heard.clone();
    // For all threads, because the store has its own.
    tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).init();
    let folder = folder();
    let store = open(folder.path());
    let damaged = started(&store, run_of("count")).await;
    let sound = started(&store, run_of("count")).await;
    let held = started(&store, run_of("held")).await;
    let claim = claimed(&store, "held").await;
    store.append(claim.lease, batch_of(lines("line", 1..=3))).await.unwrap();
    drop(store);
    let db = Connection::open(folder.path().join("runs.sqlite3")).unwrap();
    for id in [damaged.id, held.id] {
        let change = "UPDATE runs SET priority = priority + 1 WHERE id = ?1";
        assert_eq!(db.execute(change, [id.as_bytes()]).unwrap(), 1);
    }
    assert_eq!(db.execute("UPDATE lines SET text = 'lime 2' WHERE seq = 2", []).unwrap(), 1);
    drop(db);
    let store = open(folder.path());
    for _ in 0..5 {
        assert_eq!(store.claim(wanted([claimable("other")])).await.unwrap(), None);
        assert!(matches!(store.run(damaged.id).await, Err(StoreError::Damaged(_))));
        assert_eq!(store.log_tail(held.id, 9).await.unwrap().len(), 2);
        let all = store.runs(RunFilter::default().limit(9)).await.unwrap();
        assert_eq!(all, std::slice::from_ref(&sound));
    }
    assert_eq!(claimed(&store, "count").await.run.id, sound.id);
    for process in ["count", "held"] {
        assert_eq!(store.claim(wanted([claimable(process)])).await.unwrap(), None);
    }
    let exclusive = StartOptions::default().exclusive(true);
    assert!(!store.start(run_of("held"), exclusive).await.unwrap().existing);
    assert_eq!(store.checked().await.unwrap().damaged, 3);
    let heard = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    let file = store.file().display().to_string();
    let told: Vec<_> = heard.lines().filter(|line| line.contains(&file)).collect();
    for id in [damaged.id, held.id] {
        let of_run = format!("run {id}: its checksum does not match");
        assert_eq!(told.iter().filter(|line| line.contains(&of_run)).count(), 1, "{told:?}");
    }
    let of_line = told.iter().filter(|line| line.contains("log line 2")).count();
    assert_eq!((of_line, told.len()), (1, 3), "{told:?}");
}
