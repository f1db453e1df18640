//! Content negotiation of the language: by `?lang=`, by cookie, by `Accept-Language`.

use std::sync::Arc;

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::texts::{Languages, Texts};
use crate::web::request::query::query;

/// What names the language in an address.
pub(in crate::web) const LANG: &str = "lang";
const KEPT: &str = "process-lang";
/// How long it is remembered, in seconds: a year.
const KEPT_FOR: u32 = 31_536_000;

/// The language of one request.
#[derive(Debug, Clone)]
pub(in crate::web) struct Language {
    /// What its address asks for. It is remembered.
    asked: Option<Arc<Texts>>,
    otherwise: Arc<Texts>,
}

impl Language {
    /// By the address, or else by the cookie, by what the browser accepts, by the default. What is not known
    /// says nothing.
    pub(in crate::web) fn of(languages: &Languages, uri: &Uri, headers: &HeaderMap) -> Self {
        let asked =
            query(uri).find(|(name, _)| name == LANG).and_then(|(_, tag)| languages.find(&tag).cloned());
        let kept = || texts(headers, &COOKIE).find_map(|cookies| languages.find(kept_in(cookies)?));
        let accepted = || texts(headers, &ACCEPT_LANGUAGE).find_map(|header| languages.accepted(header));
        let otherwise = kept().or_else(accepted).unwrap_or_else(|| languages.default());
        Self { asked, otherwise: Arc::clone(otherwise) }
    }

    /// The language without what the address asks for: there it means something else.
    pub(in crate::web) fn unasked(&self) -> Self {
        Self { asked: None, otherwise: Arc::clone(&self.otherwise) }
    }

    pub(in crate::web) fn texts(&self) -> &Texts {
        self.asked.as_ref().unwrap_or(&self.otherwise)
    }

    /// Says in which language a page is, and has the browser remember it where it was asked for.
    pub(in crate::web) fn write(&self, base: &str, is_https: bool, headers: &mut HeaderMap) {
        if let Ok(tag) = HeaderValue::try_from(self.texts().tag()) {
            headers.insert(CONTENT_LANGUAGE, tag);
        }
        let Some(asked) = &self.asked else { return };
        // A semicolon would end the path.
        let path = if base.is_empty() || base.contains(';') { "/" } else { base };
        let secure = if is_https { "; Secure" } else { "" };
        let cookie = format!(
            "{KEPT}={}; Path={path}; Max-Age={KEPT_FOR}; SameSite=Lax; HttpOnly{secure}",
            asked.tag()
        );
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

fn texts<'a>(headers: &'a HeaderMap, name: &axum::http::HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
}

fn kept_in(cookies: &str) -> Option<&str> {
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(KEPT)?.strip_prefix('='))
}
