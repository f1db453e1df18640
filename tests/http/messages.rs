//! The message format, for a page with only `EventSource`, `onmessage` and `JSON.parse`.

use std::time::Duration;

use process_runtime::Limits;
use process_tests::Server;
use process_tests::server::json;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// A message as its handler sees it.
#[derive(Debug, Clone, PartialEq)]
struct Message {
    last_event_id: String,
    message: String,
    progress: Option<u64>,
}

/// Parses a stream as the HTML standard specifies: lines, fields, comments, events.
struct Source {
    response: Response,
    unread: Vec<u8>,
    last_event_id: String,
    data: Vec<String>,
    comments: Vec<String>,
}

impl Source {
    async fn open(request: RequestBuilder) -> Self {
        Self::of(request.header("accept", "text/event-stream").send().await.unwrap())
    }

    fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store, no-transform");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let (unread, last_event_id) = (Vec::new(), String::new());
        Self { response, unread, last_event_id, data: Vec::new(), comments: Vec::new() }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8(line[..end].to_vec()).unwrap();
                assert!(!line.contains('\r'), "a line that a browser would split: {line:?}");
                return Some(line);
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await;
            let Some(chunk) = chunk.expect("nothing for 30 seconds").unwrap() else {
                assert!(self.unread.is_empty(), "the stream ended within a line");
                return None;
            };
            self.unread.extend_from_slice(&chunk);
        }
    }

    /// The next message; `None` when the stream is closed.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                let data = std::mem::take(&mut self.data);
                assert!(data.len() < 2, "more than one line of data: {data:?}");
                let Some(data) = data.first() else { continue };
                let data: Value = serde_json::from_str(data).unwrap();
                assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["message", "progress"]);
                return Some(Message {
                    last_event_id: self.last_event_id.clone(),
                    message: data["message"].as_str().unwrap().to_owned(),
                    progress: data["progress"].as_u64(),
                });
            }
            match line.split_once(':').unwrap() {
                ("", comment) => self.comments.push(comment.to_owned()),
                ("id", id) => id.trim_start().clone_into(&mut self.last_event_id),
                ("data", data) => self.data.push(data.trim_start().to_owned()),
                ("retry", after) => assert!(after.trim().parse::<u32>().is_ok()),
                other => panic!("a message has no such field: {other:?}"),
            }
        }
    }

    /// All messages, up to the end of the stream.
    async fn all(mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            messages.push(message);
        }
        messages
    }
}

fn messages_of(server: &Server, run: &str) -> RequestBuilder {
    server.get(&format!("{run}/events?format=message"))
}

fn texts(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.message.as_str()).collect()
}

/// The log lines among the messages, which begin with this word here.
fn lines(messages: &[Message]) -> Vec<String> {
    texts(messages).into_iter().filter(|text| text.starts_with("line ")).map(str::to_owned).collect()
}

fn numbered(count: u64) -> Vec<String> {
    (1..=count).map(|line| format!("line {line}")).collect()
}

#[tokio::test]
async fn message_stream_tells_whole_run() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 5, "pause": 700 })).await;
    let messages = Source::open(messages_of(&server, &run)).await.all().await;
    assert_eq!(lines(&messages), numbered(5));
    // The last text may arrive with the end.
    for text in ["Step 1", "Step 2", "Step 3", "Step 4"] {
        assert!(texts(&messages).contains(&text), "{text} is missing in {messages:?}");
    }
    let (last, others) = messages.split_last().unwrap();
    assert_eq!(
        (last.last_event_id.as_str(), last.message.as_str(), last.progress),
        ("CLOSE", "Counted", Some(100))
    );
    assert!(others.iter().all(|message| message.last_event_id != "CLOSE"));
    let figures: Vec<_> = others.iter().filter_map(|message| message.progress).collect();
    assert!(figures.is_sorted() && figures.contains(&20) && figures.contains(&80), "{figures:?}");
    // 100 is said of success alone, and before the last message.
    assert_eq!(figures.last(), Some(&100), "{figures:?}");
    assert_eq!(figures.iter().filter(|figure| **figure == 100).count(), 1, "{figures:?}");
    assert!(messages.iter().all(|message| !message.message.is_empty()), "{messages:?}");
}

