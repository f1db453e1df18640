//! A test run ends like a real one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use process_runtime::RunStatus;
use process_runtime::prelude::*;
use process_runtime::testing::TestRun;
use process_tests::fixtures::{EndsEarly, Fails, Panics, Traces};
use serde_json::{Value, json};
use tokio::sync::Notify;

#[tokio::test]
async fn error_fails_run_with_text() {
    let run = TestRun::of::<Fails>().execute().await.unwrap();
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Failed, Some("the disk is <b>full</b>")));
    assert_eq!((&run.result, run.log_texts()), (&Value::Null, vec!["before"]));
    assert!(run.result_as::<u64>().is_err());
}

#[tokio::test]
async fn panic_fails_run_without_details() {
    let run = TestRun::of::<Panics>().execute().await.unwrap();
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Failed, Some("the process panicked")));
    assert_eq!((run.log_texts(), run.killed), (vec!["before"], false));
}

#[tokio::test]
async fn end_process_ends_the_run() {
    let traces = Arc::new(Traces::default());
    let run = TestRun::of::<EndsEarly>().state_arc(Arc::clone(&traces)).execute().await.unwrap();
    assert_eq!((run.status, &run.error), (RunStatus::Succeeded, &None));
    assert_eq!(run.result, json!({ "message": "enough", "total": 40 }));
    assert_eq!(traces.guards_dropped.load(Ordering::SeqCst), 1);
    // The percentage, the end, and the report of the guard's destructor.
    assert_eq!((run.steps, run.log_texts()), (3, vec!["cleaned up"]));
}

/// Lets a test and a task wait for each other.
#[derive(Default)]
struct Signals {
    go_on: Notify,
    done: Notify,
}

/// Returns while a task continues.
#[process(title = "Leaving a task behind")]
async fn leave_a_task_behind(signals: State<Signals>) {
    let _task = process_runtime::spawn(async move {
        signals.go_on.notified().await;
        process_runtime::log("too late");
        signals.done.notify_one();
    });
}

#[tokio::test]
async fn leftover_task_continues_unrecorded() {
    let signals = Arc::new(Signals::default());
    let run = TestRun::of::<LeaveATaskBehind>().state_arc(Arc::clone(&signals)).execute().await.unwrap();
    signals.go_on.notify_one();
    signals.done.notified().await;
    assert_eq!((run.status, run.steps), (RunStatus::Succeeded, 0));
    drop(run);
}
