//! One stream for many runs: each has the same events as alone, with its id.

use process_tests::events::line_numbers;
use process_tests::server::json as json_of;
use process_tests::{Event, Events, Server};
use serde_json::json;

fn id(run: &str) -> &str {
    run.rsplit('/').next().unwrap()
}

/// The events of one run among those of many.
fn of<'a>(events: &'a [Event], run: &str) -> Vec<&'a Event> {
    let names = |event: &Event| event.data["run"] == id(run) || event.data["id"] == id(run);
    events.iter().filter(|event| names(event)).collect()
}

fn names<'a>(events: &[&'a Event]) -> Vec<&'a str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn watch(server: &Server, query: &str) -> Events {
    Events::of(server.get(&format!("/events?{query}")).send().await.unwrap())
}

#[tokio::test]
async fn every_run_streams_snapshot_to_end() {
    for server in [Server::start().await, Server::nested("/jobs").await] {
        let one = server.run("count", json!({ "total": 3, "pause": 60 })).await;
        let other = server.run("count", json!({ "total": 40, "pause": 5 })).await;
        let events = watch(&server, &format!("run={}&run={}", id(&one), id(&other))).await.all().await;
        for (run, lines) in [(&one, 3), (&other, 40)] {
            let events = of(&events, run);
            assert_eq!((names(&events)[0], names(&events).last()), ("snapshot", Some(&"end")));
            let events: Vec<Event> = events.into_iter().cloned().collect();
            assert!(line_numbers(&events).into_iter().eq(1..=lines));
        }
        assert_eq!(of(&events, &one).len() + of(&events, &other).len(), events.len());
        let counted = of(&events, &one);
        let last = counted.iter().rfind(|event| event.name == "progress").unwrap();
        assert_eq!(last.data["percent"], 100.0);
    }
}

#[tokio::test]
async fn pending_events_are_json_on_request() {
    let server = Server::start().await;
    let one = server.run("count", json!({ "total": 40, "pause": 5 })).await;
    let other = server.run("count", json!({ "total": 60, "pause": 5 })).await;
    let mut last = std::collections::BTreeMap::new();
    let mut events: Vec<Event> = Vec::new();
    let has_ended = |events: &[Event], run| of(events, run).iter().any(|event| event.name == "end");
    while !has_ended(&events, &one) || !has_ended(&events, &other) {
        let seen: String = last.values().map(|id| format!("&last={id}")).collect();
        let path = format!("/events?run={}&run={}{seen}", id(&one), id(&other));
        let response = server.get(&path).header("accept", "application/json").send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let list: serde_json::Value = json_of(response).await;
        for entry in list.as_array().unwrap() {
            let (data, position) = (entry["data"].clone(), entry["id"].as_str().unwrap().to_owned());
            let run = data.get("run").unwrap_or(&data["id"]).as_str().unwrap().to_owned();
            last.insert(run, position.clone());
            let name = entry["event"].as_str().unwrap().to_owned();
            events.push(Event { id: position, name, data });
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    for (run, lines) in [(&one, 40), (&other, 60)] {
        let events: Vec<Event> = of(&events, run).into_iter().cloned().collect();
        assert!(line_numbers(&events).into_iter().eq(1..=lines), "{events:?}");
    }
    let seen: String = last.values().map(|id| format!("&last={id}")).collect();
    let path = format!("/events?run={}&run={}{seen}", id(&one), id(&other));
    assert_eq!(server.get(&path).header("accept", "application/json").send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn progress_stream_omits_the_log() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 5, "pause": 60 })).await;
    let events = watch(&server, &format!("progress={}", id(&run))).await.all().await;
    assert!(events[0].data.get("log").is_none());
    assert!(events.iter().all(|event| event.name != "log"));
    assert!(events.iter().any(|event| event.name == "progress"));
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
}

#[tokio::test]
async fn finished_stream_reconnect_is_204() {
    let server = Server::start().await;
    let runs =
        [server.run("count", json!({ "total": 1 })).await, server.run("says-nothing", json!({})).await];
    let query = format!("run={}&progress={}", id(&runs[0]), id(&runs[1]));
    let ask = || server.get(&format!("/events?{query}"));
    let text = ask().send().await.unwrap().text().await.unwrap();
    let last = text.lines().filter_map(|line| line.strip_prefix("id: ")).next_back().unwrap();
    assert_eq!(ask().header("last-event-id", last).send().await.unwrap().status(), 204);
    // A client may send its last position in each run.
    let ends: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .filter(|id| id.ends_with("-end") && *id != last)
        .collect();
    assert_eq!(ends.len(), 2);
    let both = format!("/events?{query}&last={}&last={}", ends[0], ends[1]);
    assert_eq!(server.get(&both).send().await.unwrap().status(), 204);
    // A client that has seen only one end gets the other.
    let one = ask().header("last-event-id", ends[0]).send().await.unwrap();
    assert_eq!(Events::of(one).all().await.iter().filter(|event| event.name == "end").count(), 2);
}

#[tokio::test]
async fn reconnect_resumes_each_run() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 60, "pause": 10 })).await;
    let other = server.run("wait", json!({})).await;
    let query = format!("run={}&run={}", id(&run), id(&other));
    let mut watching = watch(&server, &query).await;
    let first = watching.until(|event| event.data["seq"].as_u64() >= Some(20)).await;
    drop(watching);
    let last = &first.last().unwrap().id;
    let mut watching = watch(&server, &format!("{query}&last={last}")).await;
    let rest = watching.until(|event| event.name == "end").await;
    let lines: Vec<Event> = first.into_iter().chain(rest).filter(|event| !of_other(event, &other)).collect();
    assert!(line_numbers(&lines).into_iter().eq(1..=60));
}

fn of_other(event: &Event, other: &str) -> bool {
    !of(std::slice::from_ref(event), other).is_empty()
}

#[tokio::test]
async fn missing_run_is_gone_others_continue() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 2 })).await;
    let nobody = process_runtime::RunId::new().to_string();
    let events = watch(&server, &format!("run={nobody}&run={}", id(&run))).await.all().await;
    assert_eq!((events[0].name.as_str(), &events[0].data), ("gone", &json!({ "run": nobody })));
    assert_eq!(names(&of(&events, &run)).last(), Some(&"end"));
    let alone = server.get(&format!("/events?run={nobody}")).send().await.unwrap();
    assert_eq!(alone.status(), 404);
}

#[tokio::test]
async fn unknown_or_excess_runs_are_refused() {
    let server = Server::start().await;
    let many: String = (0..101).map(|_| format!("progress={}&", process_runtime::RunId::new())).collect();
    for (query, says) in [("", "run={id}"), ("run=latest", "run=latest"), (&many, "100 runs")] {
        let answer = server.get(&format!("/events?{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let detail = json_of(answer).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{detail}");
    }
}

#[tokio::test]
async fn head_opens_no_stream() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let url = format!("{}/events?run={}", server.url, id(&run));
    let answer = server.client.head(url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert!(answer.bytes().await.unwrap().is_empty());
}
