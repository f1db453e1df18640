//! A body that is asked to stop at a save, and where it stops; bodies that are not called.

use std::time::Duration;

use process_runtime_macros::process;
use serde_json::{Map, json};

use super::*;
use crate::cursor::Cursor;
use crate::iter::ProgressIterator;
use crate::parameter::States;
use crate::process::Controller;
use crate::run::SavedCursor;

/// Executes a body that is asked to stop at its next save before it begins.
async fn end_of<C: Controller>(cursor: Option<u64>) -> (End, Progress) {
    let progress = Progress::detached();
    progress.yield_asked(true);
    let cursor = cursor.map(|at| SavedCursor::new(json!(at)));
    let (states, input) = (States::default(), Map::new());
    let invocation = Invocation { progress: progress.clone(), states, input, cursor };
    let runtime = Arc::new(Background::current().unwrap());
    (start(C::PROCESS, invocation, 1, runtime).await.unwrap(), progress)
}

#[process(title = "Importing", crate = crate)]
async fn import(cursor: Cursor<u64>) {
    for row in (0..5).resume_from(&cursor).progress() {
        set_progress_text("at work");
        tokio::time::sleep(Duration::from_millis(5)).await;
        log(format!("row {row}"));
    }
}

#[tokio::test]
async fn body_yields_after_item_not_await() {
    let mut at = None;
    for row in 0..5 {
        let (end, progress) = end_of::<Import>(at).await;
        assert_eq!(end, End::Yielded);
        let reading = progress.read();
        assert_eq!(
            reading.lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>(),
            [format!("row {row}")]
        );
        at = reading.cursor.and_then(|cursor| cursor.value.as_u64());
        assert_eq!(at, Some(row + 1));
    }
    let (end, progress) = end_of::<Import>(at).await;
    assert_eq!(end, End::Outcome(Outcome::Succeeded(serde_json::Value::Null)));
    assert_eq!(progress.read().lines, []);
}

#[process(title = "Delegating", crate = crate)]
async fn delegate(cursor: Cursor<u64>) -> Result<(), String> {
    let work = context::spawn(async move { cursor.save(1) });
    // This body ignores whether the task stopped or finished its work.
    let _ = work.await;
    Ok(())
}

#[tokio::test]
async fn yielded_task_is_not_success() {
    let (end, progress) = end_of::<Delegate>(None).await;
    assert_eq!((end, progress.read().cursor_saves), (End::Yielded, 1));
}

#[process(title = "Saving too much", crate = crate)]
async fn save_too_much(cursor: Cursor<String>) {
    cursor.save("x".repeat(100_000));
    log("not reached");
}

#[tokio::test]
async fn oversized_save_fails_the_body() {
    let (end, progress) = end_of::<SaveTooMuch>(None).await;
    let End::Outcome(Outcome::Failed(why)) = end else { panic!("{end:?}") };
    assert!(why.message.starts_with("the cursor is 100002 bytes long"), "{why}");
    assert_eq!(progress.read().lines, []);
}

#[tokio::test]
async fn incompatible_cursor_skips_the_body() {
    let (end, _) = end_of::<SaveTooMuch>(Some(3)).await;
    let End::Outcome(Outcome::Failed(why)) = end else { panic!("{end:?}") };
    assert!(
        why.message.starts_with("the stored values do not match the process: cursor: the run is at 3")
            && why.message.ends_with("expected a string"),
        "{why}"
    );
}

#[process(title = "Taking no cursor", crate = crate)]
async fn take_no_cursor() {
    log("not reached");
}

#[tokio::test]
async fn removed_cursor_does_not_restart_body() {
    let (end, progress) = end_of::<TakeNoCursor>(Some(3)).await;
    let End::Outcome(Outcome::Failed(why)) = end else { panic!("{end:?}") };
    assert_eq!(why.message, "the run is at 3, but its process no longer has a cursor");
    assert_eq!(progress.read().lines, []);
}
