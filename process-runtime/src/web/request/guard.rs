//! The checks that every request passes except probes, and the headers that every response gets: host, CSRF, canonical
//! path, header limits, security headers.

use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::processes::Processes;
use crate::text::OneLine;
use crate::texts::Message;
use crate::throttle::Throttle;
use crate::web::request::context::Context;
use crate::web::request::forwarded::host;
use crate::web::request::head_limits::{encoded, too_much};
use crate::web::request::observe::observed;
use crate::web::request::path;
use crate::web::request::problem::{Problem, excerpt};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types process";

/// Headers of every response. Other sites cannot keep a window on our pages, nor embed resources without CORS; the
/// application can allow that in a layer.
const ALWAYS: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

static OTHER_HOST: Throttle = Throttle::every(Duration::from_secs(10));

/// The checks around every route.
pub(in crate::web) async fn guard(
    State(processes): State<Processes>,
    request: Request,
    next: Next,
) -> Response {
    let answer = |request| guarded(&processes, request, |_, request| async { Ok(next.run(request).await) });
    observed(request, answer).await
}

/// The checks around one handler.
pub(in crate::web) async fn guarded<F>(
    processes: &Processes,
    request: Request,
    answer: impl FnOnce(Context, Request) -> F,
) -> Response
where
    F: Future<Output = Result<Response, Response>>,
{
    let (mut parts, body) = request.into_parts();
    let Ok(context) = Context::from_request_parts(&mut parts, processes).await;
    let host = host(processes, &parts);
    let known = host.as_deref().is_some_and(|host| processes.hosts().iter().any(|one| matches(one, host)));
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method);
    let mut response = if !known {
        let host = excerpt(&host.unwrap_or_default());
        if let Some(left_out) = OTHER_HOST.admit() {
            tracing::warn!(
                "refused a request for the host {}: hosts([…]) names those that are served{left_out}",
                OneLine(&host)
            );
        }
        let detail = Message::new("problem.host").with("host", host);
        Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).respond(&context)
    } else if let Some(refused) = if is_safe { None } else { context.refuses_site() } {
        refused
    } else if !path::is_canonical(path::asked(&parts)) {
        // A layer that guards some processes by path may have interpreted it differently.
        context.nothing().await
    } else if let Some(problem) = too_much(&parts, processes.limits()) {
        problem.respond(&context)
    } else if let Some(problem) = encoded(&parts) {
        problem.respond(&context)
    } else {
        answer(context, Request::from_parts(parts, body)).await.unwrap_or_else(|refused| refused)
    };
    protect(&mut response);
    response
}

/// Adds the headers that every response gets.
pub(in crate::web) fn protect(response: &mut Response) {
    for (name, value) in ALWAYS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// True if the listed name is the host, whatever its port.
fn matches(listed: &str, host: &str) -> bool {
    let port =
        |rest: &str| rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    host.strip_prefix(listed).is_some_and(|rest| rest.is_empty() || port(rest))
}