#[tokio::test]
async fn minimal_client_loop_ends() {
    let server = Server::start().await;
    let start = server.post("/count/start?format=message").header("content-type", "application/json");
    let mut source = Source::open(start.body(r#"{"total":3}"#)).await;
    // As in such a page: add the text, and at CLOSE fill the bar and close, or else move it.
    let (mut results, mut bar, mut closed) = (Vec::new(), None, false);
    while let Some(Message { last_event_id, message, progress }) = source.next().await {
        results.push(message);
        if last_event_id == "CLOSE" {
            (bar, closed) = (Some(100), true);
            break;
        }
        bar = progress;
    }
    assert_eq!((bar, closed), (Some(100), true));
    assert_eq!(results.last().map(String::as_str), Some("Counted"));
    assert_eq!(results.iter().filter(|text| text.starts_with("line ")).count(), 3);
}

#[tokio::test]
async fn reconnecting_minimal_client_loses_no_line() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 50, "pause": 15 })).await;
    let (mut messages, mut last, mut connections) = (Vec::new(), String::new(), 0);
    loop {
        let request = messages_of(&server, &run).header("last-event-id", &last);
        let response = request.send().await.unwrap();
        if response.status() == 204 {
            break;
        }
        connections += 1;
        let mut source = Source::of(response);
        for _ in 0..2 + connections % 5 {
            let Some(message) = source.next().await else { break };
            last.clone_from(&message.last_event_id);
            messages.push(message);
        }
    }
    assert!(connections > 5, "{connections}");
    assert_eq!(lines(&messages), numbered(50));
    // Neither texts nor percentages are told again.
    let mut told: Vec<_> = messages.iter().filter(|message| !message.message.starts_with("line ")).collect();
    let all = told.len();
    told.dedup_by(|one, other| one.message == other.message);
    assert_eq!(told.len(), all, "{told:?}");
    let closes = messages.iter().filter(|message| message.last_event_id == "CLOSE");
    assert_eq!(closes.map(|message| message.message.as_str()).collect::<Vec<_>>(), ["Counted"]);
    let by_query = server.get(&format!("{run}/events?format=message&last=CLOSE")).send().await.unwrap();
    assert_eq!(by_query.status(), 204);
}

#[tokio::test]
async fn late_message_stream_gets_every_line() {
    let folder = tempfile::TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| {
        builder.limits(Limits::default().max_log_head_lines(100).max_log_tail_lines(8_000))
    })
    .await;
    // It waits until it has a viewer.
    let before = server.run("chat", json!({ "lines": 100, "pause": 60_000 })).await;
    // More lines at once than a feed keeps in memory.
    let run = server.run("chat", json!({ "lines": 9_500, "pause": 20 })).await;
    let live = Source::open(messages_of(&server, &run)).await;
    server.post(&format!("{before}/cancel")).send().await.unwrap();
    let live = live.all().await;
    assert_eq!(lines(&live), numbered(9_500));
    let late = Source::open(messages_of(&server, &run)).await.all().await;
    let text = texts(&late);
    assert_eq!((text[99], text[100].starts_with("… ")), ("line 100", true), "{:?}", &text[98..102]);
    let omitted: usize = text[100].split(' ').nth(1).unwrap().replace(',', "").parse().unwrap();
    // Behind the lines are the message with 100 % and the last one.
    assert_eq!(100 + omitted + text[101..].len() - 2, 9_500);
    assert_eq!(text[late.len() - 3..], ["line 9500", "100 %", "Succeeded"]);
}

#[tokio::test]
async fn messages_report_null_progress_and_failures() {
    let server = Server::start().await;
    let failed = server.run("fails", json!({})).await;
    let messages = Source::open(messages_of(&server, &failed)).await.all().await;
    let seen: Vec<_> = messages.iter().map(|message| (message.message.as_str(), message.progress)).collect();
    // The last line of the log, and the outcome.
    let error = "the disk is <b>full</b>";
    assert_eq!(seen, [("before", None), (error, None), (error, None)]);
    assert_eq!(messages[2].last_event_id, "CLOSE");

    let cancelled = server.run("tells", json!({ "items": 9, "hold": 2 })).await;
    let mut events = server.events(&cancelled).await;
    events.until(|event| event.data["stage"]["index"] == 2).await;
    let source = Source::open(messages_of(&server, &cancelled)).await;
    server.post(&format!("{cancelled}/cancel")).send().await.unwrap();
    let messages = source.all().await;
    let last = messages.last().unwrap();
    // It is in the second of two stages.
    assert_eq!((last.message.as_str(), last.progress), ("Cancelled", Some(50)));

    let early = server.run("ends-early", json!({})).await;
    let last = Source::open(messages_of(&server, &early)).await.all().await.pop().unwrap();
    assert_eq!((last.message.as_str(), last.progress), ("enough", Some(100)));
}

