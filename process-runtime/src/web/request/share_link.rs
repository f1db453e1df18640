//! The tokens of share links, in URLs and cookies: the runs that they let a request view.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{Method, Uri};

use crate::access::ShareGrant;
use crate::processes::Processes;
use crate::throttle::Throttle;
use crate::web::request::cookies::cookies;
use crate::web::request::query::query;

/// The query parameter with a token.
pub(in crate::web) const SHARE: &str = "share";
/// The cookie with tokens, the newest first, separated by dots.
pub(in crate::web) const KEPT: &str = "process-share";
/// How many tokens the cookie keeps.
pub(in crate::web) const MOST: usize = 10;

static NO_GRANT: Throttle = Throttle::every(Duration::from_secs(10));

/// The runs that this request may view because of a share link.
pub(in crate::web) fn shared(processes: &Processes, parts: &Parts) -> Vec<ShareGrant> {
    let Some(signer) = processes.signer() else { return Vec::new() };
    let reads = [Method::GET, Method::HEAD].contains(&parts.method);
    let asked = asked(&parts.uri).filter(|_| reads).map(|token| signer.read(&token));
    if asked.as_ref().is_some_and(Option::is_none)
        && let Some(left_out) = NO_GRANT.admit()
    {
        tracing::warn!(
            "a share link was not accepted: it has expired, or was not signed with this key (Builder::secret){left_out}"
        );
    }
    let kept = kept(parts).map(|token| signer.read(token));
    asked.into_iter().chain(kept).flatten().collect()
}

pub(in crate::web) fn asked(uri: &Uri) -> Option<Cow<'_, str>> {
    query(uri).find(|(name, _)| name == SHARE).map(|(_, token)| token)
}

pub(in crate::web) fn kept(parts: &Parts) -> impl Iterator<Item = &str> {
    let kept = cookies(&parts.headers, KEPT);
    kept.flat_map(|tokens| tokens.split('.')).take(MOST)
}
