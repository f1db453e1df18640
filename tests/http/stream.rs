//! What every viewer is promised: a snapshot first, no line lost or doubled, the last value, the end.

use std::collections::HashMap;
use std::time::Duration;

use process_tests::events::line_numbers;
use process_tests::stepwise::Stepwise;
use process_tests::{Event, Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

#[tokio::test]
async fn stream_has_snapshot_progress_log_end() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 3, "pause": 60 })).await;
    let response = server.get(&format!("{run}/events")).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "no-store, no-transform");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let events = Events::of(response).all().await;
    assert_eq!(names(&events)[0], "snapshot");
    assert_eq!(names(&events).last(), Some(&"end"));
    assert_eq!(line_numbers(&events), [1, 2, 3]);
    assert!(events.iter().all(|event| !event.id.is_empty() && event.id.len() <= 64));
    let last = events.iter().rfind(|event| event.name == "progress").unwrap();
    assert_eq!((&last.data["percent"], &last.data["text"]), (&json!(100.0), &json!("Step 3")));
    let end = &events.last().unwrap().data;
    assert_eq!(end["status"], "succeeded");
    assert_eq!(end["result"], json!({ "message": "Counted", "total": 3 }));
    assert!(end["elapsed_ms"].as_u64().unwrap() >= 180);
}

#[tokio::test]
async fn late_viewer_reaches_same_state() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 20, "pause": 20 })).await;
    let mut watching = server.events(&run).await;
    let mut early = watching.until(|event| event.data["current"].as_u64() >= Some(5)).await;
    let late = server.events(&run).await.all().await;
    early.extend(watching.all().await);
    assert_eq!(early.last(), late.last());
    let last_progress = |events: &[Event]| events.iter().rfind(|e| e.name == "progress").cloned();
    assert_eq!(last_progress(&early), last_progress(&late));
    assert_eq!(line_numbers(&early), line_numbers(&late));
    assert!(late[0].data["log"]["lines"].as_array().unwrap().len() > 2);
}

#[tokio::test]
async fn reconnect_loses_no_line() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 60, "pause": 15 })).await;
    let mut events = Vec::new();
    let mut last = None;
    let mut connections = 0;
    loop {
        let mut request = server.get(&format!("{run}/events"));
        if let Some(id) = &last {
            request = match connections % 2 {
                0 => request.header("last-event-id", id),
                _ => server.get(&format!("{run}/events?last={id}")),
            };
        }
        let response = request.send().await.unwrap();
        if response.status() == 204 {
            break;
        }
        connections += 1;
        let mut stream = Events::of(response);
        // Hangs up after a few events, wherever that is.
        for _ in 0..2 + connections % 5 {
            let Some(event) = stream.next().await else { break };
            last = Some(event.id.clone());
            events.push(event);
        }
    }
    assert!(connections > 5, "{connections}");
    assert_eq!(line_numbers(&events), (1..=60).collect::<Vec<_>>());
    assert_eq!(events.last().unwrap().name, "end");
}

/// A client like some libraries: it applies an id as soon as it reads the line, and drops the incomplete event.
#[derive(Default)]
struct Eager {
    id: String,
    data: Vec<Value>,
    lines: Vec<u64>,
}

impl Eager {
    /// Processes all complete lines.
    fn take(&mut self, text: &[u8]) {
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        for line in std::str::from_utf8(&text[..whole]).unwrap().lines() {
            if let Some(data) = line.strip_prefix("data: ") {
                self.data.push(serde_json::from_str(data).unwrap());
                continue;
            }
            if let Some(id) = line.strip_prefix("id: ") {
                self.id = id.to_owned();
            } else if !line.is_empty() {
                continue;
            }
            for data in self.data.drain(..) {
                let of_message = data["message"].as_str().and_then(|text| text.strip_prefix("line "));
                let in_snapshot = data["log"]["lines"].as_array().into_iter().flatten();
                self.lines.extend(of_message.map(|number| number.parse::<u64>().unwrap()));
                self.lines.extend(in_snapshot.chain([&data]).filter_map(|line| line["seq"].as_u64()));
            }
        }
    }
}

#[tokio::test]
async fn cut_at_any_byte_loses_nothing() {
    let server = Server::start().await;
    for format in ["", "&format=message"] {
        let run = server.run("count", json!({ "total": 6, "pause": 20 })).await;
        let all = server.get(&format!("{run}/events?{format}")).send().await.unwrap().bytes().await.unwrap();
        // The responses to reconnects, by id.
        let mut rest = HashMap::<String, Vec<u8>>::new();
        for cut in 0..=all.len() {
            let mut client = Eager::default();
            client.take(&all[..cut]);
            client.data.clear();
            if !rest.contains_key(&client.id) {
                let again =
                    server.get(&format!("{run}/events?last={}{format}", client.id)).send().await.unwrap();
                rest.insert(client.id.clone(), again.bytes().await.unwrap().to_vec());
            }
            client.take(&rest[&client.id]);
            let cut = String::from_utf8_lossy(&all[cut.saturating_sub(80)..cut]);
            assert_eq!(client.lines, [1, 2, 3, 4, 5, 6], "cut behind {cut:?}");
        }
        assert!(rest.len() > 6, "{:?}", rest.keys());
    }
}

