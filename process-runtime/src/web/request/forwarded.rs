//! Forwarded headers of a trusted proxy: host, scheme, prefix and client address as the browser had them.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{FORWARDED, HOST, HeaderName};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};

use crate::processes::Processes;
use crate::redirect::local_redirect;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The host of a request, in lower case; `None` if it is missing or ambiguous.
pub(in crate::web) fn host(processes: &Processes, parts: &Parts) -> Option<String> {
    let headers = &parts.headers;
    let said = match processes.origins().are_forwarded() {
        true => [element(headers, "host"), last(headers, &FORWARDED_HOST).map(str::to_owned)],
        false => [None, None],
    };
    let host = match said {
        [Some(one), Some(other)] => Some(one).filter(|one| one.eq_ignore_ascii_case(&other)),
        [Some(host), None] | [None, Some(host)] => Some(host),
        // In HTTP/2 it is in the target, in HTTP/1 in the header.
        [None, None] => {
            let of_target = parts.uri.authority().map(Authority::as_str);
            of_target.or_else(|| headers.get(HOST)?.to_str().ok()).map(str::to_owned)
        }
    };
    host.map(|host| host.to_ascii_lowercase())
}

/// True if the browser is known to use HTTPS.
pub(in crate::web) fn is_https(processes: &Processes, headers: &HeaderMap) -> bool {
    if !processes.origins().are_forwarded() {
        return false;
    }
    let said = element(headers, "proto").or_else(|| last(headers, &FORWARDED_PROTO).map(str::to_owned));
    said.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The prefix that a proxy has removed from the path, without a trailing slash.
pub(in crate::web) fn prefix<'a>(processes: &Processes, headers: &'a HeaderMap) -> &'a str {
    let said = Some(headers).filter(|_| processes.origins().are_forwarded());
    let prefix = said.and_then(|headers| last(headers, &FORWARDED_PREFIX)).unwrap_or_default();
    let prefix = prefix.trim_end_matches('/');
    let is_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte);
    let prefix = local_redirect(prefix).filter(|prefix| prefix.bytes().all(is_path));
    prefix.unwrap_or_default()
}

/// The client address: from the nearest proxy, or the peer of the connection.
pub(in crate::web) fn address(processes: &Processes, parts: &Parts) -> Option<IpAddr> {
    let headers = &parts.headers;
    let said = match processes.origins().are_forwarded() {
        true => element(headers, "for").or_else(|| last(headers, &FORWARDED_FOR).map(str::to_owned)),
        false => None,
    };
    let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    said.and_then(|said| ip(&said)).or_else(peer)
}

/// An IP address, with or without a port, in brackets if it has colons.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

/// The last value of a comma-separated header, which the nearest proxy added.
fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let text = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    text.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// The value that the nearest proxy added to `Forwarded` under this name.
fn element(headers: &HeaderMap, name: &str) -> Option<String> {
    let nearest = last_element(headers.get_all(FORWARDED).iter().next_back()?)?;
    nearest.split(';').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        let value = value.trim();
        // A host with a port is quoted; neither contains quotes.
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        found.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn last_element(value: &HeaderValue) -> Option<&str> {
    let text = value.to_str().ok()?;
    text.rsplit(',').next()
}
