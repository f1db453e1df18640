//! Every reported value is recorded in order, from anywhere in the run.

use process_runtime::prelude::*;
use process_runtime::testing::TestRun;
use process_runtime::{
    RunStatus,
    run::{FailedItem, Level, Stage},
};
use process_tests::fixtures::{OddValues, Race, SaysNothing, Spreads};
use serde_json::{Value, json};

/// Makes one report of each kind.
#[process(title = "Talking")]
async fn talk(progress: Progress) -> Result<(), std::io::Error> {
    process_start("Talking, really");
    set_progress(f64::NAN);
    set_progress_of(1, 3);
    set_progress_of(1, 3);
    set_progress_text("one of three");
    progress.set_progress(50);
    stage("Listening");
    log("nobody answers");
    stage_of(3, 4, "Leaving");
    set_progress(12.345);
    warn("it is late");
    set_progress_text("one of three");
    for text in ["old", "new"] {
        let path = std::env::temp_dir().join(format!("talk-{}", process_runtime::RunId::new()));
        std::fs::write(&path, text)?;
        artifact("said.txt", &path)?;
    }
    if artifact("lost.txt", "/no/such/file").is_err() {
        log("a file was lost");
    }
    set_progress(100);
    Ok(())
}

#[tokio::test]
async fn every_value_is_recorded_in_order() {
    let run = TestRun::of::<Talk>().execute().await.unwrap();
    assert_eq!((run.status, &run.error, run.killed), (RunStatus::Succeeded, &None, false));
    let percents = [None, Some(33.33), Some(50.0), None, Some(53.08), Some(75.0)];
    assert_eq!(run.percents, percents);
    assert_eq!(run.texts, ["one of three", "one of three"]);
    assert_eq!(run.titles, ["Talking, really"]);
    let leaving = Stage { name: "Leaving".into(), index: Some(3), of: Some(4), ..Stage::default() };
    assert_eq!(run.stages, [Stage { name: "Listening".into(), ..Stage::default() }, leaving]);
    assert_eq!(run.log_texts(), ["nobody answers", "it is late", "a file was lost"]);
    assert_eq!(run.warnings(), ["it is late"]);
    assert_eq!(run.log.iter().map(|line| line.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(run.log[1].level, Level::Warn);
    assert_eq!((run.steps, run.dropped), (17, 0));
}

/// Counts, and has items that fail.
#[process(title = "Counting outcomes")]
async fn outcomes(progress: Progress) {
    tally("sent");
    progress.tally_of("bytes", 40);
    item_failed(7, "it has no name");
    progress.tally("sent");
}

#[tokio::test]
async fn counts_and_failed_items_are_recorded() {
    let run = TestRun::of::<Outcomes>().execute().await.unwrap();
    assert_eq!(run.counts.iter().collect::<Vec<_>>(), [("sent", 2), ("bytes", 40), ("failed", 1)]);
    let failed = FailedItem { item: "7".into(), reason: "it has no name".into() };
    assert_eq!((run.failed_items, run.steps), (vec![failed], 4));
    assert_eq!((run.log[0].level, run.log[0].text.as_str()), (Level::Error, "7: it has no name"));
    let killed = TestRun::of::<Outcomes>().kill_at(3).execute().await.unwrap();
    assert_eq!((killed.failed_items.len(), killed.counts.get("sent")), (1, 1));
}

#[tokio::test]
async fn files_live_while_result_is_held() {
    let run = TestRun::of::<Talk>().execute().await.unwrap();
    let [file] = &run.files[..] else { panic!("{:?}", run.files) };
    assert_eq!((file.name.as_str(), file.size), ("said.txt", 3));
    assert_eq!(std::fs::read_to_string(&file.path).unwrap(), "new");
    assert_eq!((run.file("said.txt"), run.file("lost.txt")), (Some(file), None));
    let folder = file.path.parent().unwrap().to_owned();
    drop(run);
    assert!(!folder.exists());
}

#[tokio::test]
async fn reports_come_from_tasks_and_threads() {
    let run = TestRun::of::<Spreads>().execute().await.unwrap();
    let mut texts = run.log_texts();
    texts.sort_unstable();
    assert_eq!(texts, ["from a blocking task", "from a task", "from a thread"]);
    assert_eq!((run.steps, run.result), (3, json!(3)));
}

/// Reports from eight threads at once.
#[process(title = "Crowding")]
async fn crowd(progress: Progress) {
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let progress = progress.clone();
            scope.spawn(move || {
                for index in 0..1_000 {
                    progress.set_progress_text(format!("{thread}-{index}"));
                    progress.set_progress_of(index, 1_000);
                }
            });
        }
    });
}

#[tokio::test]
async fn parallel_reports_lose_nothing() {
    let run = TestRun::of::<Crowd>().execute().await.unwrap();
    assert_eq!((run.steps, run.texts.len()), (16_000, 8_000));
    let of_one: Vec<_> = run.texts.iter().filter(|text| text.starts_with("3-")).cloned().collect();
    assert_eq!(of_one, (0..1_000).map(|index| format!("3-{index}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn million_reports_make_few_changes() {
    let run = TestRun::of::<Race>().input(json!({ "steps": 1_000_000 })).execute().await.unwrap();
    assert_eq!((run.steps, run.percents.len(), run.dropped), (1_000_000, 10_001, 0));
    assert!(run.percents.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn odd_values_recorded_as_viewers_see() {
    let run = TestRun::of::<OddValues>().execute().await.unwrap();
    assert_eq!(run.titles, ["A title event: end"]);
    let percents = [None, Some(0.0), Some(100.0), None, Some(100.0), Some(0.0), None, Some(99.5)];
    assert_eq!(run.percents, percents);
    assert!(run.texts[0].ends_with("… [cut: 10000000 bytes in all]"));
}

#[tokio::test]
async fn silent_process_records_nothing() {
    let run = TestRun::of::<SaysNothing>().execute().await.unwrap();
    assert_eq!((run.status, &run.result, run.steps), (RunStatus::Succeeded, &Value::Null, 0));
    assert!(run.percents.is_empty() && run.texts.is_empty() && run.titles.is_empty());
    assert!(run.stages.is_empty() && run.log.is_empty() && run.files.is_empty());
}
