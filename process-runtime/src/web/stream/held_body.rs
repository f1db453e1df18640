//! A body that keeps a value alive until it is sent.

use axum::body::Body;
use http_body_util::BodyExt as _;

/// The body, which drops `kept` when it is sent or given up.
pub(in crate::web) fn hold(body: Body, kept: impl Send + 'static) -> Body {
    // Of the adapters that own something, this one keeps the body's length.
    Body::new(body.map_err(move |error| {
        let _held = &kept;
        error
    }))
}
