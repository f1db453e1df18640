//! Owns how processes are described to programs: one as JSON, its schema, and the document of all.
//! Refuses to know what stands in the schema and in the document.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json as object};

use super::process::Found;
use super::respond::{Context, json, run_json};
use super::rights::Rights;
use super::{openapi, path};
use crate::access::Action;
use crate::process::Process;
use crate::run::Run;
use crate::schema;

/// A process as JSON, with links to what one may do.
pub(super) fn process_json(
    base: &str,
    process: &Process,
    latest: Option<(&Run, Rights)>,
    starts: bool,
) -> Value {
    let address = format!("{base}/{}", path::route(&process.route()));
    let mut links = object!({ "show_progress": format!("{address}/show_progress") });
    if starts {
        links["start"] = format!("{address}/start").into();
    }
    object!({
        "process": process.route(),
        "title": process.title,
        "description": process.description,
        "schedule": process.schedule,
        "next_run_at": process.next_run_after(Timestamp::now()),
        "latest": latest.map(|(run, rights)| run_json(base, run, rights)),
        "links": links,
    })
}

/// `GET …/schema.json`
pub(super) async fn schema(Found(process): Found, context: Context) -> Result<Response, Response> {
    let (process, _) = context.process(process, Action::View).await?;
    let mut response = json(StatusCode::OK, &schema::of_process(process));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/schema+json"));
    Ok(response)
}

/// `GET /openapi.json`
pub(super) async fn openapi(context: Context) -> Result<Response, Response> {
    let mut shown = Vec::new();
    for process in context.all_processes().await? {
        shown.push((process, context.is_allowed(Some(process), None, Action::Start).await?));
    }
    Ok(json(StatusCode::OK, &openapi::document(&shown, &context.base)))
}
