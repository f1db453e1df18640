//! Downloads: the limit of concurrent ones, the headers that make a browser save a file or display it safely, and
//! ranges.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HeaderName,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use headers::{ContentRange, HeaderMapExt as _};
use tokio::sync::OwnedSemaphorePermit;

use crate::byte_source::ByteSource;
use crate::media_type::{UNKNOWN, View};
use crate::processes::Processes;
use crate::texts::Message;
use crate::web::request::conditional::{Selection, Validators};
use crate::web::request::context::Context;
use crate::web::request::path;
use crate::web::request::problem::Problem;
use crate::web::stream::held_body::hold;

/// The policy of a displayed file: an opaque origin, no scripts, and no network requests.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The permit of one download.
pub(in crate::web) fn permit(processes: &Processes) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(processes.downloads()).try_acquire_owned().map_err(|_| {
        let most = processes.limits().max_downloads;
        Problem::later(Message::new("problem.downloads").with("most", most))
    })
}

/// The headers that determine how a browser handles a file.
pub(in crate::web) struct Head(HeaderMap);

impl Head {
    /// Downloads the file under this name, and never displays or runs it.
    pub(in crate::web) fn attachment(name: &str, media_type: &str) -> Self {
        Self::new("attachment", name, media_type)
    }

    /// Displays the file.
    pub(in crate::web) fn inline(name: &str, media_type: &str, view: View) -> Self {
        let media_type = if view == View::Text { "text/plain; charset=utf-8" } else { media_type };
        let mut head = Self::new("inline", name, media_type);
        if view != View::Pdf {
            head.0.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX));
            // The HTML standard forbids a sandboxed page with a stricter opener policy.
            head.0.insert(OPENER_POLICY, HeaderValue::from_static("unsafe-none"));
        }
        head
    }

    fn new(disposition: &'static str, name: &str, media_type: &str) -> Self {
        let media_type = HeaderValue::try_from(media_type);
        let plain: String = name
            .chars()
            .map(|c| if c.is_ascii_graphic() && !matches!(c, '"' | '\\') { c } else { '_' })
            .collect();
        let named = format!("{disposition}; filename=\"{plain}\"; filename*=UTF-8''{}", path::segment(name));
        let named = HeaderValue::try_from(named);
        Self(HeaderMap::from_iter([
            (CONTENT_TYPE, media_type.unwrap_or(HeaderValue::from_static(UNKNOWN))),
            (CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static(disposition))),
        ]))
    }

    /// A body of unknown length, without ranges.
    pub(in crate::web) fn stream(self, body: Body) -> Response {
        let caching = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        (caching, [(ACCEPT_RANGES, HeaderValue::from_static("none"))], self.0, body).into_response()
    }
}

/// A request for a download.
pub(in crate::web) struct Download<'a> {
    pub(in crate::web) context: &'a Context,
    pub(in crate::web) method: &'a Method,
    pub(in crate::web) headers: &'a HeaderMap,
    pub(in crate::web) permit: OwnedSemaphorePermit,
}

impl Download<'_> {
    /// Responds with the requested part of the source.
    pub(in crate::web) async fn of(self, source: impl ByteSource, head: Head) -> io::Result<Response> {
        let length = source.length();
        let validators = Validators::new(source.tag(), source.modified());
        let refused = |status, detail: &'static str| Problem::new(status, detail).respond(self.context);
        let (status, part) = match validators.select(self.method, self.headers, length) {
            Selection::Whole => (StatusCode::OK, 0..length),
            Selection::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
            Selection::NotModified => (StatusCode::NOT_MODIFIED, 0..0),
            Selection::PreconditionFailed => {
                return Ok(refused(StatusCode::PRECONDITION_FAILED, "problem.precondition"));
            }
            Selection::Unsatisfiable => {
                let mut response = refused(StatusCode::RANGE_NOT_SATISFIABLE, "problem.range");
                response.headers_mut().typed_insert(ContentRange::unsatisfied_bytes(length));
                return Ok(response);
            }
        };
        let mut response = (status, head.0).into_response();
        let headers = response.headers_mut();
        validators.write(headers);
        // Validated at each use, so that a browser shows no cached copy after the permission was withdrawn.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        if status == StatusCode::NOT_MODIFIED {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_DISPOSITION);
            return Ok(response);
        }
        headers.insert(CONTENT_LENGTH, (part.end - part.start).into());
        if status == StatusCode::PARTIAL_CONTENT
            && let Ok(range) = ContentRange::bytes(part.clone(), length)
        {
            headers.typed_insert(range);
        }
        *response.body_mut() = hold(Body::from_stream(source.read(part).await?), self.permit);
        Ok(response)
    }
}
