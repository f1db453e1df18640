//! Owns the route of the figures for operators.
//! Refuses to know which there are.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::respond::{Context, Problem};
use crate::processes::Processes;

/// `GET /metrics`, behind all that guards the pages. There only where the builder was told to.
pub(super) async fn metrics(State(processes): State<Processes>, context: Context) -> Response {
    let Some(text) = processes.metrics().await else { return Problem::not_found().respond(&context) };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}
