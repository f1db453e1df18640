//! What a client prefers, by headers of weighted lists (RFC 9110, section 12.5): media types, codings, languages.

use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
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

/// True if the client requests JSON explicitly, and prefers it to a stream.
pub(in crate::web) fn prefers_json_to_stream(headers: &HeaderMap) -> bool {
    let json = weight(headers, "application/json");
    json > 1 && json > weight(headers, "text/event-stream")
}

/// True if the client accepts gzip, and does not prefer uncompressed bytes.
pub(in crate::web) fn takes_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut others) = (None, None, None);
    for (coding, weight) in weighted(headers, &ACCEPT_ENCODING) {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => gzip = Some(weight),
            "identity" => identity = Some(weight),
            "*" => others = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(others).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
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

    #[test]
    fn stream_is_json_only_if_asked() {
        assert!(prefers_json_to_stream(&headers("application/json")));
        assert!(!prefers_json_to_stream(&headers("*/*")));
        assert!(!prefers_json_to_stream(&headers("text/event-stream, application/json;q=0.5")));
        assert!(!prefers_json_to_stream(&HeaderMap::new()));
    }

    fn takes(accept: &[&str]) -> bool {
        let values = accept.iter().map(|value| (ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap()));
        takes_gzip(&HeaderMap::from_iter(values))
    }

    #[test]
    fn gzip_only_for_accepting_clients() {
        for accept in
            ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5", "*", "x-gzip", "gzip ; q=0.001"]
        {
            assert!(takes(&[accept]), "{accept}");
        }
        for accept in
            ["", "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "identity, gzip;q=0.5", "gzip;q=x", "gzipped"]
        {
            assert!(!takes(&[accept]), "{accept}");
        }
        assert!(takes(&["br", "gzip"]));
        assert!(!takes(&[]));
    }
}
