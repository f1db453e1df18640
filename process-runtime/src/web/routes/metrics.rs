//! The route of the metrics.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::processes::Processes;
use crate::web::request::context::Context;

/// `GET /metrics`, behind the same checks as the pages. It exists only if the builder enables it, and needs permission
/// to operate.
pub(in crate::web) async fn metrics(
    State(processes): State<Processes>,
    context: Context,
) -> Result<Response, Response> {
    context.visitor.may_operate().await.map_err(|refused| context.refuse(refused))?;
    let text = if processes.has_metrics_route() { processes.metrics().await } else { None };
    let Some(text) = text else { return Err(context.nothing().await) };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, text).into_response())
}
