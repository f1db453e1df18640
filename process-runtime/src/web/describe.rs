//! Owns how processes are described to programs: one as JSON, its schema, and the document of all.
//! Refuses to know what stands in the schema and in the document.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json as object};

use super::process::Found;
use super::respond::{Context, Problem, json, run_json};
use super::{openapi, path};
use crate::process::Process;
use crate::processes::Processes;
use crate::run::Run;
use crate::schema;

/// A process as JSON, with links.
pub(super) fn process_json(base: &str, process: &Process, latest: Option<&Run>) -> Value {
    let address = format!("{base}/{}", path::route(&process.route()));
    object!({
        "process": process.route(),
        "title": process.title,
        "description": process.description,
        "schedule": process.schedule,
        "next_run_at": process.next_run_after(Timestamp::now()),
        "latest": latest.map(|run| run_json(base, run)),
        "links": { "show_progress": format!("{address}/show_progress"), "start": format!("{address}/start") },
    })
}

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
