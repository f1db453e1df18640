//! The languages that are offered, and the choice among them.

use std::sync::{Arc, LazyLock};

use super::{LanguageSettings, Texts};

/// The catalogs that come with the crate.
pub(super) const BUILT_IN: [(&str, &str); 6] = [
    ("en", include_str!("../../texts/en.json")),
    ("es", include_str!("../../texts/es.json")),
    ("de", include_str!("../../texts/de.json")),
    ("fr", include_str!("../../texts/fr.json")),
    ("zh", include_str!("../../texts/zh.json")),
    ("ar", include_str!("../../texts/ar.json")),
];

/// The languages that are offered.
#[derive(Debug, Clone)]
pub(crate) struct Languages {
    pub(super) all: Vec<Arc<Texts>>,
    /// The index of the default language.
    pub(super) default: usize,
}

static ALL: LazyLock<Languages> = LazyLock::new(|| {
    LanguageSettings::default().read().unwrap_or_else(|_| Languages { all: Vec::new(), default: 0 })
});

impl Languages {
    /// Those that come with the crate, as they are.
    pub(crate) fn built_in() -> &'static Self {
        &ALL
    }

    /// The default language.
    pub(crate) fn default(&self) -> &Arc<Texts> {
        self.all.get(self.default).unwrap_or_else(|| Texts::english())
    }

    /// All of them.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &Arc<Texts>> {
        self.all.iter()
    }

    /// The language of a tag: itself, or the one it is a kind of, as `de-AT` is of `de`; or a kind of it.
    pub(crate) fn find(&self, tag: &str) -> Option<&Arc<Texts>> {
        let mut wider = tag;
        loop {
            if let Some(found) = self.all.iter().find(|texts| texts.tag.eq_ignore_ascii_case(wider)) {
                return Some(found);
            }
            match wider.rsplit_once('-') {
                Some((shorter, _)) => wider = shorter,
                None => return self.all.iter().find(|texts| is_kind(texts.tag(), wider)),
            }
        }
    }

    /// The language that is wanted most, of ranges with their weights as in `Accept-Language`. Where several have the
    /// same weight, the first.
    pub(crate) fn preferred<'a>(&self, wanted: impl Iterator<Item = (&'a str, u16)>) -> Option<&Arc<Texts>> {
        let mut best: Option<(&Arc<Texts>, u16)> = None;
        for (range, weight) in wanted {
            let found = match range {
                "*" => Some(self.default()),
                tag => self.find(tag),
            };
            if let Some(found) = found.filter(|_| weight > best.map_or(0, |(_, most)| most)) {
                best = Some((found, weight));
            }
        }
        best.map(|(texts, _)| texts)
    }
}

/// `pt-BR` is a kind of `pt`.
fn is_kind(tag: &str, of: &str) -> bool {
    tag.split_once('-').is_some_and(|(language, _)| language.eq_ignore_ascii_case(of))
}
