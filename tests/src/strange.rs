//! Requests with random bytes in path, query or headers, and the checks for every response.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request, Uri};

use crate::raw::{Answer, Raw};

/// Which part of a head the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Path,
    Query,
    Headers,
    Position,
    Host,
    Key,
    /// The token of a share link, which only [`Raw::closed`] requires.
    Share,
}

/// Routes with a query. `{id}` is a run that has ended.
const ASKED: [&str; 10] = [
    "/runs",
    "/runs/{id}/log",
    "/events",
    "/runs/{id}/events",
    "/",
    "/fields/everything/show_progress",
    "/runs/{id}",
    "/count/start",
    "/runs/{id}/compare",
    "/runs/{id}/result",
];

/// Headers that the server or a proxy in front interprets.
const HEADERS: [&str; 18] = [
    "accept",
    "accept-language",
    "cookie",
    "last-event-id",
    "origin",
    "host",
    "sec-fetch-site",
    "accept-encoding",
    "if-none-match",
    "content-type",
    "forwarded",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "range",
    "if-range",
    "if-match",
    "if-modified-since",
    "if-unmodified-since",
];

/// The largest response: the OpenAPI document of all the processes here, and the repeated parts of the request. Each
/// byte may be escaped, in three places of a page.
const PAGE: usize = 1_000_000;
const REPEATED: usize = 40;

/// Sends a request with these bytes. It starts nothing, and must never be a server error.
pub fn ask(raw: &Raw, part: Part, data: &[u8]) -> Option<Answer> {
    let (how, data) = data.split_first()?;
    let request = match part {
        Part::Path => request(&format!("/{}", written(data, "/")), Method::GET, *how),
        Part::Query => {
            let path = ASKED[usize::from(how >> 1) % ASKED.len()];
            let query = written(data, "/?&=+");
            request(
                &format!("{path}?{query}").replace("%7Bid%7D", "{id}").replace("{id}", raw.ended()),
                Method::GET,
                *how,
            )
        }
        Part::Headers => {
            let path = ASKED[usize::from(how >> 1) % ASKED.len()].replace("{id}", raw.ended());
            let mut request = request(&path, Method::GET, *how)?;
            for line in data.split(|byte| *byte == b'\n') {
                let Some((which, value)) = line.split_first() else { continue };
                let name = HEADERS[usize::from(*which) % HEADERS.len()];
                append(&mut request, name, value);
            }
            Some(request)
        }
        Part::Position => {
            let mut request = request(&format!("{}/events", raw.ended()), Method::GET, 0)?;
            append(&mut request, "last-event-id", data);
            Some(request)
        }
        Part::Host => {
            let (host, origin) =
                data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len()));
            let method = if how & 1 == 0 { Method::GET } else { Method::POST };
            let mut request = request("/erase/start", method, 0)?;
            append(&mut request, "host", host);
            if let Some((_, origin)) = origin.split_first() {
                append(&mut request, "origin", origin);
            }
            Some(request)
        }
        Part::Key => {
            let mut request = request("/erase/start", Method::POST, 0)?;
            append(&mut request, "idempotency-key", data);
            Some(request)
        }
        Part::Share => return share(raw, *how, data),
    };
    let answer = raw.ask(request?);
    let most = PAGE + REPEATED * data.len();
    assert!(answer.text.len() <= most, "{} bytes for {} of {part:?}", answer.text.len(), data.len());
    Some(answer)
}

/// Requests a run with a token that contains these bytes: an invalid token shows nothing.
fn share(raw: &Raw, how: u8, data: &[u8]) -> Option<Answer> {
    let (place, data) = data.split_first()?;
    let link = raw.link();
    let token = link.split_once("?share=")?.1.as_bytes();
    let (front, behind) = token.split_at(usize::from(*place) % (token.len() + 1));
    let replaced = if how & 4 == 0 { behind.len() } else { data.len().min(behind.len()) };
    let forged = [front, data, &behind[replaced..]].concat();
    let is_true = forged == token;
    let contains = is_true || forged.windows(token.len()).any(|piece| piece == token);
    let answer = if how & 2 == 0 {
        let query: String = url::form_urlencoded::byte_serialize(&forged).collect();
        raw.ask(request(&format!("{}?share={query}", raw.ended()), Method::GET, how)?)
    } else {
        let mut request = request(raw.ended(), Method::GET, how)?;
        let cookie = HeaderValue::from_bytes(&[b"process-share=", &forged[..]].concat()).ok()?;
        request.headers_mut().append("cookie", cookie);
        raw.ask(request)
    };
    let expected: &[u16] = match (is_true, contains) {
        (true, _) => &[200, 303],
        // A cookie may contain other values, too.
        (false, true) => &[200, 303, 404],
        (false, false) => &[404],
    };
    assert!(expected.contains(&answer.status), "{} for {forged:?}", answer.status);
    Some(answer)
}

/// Bytes as a part of a URL, with invalid ones escaped.
fn written(data: &[u8], plain: &str) -> String {
    let mut text = String::new();
    for byte in data {
        let c = char::from(*byte);
        match c {
            '%' | '.' | '-' | '_' | '~' => text.push(c),
            c if c.is_ascii_alphanumeric() || plain.contains(c) => text.push(c),
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
    text
}

fn request(path: &str, method: Method, how: u8) -> Option<Request<Body>> {
    let uri = Uri::try_from(path).ok()?;
    let accept = if how & 1 == 0 { "application/json" } else { "text/html" };
    let body = Body::from(if method == Method::POST { "{}" } else { "" });
    let request = Request::builder().uri(uri).method(method).header("accept", accept);
    request.header("content-type", "application/json").body(body).ok()
}

/// What no server would hand on is left out.
fn append(request: &mut Request<Body>, name: &'static str, value: &[u8]) {
    if let Ok(value) = HeaderValue::from_bytes(value) {
        request.headers_mut().append(HeaderName::from_static(name), value);
    }
}
