//! The examples' own pages, which show how any page can watch processes, at `/elements`.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;

/// As strict as the policy of the processes' pages: the element and the client need no more.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types process";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! page {
    ($media_type:expr, $name:literal) => {
        get(file($media_type, include_str!(concat!("../pages/", $name))))
    };
}

/// The pages and the files that they load.
pub(crate) fn pages() -> Router {
    Router::new()
        .route("/elements", page!(HTML, "elements.html"))
        .route("/elements/elements.css", page!(CSS, "elements.css"))
        .route("/elements/elements.js", page!(SCRIPT, "elements.js"))
        .route("/elements/client.js", page!(SCRIPT, "client.js"))
        .route("/elements/messages.js", page!(SCRIPT, "messages.js"))
}

fn file(media_type: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    let head: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, media_type), (CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")];
    (head, text)
}
