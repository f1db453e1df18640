//! The data of a run besides bar, text and log: stages, counts, warnings and failed items.

use std::time::Duration;

use process_tests::server::json;
use process_tests::{Event, Server};
use serde_json::{Value, json};

/// The counts of a run of `tells` after this many items.
fn figures(items: u64) -> Value {
    let failed = items / 3;
    let mut counts = json!({ "imported": items - failed, "bytes": items * (items + 1) / 2 });
    if failed > 0 {
        counts["failed"] = failed.into();
    }
    counts
}

fn failed_item(item: u64) -> Value {
    json!({ "item": format!("row {item}"), "reason": "it has <b>no</b>\n\nname" })
}

fn names(stages: &Value) -> Vec<&str> {
    stages.as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect()
}

async fn ask(server: &Server, run: &str, what: &str) {
    assert_eq!(server.post(&format!("{run}/{what}")).send().await.unwrap().status(), 200);
}

/// The run as JSON, once it has counted this many.
async fn until_imported(server: &Server, run: &str, imported: u64) -> Value {
    let mut events = server.events(run).await;
    events.until(|event| event.data["counts"]["imported"] == imported).await;
    json(server.get(run).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn run_reports_stages_counts_and_failures() {
    let server = Server::start().await;
    let run = server.run("tells", json!({ "items": 9 })).await;
    let ended = server.ended(&run).await;
    assert_eq!(ended["status"], "succeeded");
    assert_eq!(ended["counts"], figures(9));
    let order: Vec<_> = ended["counts"].as_object().unwrap().keys().collect();
    assert_eq!(order, ["imported", "bytes", "failed"], "in order of first use");
    // One warning, and each failed item is an error in the log.
    assert_eq!(ended["warnings"], 4);
    assert_eq!(ended["failed_items"], json!([failed_item(3), failed_item(6), failed_item(9)]));
    let [reading] = &ended["stages"].as_array().unwrap()[..] else { panic!("{ended}") };
    assert_eq!(
        (&reading["name"], &reading["index"], &reading["of"]),
        (&json!("Reading"), &json!(1), &json!(2))
    );
    let took = reading["elapsed_ms"].as_u64().unwrap();
    assert!((20..10_000).contains(&took), "{ended}");
    let began = ended["stage"]["started_ms"].as_u64().unwrap();
    assert!((took..=ended["elapsed_ms"].as_u64().unwrap()).contains(&began), "{ended}");
    let log = server.get(&format!("{run}/log?level=error")).send().await.unwrap().text().await.unwrap();
    let lines: Vec<_> = log.lines().map(|line| line.split(" ERROR ").nth(1).unwrap()).collect();
    assert_eq!(lines[0], "row 3: it has <b>no</b>\\n\\nname");
    assert_eq!(lines.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn live_viewers_get_stages_and_failures() {
    let server = Server::start().await;
    let run = server.run("tells", json!({ "items": 8, "hold": 7 })).await;
    until_imported(&server, &run, 5).await;
    // The cache of snapshots has expired.
    tokio::time::sleep(Duration::from_millis(150)).await;
    let mut late = server.events(&run).await;
    let Some(Event { name, data, .. }) = late.next().await else { panic!("nothing came") };
    assert_eq!((name.as_str(), &data["counts"]), ("snapshot", &figures(7)));
    assert_eq!(data["failed_items"], json!([failed_item(3), failed_item(6)]));
    ask(&server, &run, "cancel").await;
    let events = late.all().await;
    let progress: Vec<_> = events.iter().filter(|event| event.name == "progress").collect();
    assert!(!progress.is_empty());
    for event in progress {
        assert_eq!((&event.data["counts"], &event.data["warnings"]), (&figures(7), &json!(3)));
        assert_eq!(names(&event.data["stages"]), ["Reading"]);
        assert_eq!(event.data.get("failed_items"), None, "it would be sent 20 times a second");
    }
    let end = events.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["status"]), ("end", &json!("cancelled")));
    assert_eq!(end.data["failed_items"], json!([failed_item(3), failed_item(6)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn resumed_run_keeps_its_counts() {
    let server = Server::start().await;
    let run = server.run("tells", json!({ "items": 9, "hold": 4 })).await;
    until_imported(&server, &run, 3).await;
    ask(&server, &run, "pause").await;
    let paused = server.until_status(&run, "paused").await;
    assert_eq!((&paused["counts"], &paused["warnings"]), (&figures(4), &json!(2)));
    let Server { processes, folder, .. } = server;
    processes.drain(Duration::from_secs(1)).await;
    let store = processes.store().clone();
    drop(processes);
    // The same store as a new program would open it.
    let server = Server::built(folder, "", |builder| builder.store(store)).await;
    let found = json(server.get(&run).send().await.unwrap()).await;
    assert_eq!((&found["counts"], &found["failed_items"]), (&figures(4), &json!([failed_item(3)])));
    ask(&server, &run, "resume").await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!((&ended["counts"], &ended["warnings"]), (&figures(9), &json!(4)));
    assert_eq!(ended["failed_items"], json!([failed_item(3), failed_item(6), failed_item(9)]));
    // Its stages: the body started over, after the stage in which it was paused.
    assert_eq!(names(&ended["stages"]), ["Reading", "Writing", "Reading"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempt_without_cursor_resets_counts() {
    let server = Server::start().await;
    let run = server.run("tells-anew", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(ended["counts"], json!({ "attempt 2": 1, "failed": 1 }));
    assert_eq!(ended["failed_items"], json!([{ "item": "2", "reason": "it was to fail" }]));
    assert_eq!(names(&ended["stages"]), ["Attempt 2"]);
    // Two items, and that the first attempt failed: as many as the log has.
    let log = server.get(&format!("{run}/log?level=warn")).send().await.unwrap().text().await.unwrap();
    assert_eq!((ended["warnings"].as_u64(), log.lines().count()), (Some(3), 3), "{log}");
}

/// The percentages of the run and of the stage when the second stage of `takes-turns` has begun.
async fn second_stage(server: &Server, run: &str) -> Value {
    let mut events = server.events(run).await;
    let began = events
        .until(|event| event.data["stage"]["index"] == 2 && event.data["stage"]["percent"] == 0.0)
        .await;
    began.last().unwrap().data["percent"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_weigh_as_in_earlier_runs() {
    let server = Server::start().await;
    let first = server.run("takes-turns", json!({})).await;
    assert_eq!(second_stage(&server, &first).await, 50.0, "all stages weigh the same at first");
    let first = server.ended(&first).await;
    assert_eq!((&first["percent"], &first["stage"]["percent"]), (&json!(100.0), &json!(100.0)));
    let second = server.run("takes-turns", json!({})).await;
    let percent = second_stage(&server, &second).await.as_f64().unwrap();
    assert!((2.0..40.0).contains(&percent), "{percent}");
    // They are stored with the run.
    let weights = server.ended(&second).await["stage_weights"].clone();
    assert_eq!(weights.as_array().unwrap().len(), 2, "{weights}");
    assert!(weights[1].as_u64().unwrap() > weights[0].as_u64().unwrap(), "{weights}");
}
