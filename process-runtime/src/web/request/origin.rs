//! CSRF protection: detects cross-site requests by `Sec-Fetch-Site`, or else by `Origin` and `Host`.

use axum::http::HeaderValue;
use axum::http::header::{HeaderName, ORIGIN};
use axum::http::request::Parts;

use crate::processes::Processes;
use crate::web::request::forwarded::host;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// True for a cross-site request. Such a request can neither change anything nor stream.
pub(in crate::web) fn is_foreign(processes: &Processes, parts: &Parts) -> bool {
    let origin = parts.headers.get(ORIGIN);
    let origin_text = origin.and_then(|origin| origin.to_str().ok());
    if origin_text.is_some_and(|origin| processes.origins().trusts(&origin.to_ascii_lowercase())) {
        return false;
    }
    match parts.headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => false,
        Some(_) => true,
        // An older browser, or plain HTTP: a form sends `Origin`, curl does not.
        None if origin.is_none() => false,
        None => {
            let of = origin_text.and_then(|origin| origin.split_once("://")).map(|(_, of)| of);
            let host = host(processes, parts);
            !of.zip(host).is_some_and(|(of, host)| of.eq_ignore_ascii_case(&host))
        }
    }
}
