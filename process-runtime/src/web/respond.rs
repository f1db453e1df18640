//! Owns what answers have in common: the mount's path, what the client accepts, and errors in both forms.
//! Refuses to know any single route.

use std::net::IpAddr;
use std::time::Duration;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::guard::is_foreign;
use super::language::Language;
use super::rights::{Rights, visitor};
use super::{front, pages, path};
use crate::access::Visitor;
use crate::field::FieldErrors;
use crate::layout::Page;
use crate::processes::Processes;
use crate::run::Run;
use crate::store::StoreError;
use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::throttle::Throttle;
use crate::viewers::Crowded;

/// When a start that found the queue full may be tried again, and a stream for which there was no place, in seconds.
const RETRY_FULL: u32 = 10;

/// The pairs of a request's query, decoded.
pub(super) fn query(uri: &Uri) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// The longest text that is looked for, in bytes.
pub(super) const MAX_SOUGHT: usize = 1_000;

/// What is said of a longer one.
pub(super) fn too_long(name: &str) -> Message {
    Message::new("problem.sought").with("name", name).with("most", MAX_SOUGHT.to_string())
}

/// Enough of what a request said to recognise it in an answer, which does not grow with it.
pub(super) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Where the router is mounted, and what the client wants.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// The absolute path of the mount, without a slash at its end.
    pub(super) base: String,
    /// What a proxy has cut off in front of the address.
    pub(super) cut: String,
    /// True when the client prefers a page to JSON.
    pub(super) page: bool,
    pub(super) language: Language,
    /// True when another site made the browser ask.
    pub(super) is_foreign: bool,
    /// True when the browser is known to have come by HTTPS: its cookies stay there.
    pub(super) is_https: bool,
    pub(super) visitor: Visitor,
    /// From where it was asked, if the server or a proxy says so.
    pub(super) address: Option<IpAddr>,
    pub(super) processes: Processes,
}

impl Context {
    pub(super) fn shell(&self) -> pages::Shell<'_> {
        let (texts, assets) = (self.language.texts(), self.processes.assets());
        let (css, js, logo) = (assets.css(), assets.script(texts), assets.logo());
        let starting = assets.starting(texts);
        pages::Shell { base: &self.base, css, js, starting, logo, brand: self.processes.brand(), texts }
    }

    /// A page that is made anew for each request, in the application's layout or in our own. `data` is what it shows,
    /// for a layout that asks.
    pub(super) fn show(
        &self,
        status: StatusCode,
        content: &pages::Content,
        data: impl Fn() -> Value,
    ) -> Response {
        let html = self.in_layout(content, &data);
        let html = html.unwrap_or_else(|| pages::frame(&self.shell(), content).into_string());
        let mut response = (status, Html(html)).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.language.write(&self.base, self.is_https, response.headers_mut());
        response
    }

    /// `None` when the application has no layout, or when that fails.
    fn in_layout(&self, content: &pages::Content, data: &dyn Fn() -> Value) -> Option<String> {
        let layout = self.processes.layout()?;
        let pages::Content { kind, title, markup } = content;
        let head = pages::head(&self.shell(), *kind).into_string();
        let (base, texts, content) = (self.base.as_str(), self.language.texts(), markup.0.as_str());
        layout.around(&Page { kind: *kind, title, base, texts, head: &head, content, data })
    }
}

impl FromRequestParts<Processes> for Context {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, processes: &Processes) -> Result<Self, Self::Rejection> {
        let original = path::asked(parts);
        // What nesting has cut off in front. Of a path that is not answered nothing is used: in a link or a redirect
        // `/\` leads to another site.
        let nested = original.strip_suffix(parts.uri.path()).unwrap_or(original).trim_end_matches('/');
        let nested = if path::is_canonical(original) { nested } else { "" };
        let base = match processes.mounted_at() {
            Some(base) => base.to_owned(),
            None => format!("{}{nested}", front::prefix(processes, &parts.headers)),
        };
        let cut =
            if original.starts_with(&base) { "" } else { base.strip_suffix(nested).unwrap_or_default() };
        let cut = cut.to_owned();
        let language = Language::of(processes.languages(), &parts.uri, &parts.headers);
        // One for a request, whoever looks at it first: each thing is asked once.
        let visitor = match parts.extensions.get::<Visitor>() {
            Some(known) => known.clone(),
            None => {
                let visitor = visitor(processes, parts);
                parts.extensions.insert(visitor.clone());
                visitor
            }
        };
        let (page, is_foreign) = (prefers_page(&parts.headers), is_foreign(processes, parts));
        let is_https = front::is_https(processes, &parts.headers);
        let address = front::address(processes, parts);
        let processes = processes.clone();
        Ok(Self { base, cut, page, language, is_foreign, is_https, visitor, address, processes })
    }
}

