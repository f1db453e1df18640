//! The requests of a visitor, the responses, and their checks.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_tests::Events;
use process_tests::forms::urlencoded;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::timeout;

use super::program::{Life, Program};

/// An answer that does not come within this time is a fault, and no kill.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many characters of a response are printed.
const TOLD: usize = 3_000;

/// Why a step did not complete.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The program was killed in the meantime: nothing can be concluded.
    CutOff,
    /// It had no capacity, and sent Retry-After.
    Busy,
    /// A promise is broken.
    Wrong(String),
}

pub(crate) type Step<T = ()> = Result<T, Trouble>;

/// A contradiction, with the responses that show it.
pub(super) fn wrong<T>(what: impl Display, answers: &[&Answer]) -> Step<T> {
    let answers: Vec<_> = answers.iter().map(ToString::to_string).collect();
    Err(Trouble::Wrong(format!("{what}\n{}", answers.join("\n"))))
}

/// A request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(super) fn new(method: &'static str, path: impl Into<String>) -> Self {
        let accept = ("accept", "application/json".to_owned());
        Self { method, path: path.into(), headers: vec![accept], body: Vec::new() }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self::new("POST", path)
    }

    /// As a browser in English.
    pub(super) fn page(self) -> Self {
        self.header("accept", "text/html,*/*;q=0.8").header("accept-language", "en")
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", kind)
    }

    pub(super) fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    pub(super) fn form(self, pairs: &[(&str, &str)]) -> Self {
        self.body("application/x-www-form-urlencoded", urlencoded(pairs))
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(TOLD).map_or(text, |(end, _)| &text[..end])
}

impl Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "> {} {} {:?}", self.method, self.path, self.headers)?;
        if self.body.is_empty() {
            Ok(())
        } else {
            write!(f, " {}", cut(&String::from_utf8_lossy(&self.body)))
        }
    }
}

/// A complete response.
#[derive(Debug)]
pub(super) struct Answer {
    ask: Ask,
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// When the request was sent.
    pub(super) sent: Instant,
}

impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The frame of a run's page is the same for all.
        let text = self.text();
        let shown = text.find("<article").map_or(text.as_str(), |at| &text[at..]);
        write!(f, "{}\n< {} {:?}\n{}", self.ask, self.status, self.headers, cut(shown))
    }
}

impl Answer {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Step<Value> {
        match serde_json::from_slice(&self.body) {
            Ok(value) => Ok(value),
            Err(error) => wrong(format!("this is no JSON: {error}"), &[self]),
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Fails unless the response has one of these statuses.
    pub(super) fn is(self, statuses: &[u16]) -> Step<Self> {
        let holds = statuses.contains(&self.status);
        if holds { Ok(self) } else { wrong(format!("{} is none of {statuses:?}", self.status), &[&self]) }
    }
}

/// A visitor's browser or program, for as long as the program it talks to lives.
#[derive(Clone)]
pub(super) struct Client {
    program: Arc<Program>,
    http: reqwest::Client,
    life: Life,
    user: &'static str,
}

impl Client {
    pub(super) async fn to(program: &Arc<Program>, http: &reqwest::Client, user: &'static str) -> Self {
        Self { program: Arc::clone(program), http: http.clone(), life: program.up().await, user }
    }

    /// The same client as another user: a guest may only view, and a visitor without a name has no permission.
    pub(super) fn as_user(&self, user: &'static str) -> Self {
        Self { user, ..self.clone() }
    }

    pub(super) fn addr(&self) -> &str {
        self.life.url.as_deref().unwrap_or_default().trim_start_matches("http://")
    }

    pub(super) fn cookie(&self) -> String {
        format!("user={}", self.user)
    }

    pub(super) fn is_cut_off(&self) -> bool {
        self.program.number() != self.life.number
    }

    async fn send(&self, ask: &Ask) -> Step<reqwest::Response> {
        let url = format!("http://{}{}", self.addr(), ask.path);
        let method = reqwest::Method::from_bytes(ask.method.as_bytes()).unwrap();
        let mut request = self.http.request(method, url);
        if !self.user.is_empty() && !ask.headers.iter().any(|(name, _)| *name == "cookie") {
            request = request.header("cookie", self.cookie());
        }
        for (name, value) in &ask.headers {
            request = request.header(*name, value.as_bytes());
        }
        if !ask.body.is_empty() {
            request = request.body(ask.body.clone());
        }
        match timeout(PATIENCE, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => self.unanswered(ask, format!("no answer: {error:?}")),
            Err(_) => self.unanswered(ask, format!("no answer within {PATIENCE:?}")),
        }
    }

    /// Only a killed program may leave a request unanswered.
    pub(super) fn unanswered<T>(&self, ask: impl Display, why: impl Display) -> Step<T> {
        if self.is_cut_off() { Err(Trouble::CutOff) } else { Err(Trouble::Wrong(format!("{why}\n{ask}"))) }
    }

    /// Sends a request and reads the whole response. It must not be a server error.
    pub(super) async fn ask(&self, ask: Ask) -> Step<Answer> {
        let sent = Instant::now();
        let response = self.send(&ask).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = match timeout(PATIENCE, response.bytes()).await {
            Ok(Ok(body)) => body.to_vec(),
            Ok(Err(error)) => return self.unanswered(&ask, format!("{status}, and broken off: {error:?}")),
            Err(_) => return self.unanswered(&ask, format!("{status}, and no end within {PATIENCE:?}")),
        };
        let answer = Answer { ask, status, headers, body, sent };
        match status {
            503 if self.is_cut_off() => Err(Trouble::CutOff),
            429 | 503 if answer.header("retry-after").is_some() => Err(Trouble::Busy),
            500.. => wrong("this is the server's fault", &[&answer]),
            _ => Ok(answer),
        }
    }

    /// Opens a stream; `None` if nothing more follows.
    pub(super) async fn stream(&self, ask: Ask) -> Step<Option<Events>> {
        let ask = ask.header("accept", "text/event-stream");
        let response = self.send(&ask).await?;
        match response.status().as_u16() {
            200 => Ok(Some(Events::of(response))),
            204 => Ok(None),
            503 if self.is_cut_off() => Err(Trouble::CutOff),
            429 | 503 if response.headers().contains_key("retry-after") => Err(Trouble::Busy),
            status => self.unanswered(&ask, format!("{status} is no stream")),
        }
    }
}
