//! The process that a path names.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::process::Process;
use crate::processes::Processes;
use crate::web::request::path;

/// The process that a path names, `/{process}/…` or `/{group}/{process}/…`; `None` if there is none.
pub(in crate::web) struct ProcessPath(pub(in crate::web) Option<&'static Process>);

impl FromRequestParts<Processes> for ProcessPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, processes: &Processes) -> Result<Self, Infallible> {
        let path = parts.uri.path().trim_start_matches('/');
        let asked = path.rsplit_once('/').map_or("", |(route, _)| route);
        let found = percent_decode_str(asked).decode_utf8().ok();
        let found = found.and_then(|route| processes.registry().get(&route));
        // Only the canonical spelling: to a layer in front, an encoded slash would be another path.
        Ok(Self(found.filter(|process| path::route(&process.route()) == asked)))
    }
}