/// How much a client wants a media type, from 0 to 1000, by the most specific entry that covers it.
pub(super) fn weight(headers: &HeaderMap, wanted: &str) -> u32 {
    let Some(accept) = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()) else { return 1 };
    let family = wanted.split('/').next().unwrap_or_default();
    let mut best = (0, 0);
    for entry in accept.split(',') {
        let mut parts = entry.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let specific = match range.split_once('/') {
            _ if range.eq_ignore_ascii_case(wanted) => 3,
            Some((of, "*")) if of.eq_ignore_ascii_case(family) => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let q = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse::<f32>().ok());
        let q = (q.unwrap_or(1.0).clamp(0.0, 1.0) * 1000.0) as u32;
        if specific > best.0 {
            best = (specific, q);
        }
    }
    // A bare wildcard is no wish of its own.
    if best.0 == 1 { best.1.min(1) } else { best.1 }
}

fn prefers_page(headers: &HeaderMap) -> bool {
    let (page, json) = (weight(headers, "text/html"), weight(headers, "application/json"));
    page > json || (page == json && page > 1)
}

/// True when the client asks for the stream itself.
pub(super) fn prefers_stream(headers: &HeaderMap) -> bool {
    let stream = weight(headers, "text/event-stream");
    stream > 1 && stream > weight(headers, "application/json") && stream > weight(headers, "text/html")
}

/// JSON that is made anew for each request.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, no_store, Json(body)).into_response()
}

/// The run as JSON, with links to what one may do with it, and the address of each file.
pub(super) fn run_json(base: &str, run: &Run, rights: Rights) -> Value {
    let url = format!("{base}/runs/{}", run.id);
    let mut value = serde_json::to_value(run).unwrap_or_default();
    let files = run.files.iter().map(|file| {
        let mut offered = json!({ "name": file.name, "size": file.size, "type": file.media_type });
        if rights.download {
            offered["url"] = format!("{url}/files/{}", path::segment(&file.name)).into();
        }
        offered
    });
    if let Some(fields) = value.as_object_mut() {
        // What the runtime needs to go on with the run is nobody else's.
        fields.shift_remove("books");
    }
    value["files"] = files.collect();
    let process = format!("{base}/{}/show_progress", path::route(&run.process));
    let links = [
        ("self", true, url.clone()),
        ("process", rights.process, process),
        ("events", true, format!("{url}/events")),
        ("cancel", rights.control, format!("{url}/cancel")),
        ("pause", rights.control, format!("{url}/pause")),
        ("resume", rights.control, format!("{url}/resume")),
        ("retry", rights.control && rights.start, format!("{url}/retry")),
        ("share", rights.share, format!("{url}/share")),
        ("log", rights.download, format!("{url}/log")),
        ("result", rights.download, format!("{url}/result")),
        ("files", rights.download, format!("{url}/files/")),
    ];
    let links = links.into_iter().filter(|(_, may, _)| *may);
    value["links"] = links.map(|(name, _, address)| (name.to_owned(), Value::from(address))).collect();
    value
}

/// What is wrong with fields as JSON, in this language.
pub(super) fn errors_json(errors: &FieldErrors, texts: &Texts) -> Value {
    errors.iter().map(|error| json!({ "field": error.field, "message": error.said(texts) })).collect()
}

static NO_STORE: Throttle = Throttle::every(Duration::from_secs(1));

