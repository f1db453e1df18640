//! Limits of the request head: the length of the URL, the headers, and body encodings that are not decoded here.
//!
//! A server has limits of its own and rejects some requests before these apply. These limits apply to what it lets
//! through.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_ENCODING, HeaderName, TRANSFER_ENCODING};
use axum::http::request::Parts;

use crate::limits::Limits;
use crate::texts::Message;
use crate::web::request::problem::{Problem, excerpt};

/// Returns the error for a head that exceeds a limit.
pub(in crate::web) fn too_much(request: &Parts, limits: &Limits) -> Option<Problem> {
    let refused = |status, key: &'static str, most: usize| {
        Some(Problem::new(status, Message::new(key).with("most", most)))
    };
    let (uri, headers) = (&request.uri, &request.headers);
    let address = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if address > limits.max_url_bytes {
        return refused(StatusCode::URI_TOO_LONG, "problem.url", limits.max_url_bytes);
    }
    if headers.len() > limits.max_header_count {
        return refused(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "problem.headers",
            limits.max_header_count,
        );
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if address + size > limits.max_header_bytes {
        return refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "problem.head", limits.max_header_bytes);
    }
    None
}

/// Returns the error for a body with an encoding that is not decoded here, which would be misread.
pub(in crate::web) fn encoded(request: &Parts) -> Option<Problem> {
    let other = |name: HeaderName, known: &'static str| {
        let values = request.headers.get_all(name).iter();
        let codings =
            values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let other =
            codings.filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(known.as_bytes()));
        let other: Vec<_> = other.map(String::from_utf8_lossy).collect();
        (!other.is_empty()).then(|| other.join(", "))
    };
    // The server removes the last of them, which is `chunked`.
    if let Some(given) = other(TRANSFER_ENCODING, "chunked") {
        let detail = Message::new("problem.transfer_encoding").with("given", excerpt(&given));
        return Some(Problem::new(StatusCode::NOT_IMPLEMENTED, detail));
    }
    let given = other(CONTENT_ENCODING, "identity").filter(|_| !request.method.is_safe())?;
    let mut problem = Problem::not_read("problem.content_encoding", &given);
    problem.accepts_identity = true;
    Some(problem)
}
