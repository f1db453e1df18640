//! The guarantees of the store trait on PostgreSQL: two nodes with connections of their own, on one database. Needs a
//! server, which `tests/with-postgres` starts.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

use std::sync::Arc;

use process_runtime::store::postgres::PgOptions;
use process_tests::conformance::Nodes;
use uuid::Uuid;

mod connecting;
mod damage;

/// The address of the server.
fn url() -> String {
    std::env::var("PROCESS_TEST_POSTGRES").expect("start it by tests/with-postgres")
}

/// The name of a schema that does not exist yet.
fn schema() -> String {
    format!("test {}", Uuid::now_v7())
}

/// Executes a statement as an operator would.
async fn sql(statement: &str) {
    let output =
        tokio::process::Command::new("psql").args([&url(), "-qtAc", statement]).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The server behind pgbouncer in transaction mode, which passes no notifications on.
fn pooled() -> PgOptions {
    let pooler = std::env::var("PROCESS_TEST_POOLER").expect("start it by tests/with-postgres");
    PgOptions::new(pooler).listen_to(url())
}

/// A store in a schema of its own, as two nodes see it.
async fn two(options: PgOptions) -> (Nodes, ()) {
    let schema = schema();
    let connect = || async { Arc::new(options.clone().schema(schema.clone()).connect().await.unwrap()) };
    let (here, there) = tokio::join!(connect(), connect());
    (Nodes { here, there }, ())
}

async fn nodes() -> (Nodes, ()) {
    two(PgOptions::new(url())).await
}

async fn pooled_nodes() -> (Nodes, ()) {
    two(pooled()).await
}

mod keeps_its_promises {
    process_tests::store_conformance!(crate::nodes);

    #[test]
    fn conformance_list_is_complete() {
        assert!(PROMISES.len() > 100);
    }
}

mod keeps_its_promises_through_pgbouncer {
    process_tests::store_conformance!(crate::pooled_nodes);

    #[test]
    fn conformance_list_is_complete() {
        assert!(PROMISES.len() > 100);
    }
}
