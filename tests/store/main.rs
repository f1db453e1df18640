//! The store trait's guarantees, and those of the embedded store.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::path::Path;
use std::sync::Arc;

use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_tests::conformance::Nodes;
use tempfile::TempDir;

mod clock;
mod damage;
mod formats;
mod lives;
mod model;
mod presence;
mod reports;
mod shrinks;
mod steps;

/// A store in this folder.
fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, Synchronous::Normal).unwrap()
}

/// A new folder; in memory where that is to be had, so that thousands of stores are opened in seconds.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

mod keeps_its_promises {
    use super::*;

    #[expect(clippy::unused_async, reason = "other engines have to be asked for a new store")]
    async fn nodes() -> (Nodes, TempDir) {
        let folder = folder();
        (Nodes::same(Arc::new(open(folder.path()))), folder)
    }

    process_tests::store_conformance!(super::nodes);

    #[test]
    fn conformance_list_is_complete() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conformance");
        let mut written = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            let names = names.map(|rest| rest.split('(').next().unwrap().to_owned());
            written.extend(names.map(|name| (module.clone(), name)));
        }
        let mut listed: Vec<_> =
            PROMISES.iter().map(|(module, name)| ((*module).to_owned(), (*name).to_owned())).collect();
        listed.sort();
        written.sort();
        assert_eq!(listed, written);
    }
}

mod an_engine_that_leaves_out_what_it_may {
    use process_tests::conformance::counts;
    use process_tests::plain::Plain;

    use super::*;

    fn nodes() -> (Nodes, TempDir) {
        let folder = folder();
        (Nodes::same(Plain::of(open(folder.path()))), folder)
    }

    #[tokio::test]
    async fn default_counts_are_the_same() {
        let (nodes, _kept) = nodes();
        counts::active_runs_counted_by_process_status(nodes).await;
        let (nodes, _kept) = self::nodes();
        counts::oldest_queued_time_is_reported(nodes).await;
    }

    #[tokio::test]
    async fn default_probe_reads_the_store() {
        let (nodes, _kept) = nodes();
        counts::probe_reports_a_writable_store(nodes).await;
    }
}

/// Its tests are in tests/postgres.
#[cfg(not(feature = "postgres"))]
#[test]
#[ignore = "needs a server: tests/with-postgres cargo test -p process-tests --features postgres --test postgres"]
fn postgres_keeps_its_promises() {
    panic!("run `tests/with-postgres cargo test -p process-tests --features postgres --test postgres`");
}
