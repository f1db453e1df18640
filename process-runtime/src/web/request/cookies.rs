//! Cookies of the pages: reading one by its name, and setting one for the mount.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// The values that a request has for this name.
pub(in crate::web) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(COOKIE).iter().filter_map(|list| list.to_str().ok());
    let found = lists.flat_map(Cookie::split_parse).filter_map(Result::ok);
    found.filter(move |cookie| cookie.name() == name).filter_map(|cookie| cookie.value_raw())
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
    let cookie = Cookie::build((name, value)).path(path).max_age(Duration::seconds(seconds));
    let cookie = cookie.same_site(SameSite::Lax).http_only(true).secure(is_https);
    HeaderValue::try_from(cookie.to_string()).ok()
}
