//! Cookies of the pages: reading one by its name, and setting one for the mount.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

/// The values that a request has for this name.
pub(in crate::web) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
    let pairs = lists.flat_map(|list| list.split(';'));
    pairs.filter_map(move |pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A `Set-Cookie` header for pages below this mount, which scripts cannot read. It is kept for so many seconds.
pub(in crate::web) fn set_cookie(
    name: &str,
    value: &str,
    (base, is_https): (&str, bool),
    seconds: i64,
) -> Option<HeaderValue> {
    // A semicolon would end the path.
    let path = if base.is_empty() || base.contains(';') { "/" } else { base };
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={path}; Max-Age={seconds}; SameSite=Lax; HttpOnly{secure}");
    HeaderValue::try_from(cookie).ok()
}
