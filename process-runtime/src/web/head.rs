//! Owns how much the head of a request may have: its address, its lines, and all of them together.
//! Refuses to know what they say.
//!
//! A server has limits of its own, which are there before anybody could be told anything in words. These are for what
//! it lets through.

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::respond::Problem;
use crate::limits::Limits;
use crate::texts::Message;

/// What is too much of a request's head, if anything is.
pub(super) fn too_much(request: &Parts, limits: &Limits) -> Option<Problem> {
    let refused = |status, key: &'static str, most: usize| {
        Some(Problem::new(status, Message::new(key).with("most", most)))
    };
    let (uri, headers) = (&request.uri, &request.headers);
    let address = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if address > limits.url {
        return refused(StatusCode::URI_TOO_LONG, "problem.url", limits.url);
    }
    if headers.len() > limits.headers {
        return refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "problem.headers", limits.headers);
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if address + size > limits.head {
        return refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "problem.head", limits.head);
    }
    None
}
