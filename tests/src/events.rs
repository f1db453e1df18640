//! A reader of server-sent events that shares no code with the writer.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

/// One event as a browser would see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
}

/// The events of one answer, as they come.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    buffer: Vec<u8>,
    ready: VecDeque<Event>,
}

impl Events {
    pub fn of(response: reqwest::Response) -> Self {
        let content_type = response.headers().get("content-type").map(|value| value.as_bytes().to_vec());
        assert_eq!(content_type.as_deref(), Some(b"text/event-stream".as_slice()));
        Self { response, buffer: Vec::new(), ready: VecDeque::new() }
    }

    /// The next event; `None` when the stream has ended. Panics after 30 s of silence.
    pub async fn next(&mut self) -> Option<Event> {
        self.try_next().await.expect("the stream broke off")
    }

    /// The same for a stream that may break.
    pub async fn try_next(&mut self) -> reqwest::Result<Option<Event>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await;
            let Some(chunk) = chunk.expect("no event for 30 seconds")? else { return Ok(None) };
            self.buffer.extend_from_slice(&chunk);
            while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let frame: Vec<u8> = self.buffer.drain(..end + 2).collect();
                self.ready.extend(parse(std::str::from_utf8(&frame).expect("frames are UTF-8")));
            }
        }
    }

    /// All events up to the end of the stream.
    pub async fn all(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        assert!(self.buffer.is_empty(), "the stream ended inside an event");
        events
    }

    /// Events up to the first that satisfies the condition, for at most 30 s.
    pub async fn until(&mut self, condition: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        let found = async {
            while let Some(event) = self.next().await {
                let found = condition(&event);
                events.push(event);
                if found {
                    return true;
                }
            }
            false
        };
        let found = tokio::time::timeout(Duration::from_secs(30), found).await;
        assert_eq!(found, Ok(true), "the event did not come: {events:?}");
        events
    }

    /// Events up to and including the first that has a log line, be it in the snapshot.
    pub async fn until_logged(&mut self) -> Vec<Event> {
        self.until(|event| !line_numbers(std::slice::from_ref(event)).is_empty()).await
    }
}

fn parse(frame: &str) -> Option<Event> {
    let (mut id, mut name, mut data) = (String::new(), String::new(), None);
    for line in frame.trim_end().split('\n') {
        match line.split_once(": ").unwrap_or_else(|| panic!("a line without a field: {line:?}")) {
            ("id", value) => id = value.into(),
            ("event", value) => name = value.into(),
            ("data", value) => data = Some(serde_json::from_str(value).unwrap()),
            ("retry", value) => assert!(value.parse::<u32>().is_ok()),
            other => panic!("an unknown field: {other:?}"),
        }
    }
    data.map(|data| Event { id, name, data })
}

/// The numbers of all log lines, from snapshots and events, in order of arrival.
pub fn line_numbers(events: &[Event]) -> Vec<u64> {
    let mut numbers = Vec::new();
    for event in events {
        match event.name.as_str() {
            "log" => numbers.extend(event.data["seq"].as_u64()),
            "snapshot" => {
                let lines = event.data["log"]["lines"].as_array().unwrap();
                numbers.extend(lines.iter().filter_map(|line| line["seq"].as_u64()));
            }
            _ => {}
        }
    }
    numbers
}