/// An error as the client gets it: a page or `application/problem+json`.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) detail: Message,
    pub(super) errors: FieldErrors,
    question: Option<&'static str>,
    /// Where one signs in.
    pub(super) sign_in: Option<Box<str>>,
    /// The body was encoded, and could have come as it is.
    pub(super) accepts_identity: bool,
    /// In seconds.
    retry_after: Option<u32>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<Message>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: FieldErrors::default(),
            question: None,
            sign_in: None,
            accepts_identity: false,
            retry_after: None,
        }
    }

    /// The body is in a form that is not read here.
    pub(super) fn not_read(key: &'static str, given: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Message::new(key).with("given", excerpt(given)))
    }

    pub(super) fn of_fields(errors: FieldErrors) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "problem.fields") }
    }

    /// Nothing was started: a question has to be answered first.
    pub(super) fn of_question(question: &'static str) -> Self {
        Self { question: Some(question), ..Self::new(StatusCode::PRECONDITION_REQUIRED, "problem.question") }
    }

    /// The one answer for everything that is not there, so that nobody learns what is.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "problem.not_found")
    }

    /// The operator reads the reason in the log; strangers are told that it may pass.
    pub(super) fn of_store(error: &StoreError) -> Self {
        let full = |key: &'static str, waiting: usize| {
            tracing::warn!("{}", OneLine(error));
            Self::too_many(Message::new(key).with("n", waiting), RETRY_FULL)
        };
        match error {
            StoreError::Full(waiting) => full("problem.full", *waiting),
            StoreError::ProcessFull(waiting) => full("problem.full_of_process", *waiting),
            StoreError::ActorFull(waiting) => full("problem.full_of_actor", *waiting),
            StoreError::Busy => Self::later("problem.busy"),
            error => {
                if let Some(left_out) = NO_STORE.admit() {
                    tracing::error!("{}{left_out}", OneLine(error));
                }
                Self::later("problem.store")
            }
        }
    }

    /// Too many starts have come from one place; the next may come after this time.
    pub(super) fn of_rate(wait: Duration) -> Self {
        // Up to the next second: whoever comes then is not refused again.
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Self::too_many(Message::new("problem.rate").with("n", u64::from(seconds)), seconds)
    }

    /// There is no place for one more stream.
    pub(super) fn of_crowd(crowded: Crowded) -> Self {
        let said = |key: &'static str, most: usize| Message::new(key).with("most", most);
        let (status, detail) = match crowded {
            Crowded::All(most) => (StatusCode::SERVICE_UNAVAILABLE, said("problem.viewers", most)),
            Crowded::Run(most) => (StatusCode::SERVICE_UNAVAILABLE, said("problem.viewers_of_run", most)),
            Crowded::Actor(most) => (StatusCode::TOO_MANY_REQUESTS, said("problem.viewers_of_actor", most)),
        };
        Self { retry_after: Some(RETRY_FULL), ..Self::new(status, detail) }
    }

    /// It is nobody's fault, and may pass.
    pub(super) fn later(detail: impl Into<Message>) -> Self {
        Self { retry_after: Some(RETRY_FULL), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    fn too_many(detail: Message, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub(super) fn respond(self, context: &Context) -> Response {
        let mut response = if context.page { self.page(context) } else { self.json() };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.accepts_identity {
            // RFC 9110 has it in a 415 of this kind, and in no other.
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        response
    }

    fn page(&self, context: &Context) -> Response {
        let problem = pages::problem(&context.shell(), self.status.as_u16(), &self.detail, &self.errors);
        context.show(self.status, &problem, || self.body(context.language.texts()))
    }

    fn body(&self, texts: &Texts) -> Value {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body =
            json!({ "status": self.status.as_u16(), "title": title, "detail": texts.say(&self.detail) });
        if !self.errors.is_empty() {
            body["errors"] = errors_json(&self.errors, texts);
        }
        if self.errors.omitted() > 0 {
            body["more_errors"] = json!(self.errors.omitted());
        }
        if let Some(question) = self.question {
            body["question"] = json!(question);
        }
        if let Some(address) = &self.sign_in {
            body["sign_in"] = json!(address);
        }
        body
    }

    /// In English, whoever asks: programs read it.
    fn json(&self) -> Response {
        let mut response = json(self.status, &self.body(Texts::english()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())])
    }

    #[test]
    fn browsers_get_pages_and_programs_get_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(prefers_page(&headers(browser)));
        assert!(!prefers_page(&headers("*/*")));
        assert!(!prefers_page(&HeaderMap::new()));
        assert!(!prefers_page(&headers("application/json")));
        assert!(!prefers_page(&headers("text/html;q=0.4, application/json")));
        assert!(prefers_page(&headers("text/*")));
    }

    #[test]
    fn only_who_names_the_stream_gets_it() {
        assert!(prefers_stream(&headers("text/event-stream")));
        assert!(!prefers_stream(&headers("*/*")));
        assert!(!prefers_stream(&headers("application/json, text/event-stream;q=0.5")));
    }
}
