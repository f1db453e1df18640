//! On which threads, runtimes and clocks a test's run depends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use process_runtime::RunStatus;
use process_runtime::prelude::*;
use process_runtime::testing::TestRun;
use serde_json::json;

/// Tries three times, with ten minutes between.
#[process(title = "Trying")]
async fn try_again(#[field(default = 600)] seconds: u64) -> Result<u64, String> {
    let began = tokio::time::Instant::now();
    for attempt in 1..=3 {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let task = process_runtime::spawn(async { tokio::time::sleep(Duration::from_millis(1)).await });
        task.await.map_err(|error| error.to_string())?;
        set_progress_of(attempt, 3);
    }
    Ok(began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn paused_clock_sleeps_take_no_time() {
    let began = Instant::now();
    let run = TestRun::of::<TryAgain>().on_this_runtime().execute().await.unwrap();
    assert_eq!((run.status, run.result), (RunStatus::Succeeded, json!(1_800)));
    assert!(began.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn paused_test_clock_leaves_body_alone() {
    let began = Instant::now();
    let run = TestRun::of::<TryAgain>().input(json!({ "seconds": 0 })).execute().await.unwrap();
    assert_eq!(run.status, RunStatus::Succeeded);
    assert!(began.elapsed() >= Duration::from_millis(3));
}

/// Blocks its thread until another run does.
#[process(title = "Meeting")]
async fn meet(place: State<Barrier>) {
    place.wait();
}

#[tokio::test]
async fn blocking_body_holds_up_no_other() {
    let place = Arc::new(Barrier::new(2));
    let meet = || TestRun::of::<Meet>().state_arc(Arc::clone(&place)).execute();
    let (one, two) = tokio::join!(meet(), meet());
    assert_eq!((one.unwrap().status, two.unwrap().status), (RunStatus::Succeeded, RunStatus::Succeeded));
}

/// Needs a multi-threaded runtime.
#[process(title = "Blocking in place")]
async fn block_in_place() {
    let task =
        process_runtime::spawn(async { tokio::task::block_in_place(|| process_runtime::log("in place")) });
    task.await.unwrap();
}

#[tokio::test]
async fn body_runtime_is_multi_threaded() {
    let run = TestRun::of::<BlockInPlace>().execute().await.unwrap();
    assert_eq!(run.log_texts(), ["in place"]);
}

#[test]
fn no_tokio_runtime_is_needed() {
    let run = || TestRun::of::<TryAgain>().input(json!({ "seconds": 0 }));
    let ended = futures_util::FutureExt::now_or_never(run().on_this_runtime().execute()).unwrap();
    assert!(ended.unwrap_err().to_string().contains("annotate the test with #[tokio::test]"));
    // A minimal executor, without tokio.
    let mut future = std::pin::pin!(run().execute());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let ended = loop {
        if let std::task::Poll::Ready(ended) = future.as_mut().poll(&mut context) {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert_eq!(ended.unwrap().status, RunStatus::Succeeded);
}

/// Counts on until it is stopped.
#[process(title = "Going on")]
async fn go_on(counter: State<AtomicU64>) {
    loop {
        counter.fetch_add(1, Ordering::SeqCst);
        set_progress(1);
    }
}

#[tokio::test]
async fn dropped_run_is_stopped() {
    let counter = Arc::new(AtomicU64::new(0));
    let begun = async {
        while counter.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = TestRun::of::<GoOn>().state_arc(Arc::clone(&counter)).execute() => panic!("it has ended"),
        () = begun => {}
    }
    // The body held the only other one.
    let began = Instant::now();
    while Arc::strong_count(&counter) > 1 {
        assert!(began.elapsed() < Duration::from_secs(20), "it still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
