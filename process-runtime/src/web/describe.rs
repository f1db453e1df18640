//! Owns the routes that describe processes to programs: the schema of one, and the document of all.
//! Refuses to know what stands in them.

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::openapi;
use super::process::find;
use super::respond::{Context, Problem, json};
use crate::process::Process;
use crate::processes::Processes;
use crate::schema;

/// `GET /{process}/schema.json`
pub(super) async fn schema(
    State(processes): State<Processes>,
    Path(path): Path<String>,
    context: Context,
) -> Response {
    describe(find(&processes, None, &path), &context)
}

/// `GET /{group}/{process}/schema.json`
pub(super) async fn schema_in_group(
    State(processes): State<Processes>,
    Path((group, path)): Path<(String, String)>,
    context: Context,
) -> Response {
    describe(find(&processes, Some(&group), &path), &context)
}

fn describe(process: Option<&'static Process>, context: &Context) -> Response {
    let Some(process) = process else { return Problem::not_found().respond(context) };
    let mut response = json(StatusCode::OK, &schema::of_process(process));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    response
}

/// `GET /openapi.json`
pub(super) async fn openapi(State(processes): State<Processes>, context: Context) -> Response {
    let mounted: Vec<_> = processes.registry().iter().collect();
    json(StatusCode::OK, &openapi::document(&mounted, &context.base))
}
