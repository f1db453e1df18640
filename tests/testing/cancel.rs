//! A run is cancelled at the step that is named, the way a real cancel does it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use process_runtime::RunStatus;
use process_runtime::prelude::*;
use process_runtime::testing::TestRun;
use process_tests::fixtures::{Count, Delegates, EndsEarly, Spin, Traces, Wait};
use serde_json::{Value, json};

#[tokio::test]
async fn blocking_body_leaves_at_the_step() {
    let traces = Arc::new(Traces::default());
    let run = TestRun::of::<Spin>().state_arc(Arc::clone(&traces)).cancel_at(7).execute().await.unwrap();
    assert_eq!((run.status, &run.error, run.killed), (RunStatus::Cancelled, &None, false));
    assert_eq!(run.percents.last(), Some(&Some(0.7)));
    assert_eq!(traces.guards_dropped.load(Ordering::SeqCst), 1);
    // Reports of destructors are recorded.
    assert_eq!((run.log_texts(), run.steps), (vec!["cleaned up"], 8));
}

#[tokio::test]
async fn waiting_body_is_dropped() {
    let run = TestRun::of::<Wait>().state(Traces::default()).cancel_at(1).execute().await.unwrap();
    assert_eq!((run.status, run.log_texts()), (RunStatus::Cancelled, vec!["waiting", "cleaned up"]));
}

#[tokio::test]
async fn cancelled_run_result_is_null() {
    let run = TestRun::of::<Count>().state(Traces::default()).input(json!({ "pause": 0 }));
    let run = run.cancel_at(5).execute().await.unwrap();
    assert_eq!((run.status, &run.result), (RunStatus::Cancelled, &Value::Null));
    assert_eq!((run.steps, run.texts), (5, vec!["Step 1".to_owned(), "Step 2".to_owned()]));
}

#[tokio::test]
async fn run_working_in_thread_is_cancelled() {
    let run = TestRun::of::<Delegates>().cancel_at(3).execute().await.unwrap();
    assert_eq!((run.status, &run.error), (RunStatus::Cancelled, &None));
}

#[tokio::test]
async fn cancel_wins_over_the_end() {
    let run = TestRun::of::<EndsEarly>().state(Traces::default()).cancel_at(2).execute().await.unwrap();
    assert_eq!(run.status, RunStatus::Cancelled);
}

/// Reports through its handle only, and checks there whether it is stopped.
#[process(title = "Handling")]
async fn handle(progress: Progress) -> Result<u64, String> {
    let mut steps = 0;
    while !progress.is_stopped() {
        steps += 1;
        progress.set_progress_of(steps, 100);
    }
    Ok(steps)
}

#[tokio::test]
async fn handle_reports_stop_without_unwinding() {
    let run = TestRun::of::<Handle>().cancel_at(40).execute().await.unwrap();
    assert_eq!((run.status, run.result), (RunStatus::Succeeded, json!(40)));
}
