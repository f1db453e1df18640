//! The route of scripts, style sheets and the logo: compressed if the client accepts it, and cached for as long as the
//! name stays.

use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use headers::{ETag, HeaderMapExt as _, IfNoneMatch};

use crate::processes::Processes;
use crate::web::request::accept::takes_gzip;
use crate::web::request::context::Context;
use crate::web::request::problem::Problem;

/// `GET /assets/{name}`: a name with a hash is cached for ever; others are revalidated each time.
pub(in crate::web) async fn asset(
    State(processes): State<Processes>,
    Path(name): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = processes.assets().find(&name, context.language.texts()) else {
        return Problem::not_found().respond(&context);
    };
    let packed = if takes_gzip(&headers) { asset.packed() } else { None };
    // Compressed bytes need their own ETag.
    let tag = if packed.is_some() { format!("\"{}-gzip\"", asset.tag) } else { format!("\"{}\"", asset.tag) };
    let tag = tag.parse::<ETag>().ok();
    let mut response = if tag.as_ref().is_some_and(|tag| is_known(&headers, tag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response =
            ([(CONTENT_TYPE, asset.media_type)], packed.unwrap_or(&asset.bytes).clone()).into_response();
        if packed.is_some() {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    };
    let (caching, vary) = if asset.is_immutable {
        ("public, max-age=31536000, immutable", "accept-encoding")
    } else {
        ("no-cache", "accept-encoding, accept-language")
    };
    let answer = response.headers_mut();
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.insert(VARY, HeaderValue::from_static(vary));
    if let Some(tag) = tag {
        answer.typed_insert(tag);
    }
    response
}

/// True if the client has these bytes. A proxy that recompresses marks the tag as weak.
fn is_known(headers: &HeaderMap, tag: &ETag) -> bool {
    headers.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(tag))
}

#[cfg(test)]
mod tests {
    use axum::http::header::IF_NONE_MATCH;

    use super::*;

    #[test]
    fn weak_and_listed_etags_match() {
        let is_known = |list: &str| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(list).unwrap())]);
            is_known(&headers, &"\"a\"".parse().unwrap())
        };
        assert!(is_known("\"a\"") && is_known("\"b\", W/\"a\"") && is_known("*"));
        assert!(!is_known("\"b\"") && !is_known("\"a-gzip\"") && !is_known("a"));
    }
}
