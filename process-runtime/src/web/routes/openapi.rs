//! The routes that describe processes to programs: JSON Schema and OpenAPI.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::access::Action;
use crate::schema;
use crate::web::request::context::Context;
use crate::web::request::json::json;
use crate::web::request::process_path::ProcessPath;

mod components;
mod document;
mod json_schema;
mod model;
mod of_process;
mod of_run;
mod operations;

use document::{Offered, document};

/// `GET …/schema.json`
pub(in crate::web) async fn schema(
    ProcessPath(process): ProcessPath,
    context: Context,
) -> Result<Response, Response> {
    let (process, _) = context.process(process, Action::View).await?;
    let mut response = json(StatusCode::OK, &schema::of_process(process));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    Ok(response)
}

/// `GET /openapi.json`
pub(in crate::web) async fn openapi(context: Context) -> Result<Response, Response> {
    let mut processes = Vec::new();
    for process in context.all_processes().await? {
        processes.push((process, context.is_allowed(Some(process), None, Action::Start).await?));
    }
    let has_metrics = has_metrics(&context).await?;
    let document = document(&Offered { processes: &processes, has_metrics, base: &context.base });
    Ok(json(StatusCode::OK, &serde_json::to_value(&document).unwrap_or_default()))
}

/// True for those with permission to read the metrics, where there are any.
#[cfg(feature = "prometheus")]
async fn has_metrics(context: &Context) -> Result<bool, Response> {
    if !context.processes.has_metrics_route() {
        return Ok(false);
    }
    match context.visitor.may_operate().await {
        Ok(()) => Ok(true),
        Err(refused) if refused.is_failure() => Err(context.refuse(refused)),
        Err(_) => Ok(false),
    }
}

#[cfg(not(feature = "prometheus"))]
async fn has_metrics(_: &Context) -> Result<bool, Response> {
    Ok(false)
}
