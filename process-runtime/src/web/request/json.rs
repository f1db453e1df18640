//! JSON responses: runs and processes with links to what the client may do, and field errors.

use axum::Json;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::field::FieldErrors;
use crate::process::Process;
use crate::run::Run;
use crate::texts::Texts;
use crate::web::request::active::ActiveCounts;
use crate::web::request::path;
use crate::web::request::rights::Rights;
use crate::wire::ResumePoint;

/// A JSON response that is not cached.
pub(in crate::web) fn json(status: StatusCode, body: &Value) -> Response {
    let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (status, no_store, Json(body)).into_response()
}

/// The run as JSON, with links to permitted actions and the address of each file.
pub(in crate::web) fn run_json(base: &str, run: &Run, rights: Rights) -> Value {
    let url = format!("{base}/runs/{}", run.id);
    let mut value = serde_json::to_value(run).unwrap_or_default();
    let files = run.files.iter().map(|file| {
        let mut offered = json!({
            "name": file.name, "size": file.size, "type": file.media_type, "viewable": file.is_viewable(),
        });
        if rights.download {
            offered["url"] = format!("{url}/files/{}", path::segment(&file.name)).into();
        }
        offered
    });
    if let Some(fields) = value.as_object_mut() {
        // What the runtime needs to resume the run is not part of the API.
        fields.shift_remove("books");
    }
    value["files"] = files.collect();
    value["resume"] = json!(ResumePoint::of(run));
    let process = format!("{base}/{}/show_progress", path::route(&run.process));
    let links = [
        ("self", true, url.clone()),
        ("process", rights.process, process),
        ("events", true, format!("{url}/events")),
        ("cancel", rights.control, format!("{url}/cancel")),
        ("pause", rights.control, format!("{url}/pause")),
        ("resume", rights.control, format!("{url}/resume")),
        ("retry", rights.control && rights.start, format!("{url}/retry")),
        ("share", rights.share, format!("{url}/share")),
        ("log", rights.download, format!("{url}/log")),
        ("result", rights.download, format!("{url}/result")),
        ("files", rights.download, format!("{url}/files/")),
        ("inputs", rights.download, format!("{url}/inputs/")),
    ];
    let links = links.into_iter().filter(|(_, may, _)| *may);
    value["links"] = links.map(|(name, _, address)| (name.to_owned(), Value::from(address))).collect();
    value
}

/// Field errors as JSON, in this language.
pub(in crate::web) fn errors_json(errors: &FieldErrors, texts: &Texts) -> Value {
    errors.iter().map(|error| json!({ "field": error.field, "message": error.said(texts) })).collect()
}

/// A process as JSON, with links to permitted actions.
pub(in crate::web) fn process_json(
    base: &str,
    process: &Process,
    latest: Option<(&Run, Rights)>,
    active: ActiveCounts,
    starts: bool,
) -> Value {
    let address = format!("{base}/{}", path::route(&process.route()));
    let mut links = json!({ "show_progress": format!("{address}/show_progress") });
    if starts {
        links["start"] = format!("{address}/start").into();
    }
    json!({
        "process": process.route(),
        "title": process.title,
        "description": process.description,
        "schedule": process.schedule,
        "next_run_at": process.next_run_after(Timestamp::now()),
        "active_runs": active.json(),
        "latest": latest.map(|(run, rights)| run_json(base, run, rights)),
        "links": links,
    })
}