#[tokio::test]
async fn finished_run_stream_ends_then_204() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 2, "pause": 1 })).await;
    server.ended(&run).await;
    let events = server.events(&run).await.all().await;
    assert_eq!(names(&events), ["snapshot", "end"]);
    assert_eq!(events[0].data["status"], "succeeded");
    assert_eq!(line_numbers(&events), [1, 2]);
    let again = server.get(&format!("{run}/events")).header("last-event-id", &events[1].id);
    assert_eq!(again.send().await.unwrap().status(), 204);
    let cut_before_the_end = server.get(&format!("{run}/events")).header("last-event-id", &events[0].id);
    let events = Events::of(cut_before_the_end.send().await.unwrap()).all().await;
    assert_eq!(names(&events), ["snapshot", "end"]);
    assert_eq!(line_numbers(&events), [0; 0]);
}

#[tokio::test]
async fn unknown_event_id_gets_full_snapshot() {
    let server = Server::start().await;
    let other = server.run("count", json!({ "total": 1 })).await;
    let foreign = server.events(&other).await.all().await.pop().unwrap().id;
    let run = server.run("count", json!({ "total": 3, "pause": 1 })).await;
    let own = server.events(&run).await.all().await[0].id.clone();
    let tag = own.split('-').next().unwrap();
    let huge = "9".repeat(4_000);
    let beyond = format!("{tag}-1-999999");
    let overflow = format!("{tag}-1-99999999999999999999999");
    for id in ["", "nonsense", "-", "0", &foreign, &beyond, &overflow, &huge, "%00", "../../etc"] {
        let response = server.get(&format!("{run}/events")).header("last-event-id", id).send().await.unwrap();
        let events = Events::of(response).all().await;
        assert_eq!(line_numbers(&events), [1, 2, 3], "{id}");
    }
}

#[tokio::test]
async fn hot_loop_progress_is_conflated() {
    let server = Server::start().await;
    let began = std::time::Instant::now();
    let run = server.run("race", json!({})).await;
    let viewers: Vec<_> = (0..4).map(|_| server.events(&run)).collect();
    let viewers = futures_util::future::join_all(viewers).await.into_iter().map(|v| tokio::spawn(v.all()));
    let viewers: Vec<_> = viewers.collect();
    let mut pages = 0;
    while !viewers.iter().all(|viewer| viewer.is_finished()) {
        let page = server.get("/race/show_progress").header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 200);
        pages += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = began.elapsed().as_secs_f64();
    for viewer in viewers {
        let events = viewer.await.unwrap();
        let progress: Vec<_> = events.iter().filter(|event| event.name == "progress").collect();
        assert_eq!(events.last().unwrap().data["status"], "succeeded");
        assert_eq!(progress.last().unwrap().data["current"], 10_000_000);
        assert_eq!(progress.last().unwrap().data["percent"], 100.0);
        // At most 20 a second, with the first and the last on top.
        assert!(progress.len() as f64 <= seconds.mul_add(20.0, 3.0), "{} in {seconds} s", progress.len());
    }
    assert!(pages > 0);
}

#[tokio::test]
async fn max_progress_rate_delays_no_line() {
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.max_progress_rate(1)).await;
    let mut stepwise = Stepwise::start(&server, 150).await;
    let mut stream = server.events(&stepwise.run).await;
    let began = std::time::Instant::now();
    let mut events = Vec::new();
    // Each line is seen before the next is made: if lines waited for the bar, there would be one for each.
    for line in 1..=150 {
        events.extend(stream.until(|event| line_numbers(std::slice::from_ref(event)).contains(&line)).await);
        stepwise.go_on().await;
    }
    events.extend(stream.all().await);
    let seconds = began.elapsed().as_secs_f64();
    let progress: Vec<_> = events.iter().filter(|event| event.name == "progress").collect();
    assert!(progress.len() as f64 <= seconds + 3.0, "{} in {seconds} s: {progress:?}", progress.len());
    assert!(progress.len() < 75, "{:?}", names(&events));
    assert_eq!(progress.last().unwrap().data["current"], 150);
    assert_eq!(line_numbers(&events), (1..=150).collect::<Vec<_>>());
}

#[tokio::test]
async fn viewer_beyond_buffer_gets_every_line() {
    let server = Server::start().await;
    let run = server.run("chat", json!({ "lines": 6_000, "pause": 5 })).await;
    let first = server.events(&run).await.next().await.unwrap();
    server.ended(&run).await;
    let again = server.get(&format!("{run}/events?last={}", first.id)).send().await.unwrap();
    let events = Events::of(again).all().await;
    let seen = first.data["log"]["last"].as_u64().unwrap();
    assert_eq!(events[0].data["log"]["after"], seen);
    assert_eq!(line_numbers(&events), (seen + 1..=6_000).collect::<Vec<_>>());
    let fresh = server.events(&run).await.all().await;
    assert_eq!(line_numbers(&fresh), (5_501..=6_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn queued_run_is_watched_until_ended() {
    let server = Server::start().await;
    let first = server.run("count", json!({ "total": 10, "pause": 30 })).await;
    let second = server.run("count", json!({ "total": 2, "pause": 1 })).await;
    let events = server.events(&second).await.all().await;
    assert_eq!(events[0].data["status"], "queued");
    assert_eq!(events.last().unwrap().data["status"], "succeeded");
    assert_eq!(line_numbers(&events), [1, 2]);
    assert_eq!(server.ended(&first).await["status"], "succeeded");
}
