//! What every handler knows about its request: where the router is mounted, what the client accepts, and the visitor.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{CACHE_CONTROL, CONTENT_ENCODING, VARY};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use crate::access::Visitor;
use crate::assets::packed_page;
use crate::layout::Page;
use crate::processes::Processes;
use crate::web::pages;
use crate::web::request::accept::{prefers_page, takes_gzip};
use crate::web::request::language::Language;
use crate::web::request::origin::{Foreign, foreign};
use crate::web::request::share_link::shared;
use crate::web::request::{forwarded, path};

/// Where the router is mounted, and what the client accepts.
#[derive(Debug, Clone)]
pub(in crate::web) struct Context {
    /// The absolute path of the mount, without a trailing slash.
    pub(in crate::web) base: String,
    /// The prefix that a proxy has removed from the path.
    pub(in crate::web) cut: String,
    /// True if the client prefers a page to JSON.
    pub(in crate::web) page: bool,
    pub(in crate::web) language: Language,
    takes_gzip: bool,
    /// Why this is a cross-site request, if it is one.
    pub(in crate::web) foreign: Option<Foreign>,
    /// True if the browser is known to use HTTPS: cookies then are `Secure`.
    pub(in crate::web) is_https: bool,
    pub(in crate::web) visitor: Visitor,
    /// The client address, if the server or a trusted proxy provides it.
    pub(in crate::web) address: Option<IpAddr>,
    pub(in crate::web) processes: Processes,
}

impl Context {
    pub(in crate::web) fn shell(&self) -> pages::Shell<'_> {
        let (texts, assets) = (self.language.texts(), self.processes.assets());
        let (css, js, logo) = (assets.css(), assets.script(texts), assets.logo());
        let (watching, starting) = (assets.watching(texts), assets.starting(texts));
        let brand = self.processes.brand();
        pages::Shell { base: &self.base, css, js, watching, starting, logo, brand, texts }
    }

    /// Renders a page, in the application's layout or in the default one. `data` is the content as JSON, for layouts
    /// that use it.
    pub(in crate::web) fn show(
        &self,
        status: StatusCode,
        content: &pages::Content,
        data: impl Fn() -> Value,
    ) -> Response {
        let mut response = match self.in_layout(content, &data) {
            Some(html) => (status, Html(html)).into_response(),
            None => self.framed(status, content),
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.language.write(&self.base, self.is_https, response.headers_mut());
        response
    }

    /// The page in the default layout, compressed if the client accepts it.
    ///
    /// The length of a compressed page can reveal what is in it to a site that makes a browser request it again and again
    /// with guesses (BREACH). So no page is compressed that another site has requested, that shows a token, or that the
    /// application has written into.
    fn framed(&self, status: StatusCode, content: &pages::Content) -> Response {
        let html = pages::frame(&self.shell(), content).into_string();
        let is_packed = self.takes_gzip && self.foreign.is_none() && !content.has_token;
        let packed = if is_packed { packed_page(html.as_bytes()) } else { None };
        let mut response = match packed {
            Some(bytes) => {
                let mut response = (status, Html(bytes)).into_response();
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                response
            }
            None => (status, Html(html)).into_response(),
        };
        response.headers_mut().append(VARY, HeaderValue::from_static("accept-encoding"));
        response
    }

    /// `None` if the application has no layout, or if the layout fails.
    fn in_layout(&self, content: &pages::Content, data: &dyn Fn() -> Value) -> Option<String> {
        let layout = self.processes.layout()?;
        let pages::Content { kind, title, markup, .. } = content;
        let head = pages::head(&self.shell(), *kind).into_string();
        let (base, texts, content) = (self.base.as_str(), self.language.texts(), markup.0.as_str());
        layout.around(&Page { kind: *kind, title, base, texts, head: &head, content, data })
    }
}

impl FromRequestParts<Processes> for Context {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, processes: &Processes) -> Result<Self, Self::Rejection> {
        let original = path::asked(parts);
        // The prefix that nesting has removed. A path that is not canonical provides none: in a link or a redirect,
        // `/\` leads to another site.
        let nested = original.strip_suffix(parts.uri.path()).unwrap_or(original).trim_end_matches('/');
        let nested = if path::is_canonical(original) { nested } else { "" };
        let base = match processes.mounted_at() {
            Some(base) => base.to_owned(),
            None => format!("{}{nested}", forwarded::prefix(processes, &parts.headers)),
        };
        let cut =
            if original.starts_with(&base) { "" } else { base.strip_suffix(nested).unwrap_or_default() };
        let cut = cut.to_owned();
        let language = Language::of(processes.languages(), &parts.uri, &parts.headers);
        // One visitor for each request, shared by everything that handles it, so that each permission is checked once.
        let visitor = match parts.extensions.get::<Visitor>() {
            Some(known) => known.clone(),
            None => {
                let visitor = visitor(processes, parts);
                parts.extensions.insert(visitor.clone());
                visitor
            }
        };
        let (page, foreign) = (prefers_page(&parts.headers), foreign(processes, parts));
        let takes_gzip = takes_gzip(&parts.headers);
        let is_https = forwarded::is_https(processes, &parts.headers);
        let address = forwarded::address(processes, parts);
        let processes = processes.clone();
        Ok(Self { base, cut, page, language, takes_gzip, foreign, is_https, visitor, address, processes })
    }
}

/// The visitor of a request, for the `authorize` hook.
fn visitor(processes: &Processes, parts: &Parts) -> Visitor {
    Visitor::new(processes.authorize(), || {
        let mut parts = parts.clone();
        // The URI as the browser sent it, before nesting changed it.
        if let Some(OriginalUri(whole)) = parts.extensions.get().cloned() {
            parts.uri = whole;
        }
        let shared = shared(processes, &parts);
        (parts, shared)
    })
}
