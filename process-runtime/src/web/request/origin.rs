//! CSRF protection: detects cross-site requests by `Sec-Fetch-Site`, or else by `Origin` and `Host`.

use axum::http::HeaderValue;
use axum::http::header::{HeaderName, ORIGIN};
use axum::http::request::Parts;

use crate::processes::Processes;
use crate::web::request::forwarded::host;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request counts as one from another site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::web) enum Foreign {
    /// The browser says so; `Origin` is this, if it was sent.
    Site(String),
    /// `Origin` is not the host that the request is for. A proxy in between may have changed the host.
    Host { origin: String, host: String },
}

/// `None` for a request from this site, or from a trusted origin. A cross-site request can neither change anything nor
/// stream.
pub(in crate::web) fn foreign(processes: &Processes, parts: &Parts) -> Option<Foreign> {
    let origin = parts.headers.get(ORIGIN);
    let text = origin.and_then(|origin| origin.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    if processes.origins().trusts(&text) {
        return None;
    }
    match parts.headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => None,
        Some(_) => Some(Foreign::Site(text)),
        // An older browser, or plain HTTP: a form sends `Origin`, curl does not.
        None if origin.is_none() => None,
        None => {
            let host = host(processes, parts).unwrap_or_default();
            let is_same = text.split_once("://").is_some_and(|(scheme, of)| {
                // Browsers leave out the port that their scheme implies; proxies may add it.
                let port = if scheme == "https" { ":443" } else { ":80" };
                of.strip_suffix(port).unwrap_or(of) == host.strip_suffix(port).unwrap_or(&host)
            });
            (!is_same).then_some(Foreign::Host { origin: text, host })
        }
    }
}
