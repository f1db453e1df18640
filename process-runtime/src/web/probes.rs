//! Owns what those ask who watch over programs: whether this one answers, and whether it can be given work.
//! Refuses to know why not, beyond one word.
//!
//! They come with whatever host they like, such as the address of a pod, and are told nothing that a stranger could
//! use. So these two routes stand outside of the guard.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::observe::observe;
use crate::processes::Processes;

/// `GET /healthz` and `GET /readyz`
pub(super) fn probes() -> Router<Processes> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready)).layer(from_fn(observe))
}

/// Whoever reads this has got an answer. The store is not asked: a program is not started again because of it.
async fn healthy() -> Response {
    said(StatusCode::OK, "ok")
}

async fn ready(State(processes): State<Processes>) -> Response {
    match processes.readiness().await {
        Ok(()) => said(StatusCode::OK, "ready"),
        Err(why) => said(StatusCode::SERVICE_UNAVAILABLE, why.as_str()),
    }
}

fn said(status: StatusCode, word: &'static str) -> Response {
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    ];
    (status, headers, word).into_response()
}
