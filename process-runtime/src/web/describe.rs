//! Owns the routes that describe processes to programs: the schema of one, and the document of all.
//! Refuses to know what stands in them.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::openapi;
use super::process::Found;
use super::respond::{Context, Problem, json};
use crate::processes::Processes;
use crate::schema;

/// `GET …/schema.json`
pub(super) async fn schema(Found(process): Found, context: Context) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(&context) };
    let mut response = json(StatusCode::OK, &schema::of_process(process));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    response
}

/// `GET /openapi.json`
pub(super) async fn openapi(State(processes): State<Processes>, context: Context) -> Response {
    let mounted: Vec<_> = processes.registry().iter().collect();
    json(StatusCode::OK, &openapi::document(&mounted, &context.base))
}
