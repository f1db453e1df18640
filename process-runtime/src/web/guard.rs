//! Owns what every request must pass and every answer carries: host, origin, security headers.
//! Refuses to know what is behind it.

use axum::extract::{Request, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::head::too_much;
use super::respond::{Context, Problem};
use crate::processes::Processes;
use crate::texts::Message;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types process";

pub(super) async fn guard(
    State(processes): State<Processes>,
    context: Context,
    request: Request,
    next: Next,
) -> Response {
    let host = host_of(&request).map(str::to_ascii_lowercase);
    let known = host.as_deref().is_some_and(|host| processes.hosts().iter().any(|one| matches(one, host)));
    let mut response = if !known {
        let host = host.unwrap_or_default();
        let detail = Message::new("problem.host").with("host", host);
        Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).respond(&context)
    } else if !is_own(&request, host.as_deref().unwrap_or_default()) {
        Problem::new(StatusCode::FORBIDDEN, "problem.other_site").respond(&context)
    } else if let Some(problem) = too_much(&request, processes.limits()) {
        problem.respond(&context)
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

/// The host a request is for: from its target in HTTP/2, from its header in HTTP/1.
fn host_of(request: &Request) -> Option<&str> {
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    authority.or_else(|| request.headers().get(HOST)?.to_str().ok())
}

/// True when the listed name is the host's, whatever its port.
fn matches(listed: &str, host: &str) -> bool {
    let port =
        |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    host.strip_prefix(listed).is_some_and(|rest| rest.is_empty() || port(rest))
}

/// True unless another site made the browser send this request, where that could do harm.
fn is_own(request: &Request, host: &str) -> bool {
    let headers = request.headers();
    let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let stream = {
        let path = request.uri().path();
        path.ends_with("/events") || path.ends_with("/start")
    };
    if safe && !stream {
        return true;
    }
    match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => true,
        Some(_) => false,
        // An older browser, or plain HTTP: a form says where it comes from; curl says nothing.
        None => has_own_origin(headers, host),
    }
}

fn has_own_origin(headers: &HeaderMap, host: &str) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
}
