//! Several nodes over one store: every run is executed by one of them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::{Processes, RunStatus};
use process_tests::fixtures::Traces;
use process_tests::survivors::{BeginsOnce, BeginsOnceInput, Tally, TallyInput};
use tempfile::TempDir;

use crate::control::{done, each_once};

fn node(store: &Arc<SqliteStore>, data: &TempDir) -> Processes {
    let shared: Arc<SqliteStore> = Arc::clone(store);
    let builder = process_runtime::builder().state(Traces::default()).data_dir(data.path());
    builder
        .store(shared as Arc<dyn process_runtime::store::Store>)
        .lease(Duration::from_millis(600))
        .build()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_node_claims_a_run() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let nodes: Vec<_> = (0..4).map(|_| (TempDir::new().unwrap(), ())).collect();
    let nodes: Vec<_> = nodes.into_iter().map(|(data, ())| (node(&store, &data), data)).collect();
    let input = || BeginsOnceInput { folder: notes.path().display().to_string(), pause: 5 };
    let mut runs = Vec::new();
    for _ in 0..60 {
        runs.push(BeginsOnce::start(&nodes[0].0, input()).await.unwrap());
    }
    for run in join_all(runs.iter().map(|run| run.wait())).await {
        let run = run.unwrap();
        assert_eq!((run.status, run.attempt), (RunStatus::Succeeded, 1));
        let noted = std::fs::read_to_string(notes.path().join(run.id.to_string())).unwrap();
        assert_eq!(noted, "began\nended\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_nodes_runs_are_taken_over() {
    let (folder, notes) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let dying = node(&store, &first);
    let input = TallyInput { folder: notes.path().display().to_string(), items: 60, pause: 10, fails_at: 0 };
    let run = Tally::start(&dying, input).await.unwrap();
    let id = run.id();
    for _ in 0..400 {
        if done(notes.path(), &id.to_string()).len() > 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Without a release, as after a power failure.
    drop(run);
    drop(dying);
    let living = node(&store, &second);
    let run = living.handle(id).wait().await.unwrap();
    assert_eq!((run.status, run.attempt), (RunStatus::Succeeded, 2));
    let counts = done(notes.path(), &id.to_string());
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    let twice = counts.values().filter(|count| **count > 1).count();
    assert!(twice <= 101, "{twice} items were done twice");
    assert_ne!(counts, each_once(0));
}
