//! A run is followed from Rust: every log line once and in order, the latest progress, and the end.

use futures_util::StreamExt as _;
use process_runtime::{RunEvent, RunStatus};
use process_tests::Server;
use process_tests::fixtures::{Count, CountInput};

fn lines(events: &[RunEvent]) -> Vec<String> {
    let logged = events.iter().filter_map(|event| match event {
        RunEvent::Log(line) => Some(line.text.clone()),
        _ => None,
    });
    logged.collect()
}

#[tokio::test]
async fn events_run_from_snapshot_to_end() {
    let server = Server::start().await;
    let run = Count::start(&server.processes, CountInput { total: 4_000, pause: 0 }).await.unwrap();
    let events = run.events().await.unwrap();
    let events: Vec<RunEvent> = events.map(Result::unwrap).collect().await;
    assert!(matches!(&events[0], RunEvent::Snapshot(run) if !run.status.is_terminal()), "{:?}", events[0]);
    let all: Vec<String> = (1..=4_000).map(|step| format!("line {step}")).collect();
    assert_eq!(lines(&events), all);
    let progress = events.iter().filter(|event| matches!(event, RunEvent::Progress(_))).count();
    assert!(progress >= 1, "{progress}");
    let Some(RunEvent::End(end)) = events.last() else { panic!("{:?}", events.last()) };
    assert_eq!(end.status, RunStatus::Succeeded);
    // A late subscriber gets the same events.
    let mut late = run.events().await.unwrap();
    let mut told = Vec::new();
    while let Some(event) = late.next().await {
        told.push(event.unwrap());
    }
    assert_eq!(lines(&told), all);
    assert!(matches!(told.last(), Some(RunEvent::End(_))));
}

#[tokio::test]
async fn shutdown_ends_events_without_end() {
    let server = Server::start().await;
    let run = Count::start(&server.processes, CountInput { total: 1_000, pause: 50 }).await.unwrap();
    let mut events = run.events().await.unwrap();
    assert!(matches!(events.next().await, Some(Ok(RunEvent::Snapshot(_)))));
    server.processes.shut_down();
    let mut rest = Vec::new();
    while let Some(event) = events.next().await {
        rest.push(event.unwrap());
    }
    assert!(!rest.iter().any(|event| matches!(event, RunEvent::End(_))), "{rest:?}");
}
