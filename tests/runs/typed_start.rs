//! A run is started, awaited and cancelled from Rust too, and a process stays a plain function.

use process_runtime::{RunStatus, StartError, State};
use process_tests::Server;
use process_tests::fixtures::{Choose, ChooseInput, Count, CountInput, Traces, Wait, count};
use serde_json::json;

#[tokio::test]
async fn start_wait_and_cancel_from_rust() {
    let server = Server::start().await;
    let run = Count::start(&server.processes, CountInput { total: 2, pause: 1 }).await.unwrap();
    let ended = run.wait().await.unwrap();
    assert_eq!(ended.status, RunStatus::Succeeded);
    assert_eq!(ended.result, Some(json!({ "message": "Counted", "total": 2 })));
    let run = Wait::start(&server.processes, ()).await.unwrap();
    run.cancel().await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, RunStatus::Cancelled);
    assert_eq!(run.run().await.unwrap().status, RunStatus::Cancelled);
}

#[tokio::test]
async fn invalid_input_is_refused_before_storing() {
    let server = Server::start().await;
    let error = Choose::start(&server.processes, ChooseInput { percent: 101 }).await.unwrap_err();
    assert!(matches!(&error, StartError::Input(errors) if errors.len() == 1), "{error}");
    assert_eq!(error.to_string(), "the input is invalid:\n  percent: Must be 100 or less");
    let filter = process_runtime::store::RunFilter::default().limit(10);
    assert_eq!(server.processes.store().runs(filter).await.unwrap(), []);
}

#[tokio::test]
async fn process_function_is_callable_directly() {
    let counted = count(State::new(Traces::default()), 3, 0).await.unwrap();
    assert_eq!((counted.message.as_str(), counted.total), ("Counted", 3));
}
