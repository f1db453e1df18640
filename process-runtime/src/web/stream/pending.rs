//! The events that a stream would bring at once, as one JSON document: for clients that a proxy gives no stream.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::viewers::Ticket;
use crate::web::request::context::Context;
use crate::web::stream::snapshot::TAIL_BYTES;
use crate::web::stream::watching::{Taken, Watched, Watching};

/// The pending events of these runs. A HEAD request gets the headers only.
///
/// What does not fit is sent after the position of the last event, at the next request.
pub(in crate::web) async fn pending(
    context: &Context,
    ticket: Ticket,
    watched: Vec<Watched>,
    method: &Method,
) -> Response {
    let mut out = Vec::new();
    if method != Method::HEAD {
        let mut watching = Watching::open(context, ticket, watched).await;
        while out.len() < TAIL_BYTES {
            match watching.take() {
                Taken::Frame(frame) => write(&mut out, &frame.events()),
                Taken::Behind(place) => watching = watching.reopen(place).await,
                Taken::NotYet | Taken::Over => break,
            }
        }
        out.insert(0, b'[');
        out.push(b']');
    }
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (StatusCode::OK, headers, Body::from(out)).into_response()
}

/// Appends encoded events as entries of a JSON list. The data of each is one line of JSON, which stays as it is.
fn write(out: &mut Vec<u8>, events: &[u8]) {
    let (mut name, mut data) = (&b""[..], &b""[..]);
    for line in events.split(|byte| *byte == b'\n') {
        if let Some(rest) = line.strip_prefix(b"event: ") {
            name = rest;
        } else if let Some(rest) = line.strip_prefix(b"data: ") {
            data = rest;
        } else if let Some(id) = line.strip_prefix(b"id: ").filter(|_| !data.is_empty()) {
            let separator: &[u8] = if out.is_empty() { b"" } else { b",\n" };
            let parts = [separator, b"{\"event\":\"", name, b"\",\"id\":\"", id, b"\",\"data\":", data, b"}"];
            out.extend(parts.concat());
            data = b"";
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn events_become_entries_of_a_list() {
        let mut out = Vec::new();
        write(&mut out, b"retry: 2000\nevent: snapshot\ndata: {\"id\":\"a\",\"n\":1e400}\nid: 1-1-0\n\n");
        write(&mut out, b"event: log\ndata: {\"text\":\"id: x\\n\"}\nid: 1-1-1\n\nid: 7-0-0-end\n\n");
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("1e400"), "{text}");
        let list: Value = serde_json::from_str(&format!("[{}]", text.replace("1e400", "1"))).unwrap();
        let expected = json!([
            { "event": "snapshot", "id": "1-1-0", "data": { "id": "a", "n": 1 } },
            { "event": "log", "id": "1-1-1", "data": { "text": "id: x\n" } },
        ]);
        assert_eq!(list, expected);
    }
}
