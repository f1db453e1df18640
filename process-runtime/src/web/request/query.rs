//! The query of a request's URL, and the length limit of search texts.

use axum::http::Uri;

use crate::texts::Message;

/// The pairs of a request's query, decoded.
pub(in crate::web) fn query(uri: &Uri) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// The longest text to search for, in bytes.
pub(in crate::web) const MAX_SOUGHT: usize = 1_000;

/// The error for a longer one.
pub(in crate::web) fn too_long(name: &str) -> Message {
    Message::new("problem.sought").with("name", name).with("most", MAX_SOUGHT.to_string())
}
