//! What a client prefers, by headers of weighted lists (RFC 9110, section 12.5): media types, codings, languages.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, HeaderName};

/// The entries of such a list, which may be in several headers, without their parameters: each with its weight from 0
/// to 1000. One whose `q` cannot be read is not wanted.
pub(in crate::web) fn weighted<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = (&'a str, u16)> {
    let lists = headers.get_all(name).iter().filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(|entry| {
        let (value, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        let q = parameters.split(';').find_map(|one| one.trim().strip_prefix("q="));
        let weight = match q.map(str::parse::<f32>) {
            None => 1000,
            Some(Ok(q)) if (0.0..=1.0).contains(&q) => (q * 1000.0) as u16,
            Some(_) => 0,
        };
        (value.trim(), weight)
    })
}

/// How much a client prefers a media type, from 0 to 1000, according to the most specific matching entry.
pub(in crate::web) fn weight(headers: &HeaderMap, wanted: &str) -> u16 {
    if !headers.contains_key(ACCEPT) {
        return 1;
    }
    let family = wanted.split('/').next().unwrap_or_default();
    let mut best = (0, 0);
    for (range, weight) in weighted(headers, &ACCEPT) {
        let specific = match range.split_once('/') {
            _ if range.eq_ignore_ascii_case(wanted) => 3,
            Some((of, "*")) if of.eq_ignore_ascii_case(family) => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        if specific > best.0 {
            best = (specific, weight);
        }
    }
    // A bare wildcard is not a preference.
    if best.0 == 1 { best.1.min(1) } else { best.1 }
}

/// True if the client prefers a page to JSON.
pub(in crate::web) fn prefers_page(headers: &HeaderMap) -> bool {
    let (page, json) = (weight(headers, "text/html"), weight(headers, "application/json"));
    page > json || (page == json && page > 1)
}

/// True if the client requests the stream itself.
pub(in crate::web) fn prefers_stream(headers: &HeaderMap) -> bool {
    let stream = weight(headers, "text/event-stream");
    stream > 1 && stream > weight(headers, "application/json") && stream > weight(headers, "text/html")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())])
    }

    #[test]
    fn browsers_get_html_programs_get_json() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert!(prefers_page(&headers(browser)));
        assert!(!prefers_page(&headers("*/*")));
        assert!(!prefers_page(&HeaderMap::new()));
        assert!(!prefers_page(&headers("application/json")));
        assert!(!prefers_page(&headers("text/html;q=0.4, application/json")));
        assert!(prefers_page(&headers("text/*")));
    }

    #[test]
    fn stream_requires_explicit_accept() {
        assert!(prefers_stream(&headers("text/event-stream")));
        assert!(!prefers_stream(&headers("*/*")));
        assert!(!prefers_stream(&headers("application/json, text/event-stream;q=0.5")));
    }
}
