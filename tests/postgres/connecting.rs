//! What is said of a database that cannot be used, and how a store waits for one that is away.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use process_runtime::store::postgres::{ConnectError, PgOptions, PgStore};
use process_runtime::store::{RunFilter, StartOptions, Store, StoreError};
use process_tests::conformance::{run_of, started, until};
use tempfile::TempDir;

use super::{schema, sql, url};

/// The folder with the server's socket.
fn sockets() -> PathBuf {
    let url = url();
    let host = url.split_once('@').unwrap().1.split_once("/postgres").unwrap().0;
    host.replace("%2F", "/").into()
}

async fn refused(url: &str) -> (bool, String) {
    let error = PgStore::connect(url).await.unwrap_err();
    assert!(!error.to_string().contains("hush"), "a password is shown: {error}");
    (error.is_temporary(), error.to_string())
}

#[tokio::test]
async fn unusable_address_is_explained() {
    let (temporary, said) = refused("postgres://app:hush@/shop").await;
    assert!(!temporary && said.contains("postgres://user:password@host:5432/database"), "{said}");
    let (temporary, said) = refused("postgres://app:hush@db:many/shop").await;
    assert!(!temporary && said.contains("the URL of the database is invalid"), "{said}");
    let (temporary, said) = refused(&url().replace("/postgres", "/missing")).await;
    assert!(!temporary && said.contains("database \"missing\" does not exist"), "{said}");
    let (temporary, said) = refused(&url().replace("process@", "nobody:hush@")).await;
    assert!(!temporary && said.contains("role \"nobody\" does not exist"), "{said}");
    let (temporary, said) = refused("postgres://app:hush@127.0.0.1:1/shop").await;
    assert!(
        temporary && said.starts_with("the database is not reachable: postgres://127.0.0.1:1/shop: "),
        "{said}"
    );
}

#[tokio::test]
async fn newer_tables_are_refused_untouched() {
    let schema = schema();
    let store = PgOptions::new(url()).schema(schema.clone()).connect().await.unwrap();
    started(&store, run_of("count")).await;
    let newer = async |format| {
        sql(&format!("UPDATE \"{schema}\".meta SET format = 9, oldest_reader = {format}")).await;
    };
    // A newer format that this version can still read.
    newer(1).await;
    PgOptions::new(url()).schema(schema.clone()).connect().await.unwrap();
    newer(9).await;
    let error = PgOptions::new(url()).schema(schema.clone()).connect().await.unwrap_err();
    assert!(matches!(error, ConnectError::Newer(_)) && !error.is_temporary(), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("has format 9, and this version of the program reads format 1: start a newer version")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_create_the_tables_together() {
    let schema = schema();
    let connecting = (0..8).map(|_| {
        let schema = schema.clone();
        tokio::spawn(async move { PgOptions::new(url()).schema(schema.clone()).connect().await.unwrap() })
    });
    for connected in connecting.collect::<Vec<_>>() {
        started(&connected.await.unwrap(), run_of("count")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn database_that_is_away_is_waited_for() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("sockets");
    let at = url().replace(
        &sockets().to_string_lossy().replace('/', "%2F"),
        &place.to_string_lossy().replace('/', "%2F"),
    );
    let store = PgOptions::new(at).open().unwrap();
    let answer = store.start(run_of("waits"), StartOptions::default()).await;
    assert!(matches!(&answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(store.probe().await.is_err());
    symlink(sockets(), &place).unwrap();
    until("the database is back", || async { store.probe().await.ok() }).await;
    let run = started(&store, run_of("waits")).await;
    let listed = store.runs(RunFilter::default().process("waits".to_owned())).await.unwrap();
    assert_eq!(listed.first().map(|run| run.id), Some(run.id));
}

/// As when the server restarts, or somebody ends its backends.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_made_anew() {
    let at = format!("{}?application_name=lost", url());
    let store = PgOptions::new(at).schema(schema()).connect().await.unwrap();
    for _ in 0..5 {
        started(&store, run_of("count")).await;
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lost'").await;
        let start = || async { store.start(run_of("count"), StartOptions::default()).await.ok() };
        until("a run is stored", start).await;
    }
}
