//! Owns how what pages load is sent: packed, and for as long as its name is true.
//! Refuses to know what it is.

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::respond::{Context, Problem};
use crate::processes::Processes;

/// `GET /assets/{name}`: what has a name with a hash never changes; the rest is asked for again each time.
pub(super) async fn asset(
    State(processes): State<Processes>,
    Path(name): Path<String>,
    context: Context,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = processes.assets().find(&name, context.language.texts()) else {
        return Problem::not_found().respond(&context);
    };
    let tag = format!("\"{}\"", asset.tag);
    let known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, asset.media_type)], asset.text.clone()).into_response()
    };
    let caching = if asset.is_immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    if !asset.is_immutable {
        response.headers_mut().insert(VARY, HeaderValue::from_name(ACCEPT_LANGUAGE));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
    }
    response
}
