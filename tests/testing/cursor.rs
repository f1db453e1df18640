//! A killed run resumes from its cursor, and the test counts how often each item was processed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use process_runtime::prelude::*;
use process_runtime::testing::{TestError, TestRun, TestedRun};
use process_runtime::{RunStatus, parameter::ParameterInfo};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The processed items, in order.
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
    for item in items.checkpoint(&cursor, |item| (*item).clone()).progress_of(ITEMS.len()) {
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

/// Kills it at every step; each time it resumes, is killed at every step again, and resumes to its end.
async fn kill_and_go_on<C: Controller>() {
    let run = |done: &Arc<Done>| TestRun::of::<C>().state_arc(Arc::clone(done));
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
            // Each kill repeats only the current item.
            assert!(done.len() <= ITEMS.len() + 2, "at {first} and {second}: {done:?}");
            if !again.killed {
                break;
            }
            kills += 1;
        }
    }
}

#[tokio::test]
async fn numbered_run_repeats_at_most_one() {
    kill_and_go_on::<ByNumber>().await;
}

#[tokio::test]
async fn keyed_run_repeats_at_most_one() {
    kill_and_go_on::<ByKey>().await;
}

#[tokio::test]
async fn stream_run_repeats_at_most_one() {
    kill_and_go_on::<FromAStream>().await;
}

#[tokio::test]
async fn manual_save_repeats_at_most_one() {
    kill_and_go_on::<ByHand>().await;
}

async fn by_number_at(cursor: impl Serialize) -> Result<TestedRun, TestError> {
    TestRun::of::<ByNumber>().state(Done::default()).cursor(cursor).execute().await
}

#[tokio::test]
async fn last_save_before_kill_counts() {
    // The bar, a log line, a text, the bar again, the save.
    let run = TestRun::of::<ByNumber>().state(Done::default()).kill_at(5).execute().await.unwrap();
    assert_eq!((run.steps, run.cursor), (5, Some(json!(1))));
}

#[tokio::test]
async fn unsaved_run_resumes_at_old_cursor() {
    let run = TestRun::of::<ByNumber>().state(Done::default()).cursor(3).kill_at(1).execute().await.unwrap();
    assert_eq!((run.killed, run.cursor), (true, Some(json!(3))));
    let run = by_number_at(None::<Value>).await.unwrap();
    assert_eq!((run.log.len(), run.cursor), (5, Some(json!(5))));
}

#[tokio::test]
async fn wrong_cursor_kind_fails_run() {
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
async fn cursor_makes_process_resumable() {
    let process = WithFields::PROCESS;
    assert_eq!(process.fields().len(), 1);
    assert!(process.is_resumable());
    assert!(!process_tests::fixtures::EndsEarly::PROCESS.is_resumable());
    let cursor = (process.parameters)().pop();
    assert!(matches!(cursor, Some(ParameterInfo::Cursor { type_name, .. }) if type_name.ends_with("Place")));
    let run = TestRun::with(WithFieldsInput { times: 2 });
    let run = run.cursor(Place { file: "b.csv".into(), line: 7 }).execute().await.unwrap();
    assert_eq!(run.result_as::<Place>().unwrap(), Place { file: "b.csv".into(), line: 9 });
}

/// Sends letters, eight at a time, and saves its position in the requested way.
#[process(title = "Sending eight at a time")]
async fn send_eight_at_a_time(done: State<Done>, cursor: Cursor<u64>, place: String) {
    let done = done.into_inner();
    let send = |letter: u64| {
        let done = Arc::clone(&done);
        async move {
            // The first of each eight takes longest: the others complete before it.
            for _ in 0..8 - letter % 8 {
                tokio::task::yield_now().await;
            }
            done.add(letter);
            process_runtime::set_progress_text(format!("letter {letter} is sent"));
            letter
        }
    };
    let letters = futures_util::stream::iter(0..20_u64);
    match place.as_str() {
        "at the end" => {
            let rest = letters.skip(cursor.get().map_or(0, |last| last as usize + 1));
            let sent = rest.map(send).buffered(8).checkpoint(&cursor, |letter| *letter);
            sent.for_each(|_| async {}).await;
        }
        "behind" => letters.map(send).buffered(8).resume_from(&cursor).for_each(|_| async {}).await,
        "in front" => letters.resume_from(&cursor).map(send).buffered(8).for_each(|_| async {}).await,
        _ => {
            let rest = letters.skip(cursor.get().map_or(0, |last| last as usize + 1));
            let sent = rest.map(send).buffer_unordered(8).checkpoint(&cursor, |letter| *letter);
            sent.for_each(|_| async {}).await;
        }
    }
}

/// How often each letter was sent by a run that was killed at this step and resumed, and its warnings.
async fn sent(place: &str, step: u64) -> Option<(Vec<usize>, TestedRun)> {
    let done = Arc::new(Done::default());
    let run =
        || TestRun::of::<SendEightAtATime>().state_arc(Arc::clone(&done)).input(json!({ "place": place }));
    let killed = run().kill_at(step).execute().await.unwrap();
    if !killed.killed {
        return None;
    }
    let ended = run().resume(&killed).execute().await.unwrap();
    assert_eq!(ended.status, RunStatus::Succeeded);
    let all = done.all();
    let times = (0..20).map(|letter: u64| all.iter().filter(|sent| **sent == letter.to_string()).count());
    Some((times.collect(), ended))
}

#[tokio::test]
async fn checkpoint_after_parallel_work_loses_nothing() {
    for step in 1.. {
        let Some((times, ended)) = sent("at the end", step).await else { break };
        assert!(times.iter().all(|times| (1..=2).contains(times)), "at {step}: {times:?}");
        assert!(times.iter().sum::<usize>() <= 20 + 8, "at {step}: {times:?}");
        assert!(ended.warnings().is_empty());
    }
}

#[tokio::test]
async fn checkpoint_behind_parallel_work_warns() {
    let mut repeated = 0;
    for step in 1.. {
        let Some((times, ended)) = sent("behind", step).await else { break };
        assert!(times.iter().all(|times| *times >= 1), "at {step}: {times:?}");
        repeated = repeated.max(times.iter().filter(|times| **times > 1).count());
        let warned = ended.warnings().iter().any(|line| line.contains("resume_from comes after buffered"));
        assert_eq!(warned, ended.warnings().len() == 1, "{:?}", ended.warnings());
        assert!(warned || times.iter().sum::<usize>() <= 20 + 8, "at {step}: {times:?}");
    }
    assert!(repeated > 16, "the documentation says that all is done again, and {repeated} letters were");
}

#[tokio::test]
async fn checkpoint_before_parallel_work_loses_items() {
    let mut left_out = 0;
    for step in 1.. {
        let Some((times, _)) = sent("in front", step).await else { break };
        left_out = left_out.max(times.iter().filter(|times| **times == 0).count());
    }
    assert!((1..=8).contains(&left_out), "the documentation says up to eight, and {left_out} were");
}

#[tokio::test]
async fn keys_saved_out_of_order_warn() {
    let mut left_out = 0;
    for step in 1.. {
        let Some((times, ended)) = sent("unordered", step).await else { break };
        left_out = left_out.max(times.iter().filter(|times| **times == 0).count());
        assert!(ended.warnings()[0].contains("checkpoint comes after buffer_unordered"));
    }
    assert!(left_out > 0, "the documentation says that items are left out");
}
