//! A body that logs without a pause: every line reaches every viewer and the store, and what waits is bounded.

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use process_runtime::store::LogFilter;
use process_runtime::{RunEvent, RunId};
use process_tests::events::line_numbers;
use process_tests::stepwise::Stepwise;
use process_tests::{Event, Server};
use serde_json::{Value, json};

fn id_of(run: &str) -> RunId {
    run.trim_start_matches("/runs/").parse().unwrap()
}

/// The numbers of the lines that a program is told.
async fn followed(server: &Server, run: &str) -> Vec<u64> {
    let handle = server.processes.handle(id_of(run));
    let events = handle.events().await.unwrap().unwrap();
    let numbers = events.filter_map(async |event| match event.unwrap() {
        RunEvent::Log(line) => Some(line.seq),
        RunEvent::Omitted { after, lines } => panic!("{lines} omitted after {after}"),
        _ => None,
    });
    numbers.collect().await
}

/// The numbers in the texts that a plain client is told.
async fn told_in_messages(server: &Server, run: &str) -> Vec<u64> {
    let stream = server.get(&format!("{run}/events?format=message")).send().await.unwrap();
    let text = stream.text().await.unwrap();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let messages = data.map(|data| serde_json::from_str::<Value>(data).unwrap()["message"].clone());
    messages.filter_map(|message| number(message.as_str().unwrap())).collect()
}

/// The number of a line that begins with it.
fn number(text: &str) -> Option<u64> {
    text.strip_prefix("line ")?.split(' ').next()?.parse().ok()
}

#[tokio::test]
async fn every_line_of_a_flood_reaches_everybody() {
    let server = Server::start().await;
    for (lines, bytes) in [(5_000, 0), (8_000, 300), (20_000, 0), (44_000, 0)] {
        let mut flood = Stepwise::of(&server, "pours", json!({ "lines": lines, "bytes": bytes })).await;
        let run = flood.run.clone();
        let streams = join_all([(); 3].map(|()| server.events(&run))).await;
        let watching = async {
            let streams = join_all(streams.into_iter().map(|stream| stream.all()));
            futures_util::join!(streams, followed(&server, &run), told_in_messages(&server, &run))
        };
        let ((), (streams, followed, messages)) = futures_util::join!(flood.go_on(), watching);
        let all = |numbers: Vec<u64>, who: &str| {
            let gap = numbers.iter().zip(1..).find(|(number, expected)| **number != *expected);
            assert_eq!((gap, numbers.len() as u64), (None, lines), "{who}, of {lines}");
        };
        for events in streams {
            let names: Vec<_> = events.iter().filter(|event| event.name == "omitted").collect();
            assert_eq!(names, Vec::<&Event>::new());
            all(line_numbers(&events), "a stream");
            assert_eq!(events.last().unwrap().name, "end");
        }
        all(followed, "a program");
        all(messages, "a plain client");
        let store = server.processes.store();
        let stored = store.log(id_of(&run), LogFilter::default()).await.unwrap();
        all(stored.iter().map(|line| line.seq).collect(), "the store");
        let file = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
        let numbers = file.lines().map(|line| number(line.split_once("INFO ").unwrap().1).unwrap());
        all(numbers.collect(), "a download");
    }
}
