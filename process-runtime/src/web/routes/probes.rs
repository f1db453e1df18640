//! `/healthz` and `/readyz` for load balancers and orchestrators.
//!
//! Probes use any host, such as the address of a pod, and get nothing that a stranger could use. So these two routes
//! are outside the guard.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::processes::Processes;
use crate::web::request::guard::protect;
use crate::web::request::observe::observed;

/// `GET /healthz` and `GET /readyz`
pub(in crate::web) fn probes() -> Router<Processes> {
    Router::new().route("/healthz", get(healthy)).route("/readyz", get(ready)).layer(from_fn(around))
}

async fn around(request: Request, next: Next) -> Response {
    let mut response = observed(request, |request| next.run(request)).await;
    protect(&mut response);
    response
}

/// An answer is all that this route shows. It does not check the store, because a restart would not repair that.
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
    (status, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], word).into_response()
}
