//! A test run begins with the same checks and defaults as a real one, or states what is missing.

use std::sync::Arc;

use process_runtime::RunStatus;
use process_runtime::prelude::*;
use process_runtime::testing::{TestError, TestRun};
use process_tests::fixtures::{Count, Traces};
use serde::Serialize;
use serde_json::json;

#[derive(Serialize)]
struct Given {
    rows: u16,
    only_new: Option<bool>,
}

/// Returns its input.
#[process(title = "Echoing")]
async fn echo(
    #[field(default = 10)] rows: u16,
    #[field(default = true)] only_new: bool,
    note: Option<String>,
) -> Result<(u16, bool, Option<String>), String> {
    Ok((rows, only_new, note))
}

#[tokio::test]
async fn omitted_fields_use_defaults() {
    let run = TestRun::of::<Echo>().execute().await.unwrap();
    assert_eq!(run.result, json!([10, true, null]));
    let run = TestRun::of::<Echo>().input(json!({ "rows": "7", "note": "n" })).execute().await.unwrap();
    assert_eq!(run.result_as::<(u16, bool, Option<String>)>().unwrap(), (7, true, Some("n".into())));
    let run = TestRun::of::<Echo>().input(Given { rows: 3, only_new: None }).execute().await.unwrap();
    assert_eq!(run.result, json!([3, true, null]));
}

#[tokio::test]
async fn invalid_input_error_names_every_field() {
    let input = json!({ "rows": "many", "only_new": false, "row": 3 });
    let error = TestRun::of::<Echo>().input(input).execute().await.unwrap_err();
    let TestError::Input(errors) = &error else { panic!("{error}") };
    assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["rows", "row"]);
    let text = error.to_string();
    assert!(text.contains("\n  rows: ") && text.contains("the fields are: rows, only_new, note"), "{text}");
    assert_eq!(format!("{error:?}"), text);
    for input in [json!([1]), json!("rows=1")] {
        let error = TestRun::of::<Echo>().input(input).execute().await.unwrap_err();
        assert_eq!(error.to_string(), "the input must be an object with one entry a field");
    }
}

/// Takes two types of state.
#[process(title = "Demanding")]
async fn demand(_traces: State<Traces>, _name: State<String>) {}

#[tokio::test]
async fn missing_state_error_names_type() {
    let error = TestRun::of::<Demand>().execute().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "Demand takes state that the test does not provide:\n  State<process_tests::fixtures::Traces>\
         \n  State<alloc::string::String>\nadd it with TestRun::of::<Demand>().state(value), one call per type"
    );
    let wrapped = TestRun::of::<Demand>().state(Arc::new(Traces::default())).state("Ada".to_owned());
    let error = wrapped.execute().await.unwrap_err().to_string();
    assert!(error.contains("state(…) was given an Arc<Traces>: pass it to state_arc(…)"), "{error}");
    let run = TestRun::of::<Demand>().state(Traces::default()).state("Ada".to_owned()).execute().await;
    assert_eq!(run.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test]
async fn state_arc_is_given_back() {
    let traces = Arc::new(Traces::default());
    let run = TestRun::of::<Count>().state_arc(Arc::clone(&traces)).input(json!({ "pause": 0 }));
    let run = run.execute().await.unwrap();
    assert_eq!(run.result["total"], 5);
    assert_eq!(Arc::into_inner(traces).unwrap().bodies_started.into_inner(), 1);
}

#[tokio::test]
async fn steps_are_counted_from_1() {
    for run in [TestRun::of::<Echo>().kill_at(0), TestRun::of::<Echo>().cancel_at(0)] {
        let error = run.execute().await.unwrap_err();
        assert_eq!(error.to_string(), "steps are counted from 1: there is no step 0");
    }
}
