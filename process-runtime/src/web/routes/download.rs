//! Downloads: how many may be open at the same time, and the headers that make a browser save a file.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::sync::OwnedSemaphorePermit;

use crate::processes::Processes;
use crate::texts::Message;
use crate::web::request::path;
use crate::web::request::problem::Problem;
use crate::web::stream::held_body::hold;

/// Lets one download go on.
pub(in crate::web) struct DownloadPermit {
    _permit: OwnedSemaphorePermit,
}

impl DownloadPermit {
    /// One more; an error when as many are under way as may be.
    pub(in crate::web) fn take(processes: &Processes) -> Result<Self, Problem> {
        let free = Arc::clone(processes.downloads()).try_acquire_owned();
        free.map(|permit| Self { _permit: permit }).map_err(|_| {
            let most = processes.limits().max_downloads;
            Problem::later(Message::new("problem.downloads").with("most", most))
        })
    }

    /// The body, which keeps the permit for as long as there is anything of it to send.
    pub(in crate::web) fn hold(self, body: Body) -> Body {
        hold(body, self)
    }
}

/// A body that browsers save under this name, and never show or run.
pub(in crate::web) fn download(name: &str, content_type: &str, body: Body) -> Response {
    let content_type = HeaderValue::try_from(content_type);
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { '_' })
        .collect();
    let disposition = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", path::segment(name));
    let disposition = HeaderValue::try_from(disposition);
    let mut response =
        ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, HeaderValue::from_static("no-store"))], body)
            .into_response();
    let attachment = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    response.headers_mut().insert(CONTENT_DISPOSITION, attachment);
    response
}