#[tokio::test]
async fn message_text_is_one_data_line() {
    let server = Server::start().await;
    let run = server.run("odd/odd-values", json!({})).await;
    let messages = Source::open(messages_of(&server, &run)).await.all().await;
    let texts = texts(&messages);
    // An early viewer may also get progress texts in between.
    let lines: Vec<_> =
        texts.into_iter().filter(|text| text.starts_with("one") || text.starts_with('y')).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], "one\ntwo\n\nid: forged\n\n and \n the end");
    assert!(lines[1].ends_with("… [cut: 10000000 bytes in all]"));
    assert_eq!(messages.last().map(|last| last.last_event_id.as_str()), Some("CLOSE"));
    assert!(messages.iter().all(|message| message.last_event_id != "forged"));
}

#[tokio::test]
async fn start_and_events_streams_have_messages() {
    let server = Server::nested("/a/b").await;
    assert_eq!(server.get("/wait/start?format=message").send().await.unwrap().status(), 204);
    let run = server.run("wait", json!({})).await;
    server.until_status(&run, "running").await;
    let id = run.trim_start_matches("/runs/");
    for address in ["/wait/start?format=message".to_owned(), format!("/events?run={id}&format=message")] {
        let mut source = Source::open(server.get(&address)).await;
        assert_eq!(source.next().await.unwrap().message, "waiting", "{address}");
    }
    let stay_away =
        server.get("/wait/start?format=message").header("last-event-id", "CLOSE").send().await.unwrap();
    assert_eq!(stay_away.status(), 204, "another run is active, which it has not asked for");
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    server.ended(&run).await;
}

#[tokio::test]
async fn unsupported_message_stream_is_refused() {
    let server = Server::start().await;
    let run = server.run("says-nothing", json!({})).await;
    let other = server.run("fails", json!({})).await;
    let ids = [&run, &other].map(|run| run.trim_start_matches("/runs/").to_owned());
    let [one, two] = &ids;
    let several = [
        format!("/events?run={one}&run={two}&format=message"),
        format!("/events?run={one}&progress={two}&format=message"),
        format!("/events?progress={one}&format=message"),
    ];
    for address in several {
        let response = server.get(&address).send().await.unwrap();
        assert_eq!(response.status(), 400, "{address}");
        let detail = json(response).await["detail"].clone();
        assert_eq!(detail, "format=message is for a single run: give its ID with run=….");
    }
    let unknown = [
        server.get(&format!("{run}/events?format=xml")),
        server.get(&format!("/events?run={one}&format=xml")),
        server.get("/count/start?format=xml"),
        server.post("/count/start?format=xml").header("content-type", "application/json").body("{}"),
    ];
    for request in unknown {
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 400);
        let detail = json(response).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("\"xml\"") && detail.contains("format=message"), "{detail}");
    }
    let runs =
        json(server.get("/runs?process=count").header("accept", "application/json").send().await.unwrap())
            .await;
    assert_eq!(runs["runs"], json!([]));
    let nobody = messages_of(&server, &format!("/runs/{}", process_runtime::RunId::new()));
    assert_eq!(nobody.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn head_is_empty_keepalive_is_comment() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    server.until_status(&run, "running").await;
    let head = server.client.head(format!("{}{run}/events?format=message", server.url)).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), &head.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    let mut source = Source::open(messages_of(&server, &run)).await;
    assert_eq!(source.next().await.unwrap().message, "waiting");
    // Longer than the ping interval: no message arrives that a page would process.
    let next = tokio::time::timeout(Duration::from_secs(17), source.next()).await;
    assert!(next.is_err(), "{next:?}");
    assert_eq!(source.comments, [" ping"]);
}

#[tokio::test]
async fn shutdown_ends_stream_without_close() {
    let server = Server::start().await;
    let run = server.run("wait", json!({})).await;
    let mut source = Source::open(messages_of(&server, &run)).await;
    assert_eq!(source.next().await.unwrap().message, "waiting");
    server.processes.shut_down();
    assert_eq!(source.next().await, None, "it is to come back, and go on");
}

#[tokio::test]
async fn percentages_without_text_are_messages_of_their_own() {
    let server = Server::start().await;
    let run = server.run("finds-more", json!({ "pause": 30 })).await;
    let messages = Source::open(messages_of(&server, &run)).await.all().await;
    let (last, others) = messages.split_last().unwrap();
    assert!(others.len() > 3, "{messages:?}");
    for message in others {
        assert_eq!(message.message, format!("{} %", message.progress.unwrap()), "{messages:?}");
    }
    assert_eq!((last.message.as_str(), last.progress), ("Succeeded", Some(100)));
}
