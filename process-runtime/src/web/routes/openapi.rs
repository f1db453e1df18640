//! The routes that describe processes to programs: JSON Schema and OpenAPI.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::access::Action;
use crate::schema;
use crate::web::request::context::Context;
use crate::web::request::json::json;
use crate::web::request::process_path::ProcessPath;

mod document;

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
    let mut shown = Vec::new();
    for process in context.all_processes().await? {
        shown.push((process, context.is_allowed(Some(process), None, Action::Start).await?));
    }
    Ok(json(StatusCode::OK, &document::document(&shown, &context.base)))
}
