//! The operator's log of runs that did not succeed: one line for each, with the whole reason.

use process_runtime::prelude::*;
use process_tests::Server;
use serde_json::json;

use super::heard::{self, Said};

/// What was said of a run, apart from its spans.
fn said_of(run: &str) -> Vec<Said> {
    let id = run.trim_start_matches("/runs/");
    let said = heard::said().into_iter();
    said.filter(|one| one.fields.get("run").is_some_and(|run| run == id)).collect()
}

/// The only line about a run.
fn line_of(run: &str) -> Said {
    let mut said = said_of(run);
    assert_eq!(said.len(), 1, "{said:#?}");
    said.remove(0)
}

#[tokio::test]
async fn each_failed_run_has_one_line() {
    heard::listen();
    let server = Server::start().await;
    let run = server.run("fails-for-a-reason", json!({})).await;
    server.ended(&run).await;
    let line = line_of(&run);
    let chain = "the catalog was not read: no connection to db.internal: connection refused";
    assert_eq!(line.message(), format!("the run failed: {chain}"));
    assert_eq!(
        (line.fields["process"].as_str(), line.fields["attempt"].as_str()),
        ("fails-for-a-reason", "1")
    );
    assert!(!line.fields.contains_key("panicked_at"), "{line:?}");

    let succeeded = server.run("says-nothing", json!({})).await;
    server.ended(&succeeded).await;
    assert_eq!(said_of(&succeeded).len(), 0);
}

#[tokio::test]
async fn panic_names_its_place_for_operator() {
    heard::listen();
    let server = Server::start().await;
    for (process, error, details) in [
        ("panics", "the process panicked", "the secret details"),
        ("panics-in-a-task", "a part of the work was lost", "the task's details"),
    ] {
        let run = server.run(process, json!({})).await;
        assert_eq!(server.ended(&run).await["error"], error);
        let line = line_of(&run);
        assert_eq!(line.message(), format!("the run failed: {error}: {details}"));
        let place = line.fields["panicked_at"].trim_matches('"').to_owned();
        let [file, row, column] = place.rsplitn(3, ':').collect::<Vec<_>>()[..] else { panic!("{place}") };
        let (file, column) = (column, file);
        assert!(file.ends_with("fixtures.rs") && row.parse::<u32>().is_ok() && column.parse::<u32>().is_ok());
        let page = server.get(&run).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
        assert!(!page.contains(details) && !page.contains("fixtures.rs"), "{page}");
    }
}

#[process(title = "Failing twice", retries = 1, backoff = "10ms")]
pub(crate) async fn fails_twice() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("the disk is full"))
}

#[tokio::test]
async fn failed_attempt_names_its_reason() {
    heard::listen();
    let server = Server::start().await;
    let run = server.run("fails-twice", json!({})).await;
    server.ended(&run).await;
    let said: Vec<_> = said_of(&run).iter().map(|one| one.message().to_owned()).collect();
    let why = "the disk is full";
    assert_eq!(
        said,
        [format!("an attempt failed, and the run is retried: {why}"), format!("the run failed: {why}"),]
    );
}
