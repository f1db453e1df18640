//! Errors as responses: a page for people, `application/problem+json` (RFC 9457) for programs.

use std::time::Duration;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::field::FieldErrors;
use crate::store::StoreError;
use crate::text::OneLine;
use crate::texts::{Message, Texts};
use crate::throttle::Throttle;
use crate::viewers::Crowded;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::{errors_json, json};
use crate::web::request::overload;

/// The seconds after which to retry a start that found the queue full, or a stream that found no capacity.
const RETRY_FULL: u32 = 10;

/// A short excerpt of what a request contained, so that the response does not grow with the request.
pub(in crate::web) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

static NO_STORE: Throttle = Throttle::every(Duration::from_secs(1));

/// An error as a response: a page or `application/problem+json`.
#[derive(Debug)]
pub(in crate::web) struct Problem {
    pub(in crate::web) status: StatusCode,
    pub(in crate::web) detail: Message,
    pub(in crate::web) errors: FieldErrors,
    question: Option<Box<str>>,
    /// The sign-in page.
    pub(in crate::web) sign_in: Option<Box<str>>,
    /// True if the body had an encoding that is not supported.
    pub(in crate::web) accepts_identity: bool,
    /// In seconds.
    retry_after: Option<u32>,
}

impl Problem {
    pub(in crate::web) fn new(status: StatusCode, detail: impl Into<Message>) -> Self {
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

    /// The body has an unsupported format or encoding.
    pub(in crate::web) fn not_read(key: &'static str, given: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Message::new(key).with("given", excerpt(given)))
    }

    pub(in crate::web) fn of_fields(errors: FieldErrors) -> Self {
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "problem.fields") }
    }

    /// Nothing was started, because the process asks for confirmation.
    pub(in crate::web) fn of_question(question: String) -> Self {
        Self {
            question: Some(question.into()),
            ..Self::new(StatusCode::PRECONDITION_REQUIRED, "problem.question")
        }
    }

    /// The same answer for everything that does not exist or is hidden, so that clients cannot tell the difference.
    pub(in crate::web) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "problem.not_found")
    }

    /// A failed store operation. The reason goes to the operator's log; clients learn only that it may be temporary.
    pub(in crate::web) fn of_store(error: &StoreError) -> Self {
        let full = |key, waiting: usize| Self::too_many(Message::new(key).with("n", waiting), RETRY_FULL);
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

    /// Too many starts from one client; the next is allowed after this time.
    pub(in crate::web) fn of_rate(wait: Duration) -> Self {
        // Rounded up to the next second, so that a retry at that time is not rejected again.
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Self::too_many(Message::new("problem.rate").with("n", u64::from(seconds)), seconds)
    }

    /// No capacity for another stream.
    pub(in crate::web) fn of_crowd(crowded: Crowded) -> Self {
        let said = |key: &'static str, most: usize| Message::new(key).with("most", most);
        let (status, detail) = match crowded {
            Crowded::All(most) => (StatusCode::SERVICE_UNAVAILABLE, said("problem.viewers", most)),
            Crowded::Run(most) => (StatusCode::SERVICE_UNAVAILABLE, said("problem.viewers_of_run", most)),
            Crowded::Actor(most) => (StatusCode::TOO_MANY_REQUESTS, said("problem.viewers_of_actor", most)),
        };
        Self { retry_after: Some(RETRY_FULL), ..Self::new(status, detail) }
    }

    /// A temporary error of the server.
    pub(in crate::web) fn later(detail: impl Into<Message>) -> Self {
        Self { retry_after: Some(RETRY_FULL), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail) }
    }

    fn too_many(detail: Message, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail) }
    }

    pub(in crate::web) fn respond(self, context: &Context) -> Response {
        overload::note(&self.detail);
        let mut response = if context.page { self.page(context) } else { self.json() };
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.accepts_identity {
            // RFC 9110 defines this header for a 415 because of the encoding only.
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
        if let Some(question) = &self.question {
            body["question"] = json!(question);
        }
        if let Some(address) = &self.sign_in {
            body["sign_in"] = json!(address);
        }
        body
    }

    /// Always in English, because programs read it.
    fn json(&self) -> Response {
        let mut response = json(self.status, &self.body(Texts::english()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
