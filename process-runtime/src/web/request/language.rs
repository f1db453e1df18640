//! Content negotiation of the language: by `?lang=`, by cookie, by `Accept-Language`.

use std::sync::Arc;

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Uri};

use crate::texts::{Languages, Texts};
use crate::web::request::accept::weighted;
use crate::web::request::cookies::{cookies, set_cookie};
use crate::web::request::query::query;

/// The query parameter that selects the language.
pub(in crate::web) const LANG: &str = "lang";
const KEPT: &str = "process-lang";
/// How long the choice is remembered, in seconds: a year.
const KEPT_FOR: i64 = 31_536_000;

/// The language of one request.
#[derive(Debug, Clone)]
pub(in crate::web) struct Language {
    /// The language that the URL requests. It is remembered.
    asked: Option<Arc<Texts>>,
    otherwise: Arc<Texts>,
}

impl Language {
    /// Selects by the URL, else the cookie, else what the browser accepts, else the default. Unknown languages are
    /// ignored.
    pub(in crate::web) fn of(languages: &Languages, uri: &Uri, headers: &HeaderMap) -> Self {
        let asked =
            query(uri).find(|(name, _)| name == LANG).and_then(|(_, tag)| languages.find(&tag).cloned());
        let kept = || cookies(headers, KEPT).find_map(|tag| languages.find(tag));
        let accepted = || languages.preferred(weighted(headers, &ACCEPT_LANGUAGE));
        let otherwise = kept().or_else(accepted).unwrap_or_else(|| languages.default());
        Self { asked, otherwise: Arc::clone(otherwise) }
    }

    /// The language without the URL's `lang` parameter, for routes where that has another meaning.
    pub(in crate::web) fn unasked(&self) -> Self {
        Self { asked: None, otherwise: Arc::clone(&self.otherwise) }
    }

    pub(in crate::web) fn texts(&self) -> &Texts {
        self.asked.as_ref().unwrap_or(&self.otherwise)
    }

    /// Sets the language headers, and the cookie if the URL requested a language.
    pub(in crate::web) fn write(&self, base: &str, is_https: bool, headers: &mut HeaderMap) {
        if let Ok(tag) = HeaderValue::try_from(self.texts().tag()) {
            headers.insert(CONTENT_LANGUAGE, tag);
        }
        let Some(asked) = &self.asked else { return };
        if let Some(cookie) = set_cookie(KEPT, asked.tag(), (base, is_https), KEPT_FOR) {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::LanguageSettings;

    #[test]
    fn accept_language_prefers_highest_weight() {
        let mut settings = LanguageSettings::default();
        settings.language("pt".into(), "{}".into());
        settings.default_to("pt".into());
        let languages = settings.read().unwrap();
        let accepted = |header: &'static str| {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_static(header))]);
            languages.preferred(weighted(&headers, &ACCEPT_LANGUAGE)).map(|texts| texts.tag().to_owned())
        };
        assert_eq!(accepted("pt-BR, en;q=0.9").as_deref(), Some("pt"));
        assert_eq!(accepted("tlh, pt;q=0.5 , en ; q=0.6").as_deref(), Some("en"));
        assert_eq!(accepted("en;q=0, pt;q=0.001").as_deref(), Some("pt"));
        assert_eq!(accepted("tlh, *;q=0.1").as_deref(), Some("pt"));
        assert_eq!(accepted("en;q=0"), None);
        assert_eq!(accepted("en;q=7, en;q=-1, en;q=NaN, ;;;=,,"), None);
    }
}
