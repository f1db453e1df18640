//! The query of a request's address, and how long a text may be that it asks to search for.

use axum::http::Uri;

use crate::texts::Message;

/// The pairs of a request's query, decoded.
pub(in crate::web) fn query(uri: &Uri) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

/// The longest text that is looked for, in bytes.
pub(in crate::web) const MAX_SOUGHT: usize = 1_000;

/// What is said of a longer one.
pub(in crate::web) fn too_long(name: &str) -> Message {
    Message::new("problem.sought").with("name", name).with("most", MAX_SOUGHT.to_string())
}
