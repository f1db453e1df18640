//! The files of an open store are removed or replaced.
#![cfg(unix)]

use std::fs;

use process_runtime::store::{StartOptions, Store, StoreError};
use process_tests::conformance::{run_of, started};

use super::{folder, open};

fn is_unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>, says: &str) {
    match answer {
        Err(StoreError::Unavailable(why)) => {
            let why = why.to_string();
            assert!(why.contains("runs.sqlite3") && why.contains(says), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn removed_store_fails_next_write() {
    for name in ["runs.sqlite3", "runs.sqlite3-wal"] {
        let folder = folder();
        let store = open(folder.path());
        let kept = started(&store, run_of("count")).await;
        let (file, aside) = (folder.path().join(name), folder.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        is_unavailable(store.start(run_of("count"), StartOptions::default()).await, "no longer exists");
        is_unavailable(store.probe().await, "no longer exists");
        fs::write(&file, "another").unwrap();
        is_unavailable(
            store.start(run_of("count"), StartOptions::default()).await,
            "was replaced by another file",
        );
        is_unavailable(store.probe().await, "was replaced by another file");
        // Put back, it is the store again.
        fs::rename(&aside, &file).unwrap();
        store.probe().await.unwrap();
        let second = started(&store, run_of("count")).await;
        drop(store);
        let store = open(folder.path());
        assert!(store.run(kept.id).await.unwrap().is_some() && store.run(second.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn replaced_folder_fails_next_write() {
    let folder = folder();
    let data = folder.path().join("data");
    let store = open(&data);
    fs::rename(&data, folder.path().join("moved")).unwrap();
    is_unavailable(store.start(run_of("count"), StartOptions::default()).await, "no longer exists");
    // As a deploy does it that copies a backup.
    fs::create_dir(&data).unwrap();
    for name in ["runs.sqlite3", "runs.sqlite3-wal"] {
        fs::copy(folder.path().join("moved").join(name), data.join(name)).unwrap();
    }
    is_unavailable(store.probe().await, "was replaced by another file");
}
