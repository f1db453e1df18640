//! A run that is killed goes on from its cursor, and a test sees what was processed how often.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use process_runtime::prelude::*;
use process_runtime::testing::{TestError, TestRun, TestedRun};
use process_runtime::{ParameterInfo, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What was processed, in order.
#[derive(Default)]
struct Done(Mutex<Vec<String>>);

impl Done {
    fn add(&self, item: impl ToString) {
        self.0.lock().unwrap().push(item.to_string());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

const ITEMS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[process(title = "By number")]
async fn by_number(done: State<Done>, cursor: Cursor<u64>) {
    for item in ITEMS.into_iter().resume_from(&cursor).progress() {
        log(item);
        done.add(item);
        set_progress_text(item);
    }
}

#[process(title = "By key")]
async fn by_key(done: State<Done>, cursor: Cursor<String>) {
    let from = cursor.get().map_or(Bound::Unbounded, Bound::Excluded);
    let items: BTreeMap<String, ()> = ITEMS.iter().map(|item| (item.to_string(), ())).collect();
    let items = items.range((from, Bound::Unbounded)).map(|(item, ())| item);
    for item in items.checkpoint(&cursor, |item| item.to_string()).progress_of(ITEMS.len()) {
        log(item);
        done.add(item);
        set_progress_text(item);
    }
}

#[process(title = "From a stream")]
async fn from_a_stream(done: State<Done>, cursor: Cursor<u64>) {
    let items = futures_util::stream::iter(ITEMS).then(|item| async move {
        tokio::task::yield_now().await;
        item
    });
    let mut items = items.resume_from(&cursor).progress_of(ITEMS.len());
    while let Some(item) = items.next().await {
        log(item);
        done.add(item);
        set_progress_text(item);
    }
}

#[process(title = "By hand")]
async fn by_hand(done: State<Done>, cursor: Cursor<(u8, usize)>) {
    let (_, first) = cursor.get().unwrap_or((0, 0));
    for (index, item) in ITEMS.iter().enumerate().skip(first) {
        log(*item);
        done.add(item);
        set_progress_text(*item);
        cursor.save((7, index + 1));
    }
}

/// Kills it at every step; each time it goes on, and is killed there at every step too, and goes on to its end.
async fn kill_and_go_on<C: Controller>() {
    let run = |done: &Arc<Done>| TestRun::of::<C>().shared_state(Arc::clone(done));
    let mut kills = 0;
    for first in 1.. {
        for second in 1.. {
            let done = Arc::new(Done::default());
            let killed = run(&done).kill_at(first).execute().await.unwrap();
            if !killed.killed {
                assert_eq!(done.all(), ITEMS);
                assert!(kills > 100, "{kills}");
                return;
            }
            let again = run(&done).cursor(&killed.cursor).kill_at(second).execute().await.unwrap();
            let ended = run(&done).cursor(&again.cursor).execute().await.unwrap();
            assert_eq!(ended.status, RunStatus::Succeeded);
            let done = done.all();
            for item in ITEMS {
                let times = done.iter().filter(|other| *other == item).count();
                assert!((1..=3).contains(&times), "{item} at {first} and {second}: {done:?}");
            }
            // Each kill repeats the item at hand, and no other.
            assert!(done.len() <= ITEMS.len() + 2, "at {first} and {second}: {done:?}");
            if !again.killed {
                break;
            }
            kills += 1;
        }
    }
}

#[tokio::test]
async fn a_run_by_number_repeats_at_most_the_item_it_was_killed_at() {
    kill_and_go_on::<ByNumber>().await;
}

#[tokio::test]
async fn a_run_by_key_repeats_at_most_the_item_it_was_killed_at() {
    kill_and_go_on::<ByKey>().await;
}

#[tokio::test]
async fn a_run_over_a_stream_repeats_at_most_the_item_it_was_killed_at() {
    kill_and_go_on::<FromAStream>().await;
}

#[tokio::test]
async fn a_run_that_saves_by_hand_repeats_at_most_the_item_it_was_killed_at() {
    kill_and_go_on::<ByHand>().await;
}

async fn by_number_at(cursor: impl Serialize) -> Result<TestedRun, TestError> {
    TestRun::of::<ByNumber>().state(Done::default()).cursor(cursor).execute().await
}

#[tokio::test]
async fn a_save_is_a_step_and_the_last_of_a_killed_run_counts() {
    // The bar, a log line, a text, the bar again, the save.
    let run = TestRun::of::<ByNumber>().state(Done::default()).kill_at(5).execute().await.unwrap();
    assert_eq!((run.steps, run.cursor), (5, Some(json!(1))));
}

#[tokio::test]
async fn a_run_that_saved_nothing_goes_on_where_it_did_before() {
    let run = TestRun::of::<ByNumber>().state(Done::default()).cursor(3).kill_at(1).execute().await.unwrap();
    assert_eq!((run.killed, run.cursor), (true, Some(json!(3))));
    let run = by_number_at(None::<Value>).await.unwrap();
    assert_eq!((run.log.len(), run.cursor), (5, Some(json!(5))));
}

#[tokio::test]
async fn a_cursor_of_another_kind_fails_the_run_and_one_without_json_is_no_cursor() {
    let run = by_number_at("d").await.unwrap();
    assert_eq!(run.status, RunStatus::Failed);
    let why = run.error.unwrap();
    assert!(why.contains("cursor: ") && why.contains("expected u64"), "{why}");
    let error = by_number_at(BTreeMap::from([((1, 2), 3)])).await.unwrap_err();
    assert_eq!(error.to_string(), "the cursor cannot be written as JSON: key must be a string");
}

/// A cursor of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    file: String,
    line: u64,
}

#[process(title = "With fields")]
async fn with_fields(#[field(default = 3)] times: u64, cursor: Cursor<Place>) -> Result<Place, String> {
    let mut place = cursor.get().unwrap_or(Place { file: "a.csv".into(), line: 0 });
    place.line += times;
    cursor.save(place);
    cursor.get().ok_or("nothing was saved".into())
}

#[tokio::test]
async fn a_cursor_is_no_field_and_a_process_with_one_is_resumable() {
    let process = WithFields::PROCESS;
    assert_eq!(process.fields().len(), 1);
    assert!(process.is_resumable());
    assert!(!process_tests::fixtures::EndsEarly::PROCESS.is_resumable());
    let cursor = (process.parameters)().pop();
    assert!(matches!(cursor, Some(ParameterInfo::Cursor { type_name }) if type_name.ends_with("Place")));
    let run = TestRun::with(WithFieldsInput { times: 2 });
    let run = run.cursor(Place { file: "b.csv".into(), line: 7 }).execute().await.unwrap();
    assert_eq!(run.result_as::<Place>().unwrap(), Place { file: "b.csv".into(), line: 9 });
}
