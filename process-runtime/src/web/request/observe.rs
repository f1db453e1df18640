//! A tracing span and metrics around each request. They contain the pattern of the route, never the URL, which clients
//! control.

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::http::header::LOCATION;
use axum::response::Response;
use tracing::field::{Empty, display};
use tracing::{Instrument, debug_span};

use crate::meters;
use crate::run::RunId;

/// The label for everything else, so that clients cannot create any number of labels.
const OTHER: &str = "other";

/// Handles a request and records the outcome.
pub(in crate::web) async fn observed<F>(request: Request, answer: impl FnOnce(Request) -> F) -> Response
where
    F: Future<Output = Response>,
{
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(OTHER, MatchedPath::as_str);
    let span = debug_span!(target: "process_runtime", "request", method, route, run = Empty, status = Empty);
    if let Some(run) = asked(request.uri().path()) {
        span.record("run", display(run));
    }
    let response = answer(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    if let Some(run) = response.headers().get(LOCATION).and_then(|address| begun(address.to_str().ok()?)) {
        span.record("run", display(run));
    }
    span.record("status", status);
    meters::http_request(route, method, status);
    response
}

fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}

/// The run that a path refers to.
fn asked(path: &str) -> Option<RunId> {
    path.strip_prefix("/runs/")?.split('/').next()?.parse().ok()
}

/// The run that a start redirects to.
fn begun(address: &str) -> Option<RunId> {
    address.rsplit_once("/runs/")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_belongs_to_run_in_path() {
        let id = RunId::new();
        assert_eq!(asked(&format!("/runs/{id}")), Some(id));
        assert_eq!(asked(&format!("/runs/{id}/files/a%20b")), Some(id));
        assert_eq!(begun(&format!("/a/b/runs/{id}")), Some(id));
        for path in ["/runs", "/runs/", "/runs/x\u{1b}[31m/log", "/count/start", "/"] {
            assert_eq!((asked(path), begun(path)), (None, None), "{path}");
        }
    }
}
