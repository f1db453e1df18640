//! What an application changes about the languages, and whether it can be so.

use std::collections::HashMap;
use std::sync::Arc;

use icu_locale_core::LanguageIdentifier;

use super::catalog::{self, Text};
use super::languages::BUILT_IN;
use super::{Languages, Texts};
use crate::cause::Cause;

/// Added languages, replaced texts, and the languages to offer. Later changes override earlier ones.
#[derive(Debug, Default)]
pub(crate) struct LanguageSettings {
    changes: Vec<Change>,
    default: Option<String>,
    offered: Option<Vec<String>>,
}

#[derive(Debug)]
enum Change {
    Language { tag: String, json: String },
    Text { tag: String, key: String, text: String },
}

impl LanguageSettings {
    pub(crate) fn language(&mut self, tag: String, json: String) {
        self.changes.push(Change::Language { tag, json });
    }

    pub(crate) fn text(&mut self, tag: String, key: String, text: String) {
        self.changes.push(Change::Text { tag, key, text });
    }

    pub(crate) fn default_to(&mut self, tag: String) {
        self.default = Some(tag);
    }

    pub(crate) fn offer(&mut self, tags: Vec<String>) {
        self.offered = Some(tags);
    }

    /// Applies all changes. The error names the language and the key that are wrong.
    pub(crate) fn read(&self) -> Result<Languages, Cause> {
        let mut catalogs = Catalogs::default();
        for (tag, json) in BUILT_IN {
            catalogs.add(tag, json)?;
        }
        for change in &self.changes {
            match change {
                Change::Language { tag, json } => catalogs.add(tag, json)?,
                Change::Text { tag, key, text } => catalogs.replace(tag, key, text)?,
            }
        }
        let all = match &self.offered {
            None => catalogs.0,
            Some(tags) => catalogs.only(tags)?,
        };
        let default = position(&all, self.default.as_deref())?;
        Ok(Languages { all: all.into_iter().map(Arc::new).collect(), default })
    }
}

/// Where in the list the default is: the one that is named, English, or else the first.
fn position(all: &[Texts], named: Option<&str>) -> Result<usize, String> {
    let of = |tag: &str| all.iter().position(|texts| texts.tag.eq_ignore_ascii_case(tag));
    match named {
        Some(tag) => of(tag).ok_or_else(|| format!("`{tag}` cannot be the default: {}", known(all))),
        None => Ok(of("en").unwrap_or(0)),
    }
}

fn known(all: &[Texts]) -> String {
    let tags: Vec<_> = all.iter().map(Texts::tag).collect();
    format!("the languages are {}", tags.join(", "))
}

/// The languages under construction. English comes first.
#[derive(Default)]
struct Catalogs(Vec<Texts>);

impl Catalogs {
    fn get(&mut self, tag: &str) -> Option<&mut Texts> {
        self.0.iter_mut().find(|texts| texts.tag.eq_ignore_ascii_case(tag))
    }

    /// Adds a language, or completes one.
    fn add(&mut self, tag: &str, json: &str) -> Result<(), Cause> {
        let identifier: LanguageIdentifier = tag
            .parse()
            .map_err(|_| format!("`{tag}` is not a language tag: write it as in de, pt-BR or zh-Hant"))?;
        let tag = identifier.to_string();
        let entries = catalog::read(json).map_err(|wrong| wrong.map(|wrong| format!("{tag}: {wrong}")))?;
        for (key, text) in &entries {
            self.check(&tag, key, text)?;
        }
        if self.get(&tag).is_none() {
            let new = self.begun(&identifier);
            self.0.push(new);
        }
        if let Some(texts) = self.get(&tag) {
            texts.texts.extend(entries);
        }
        Ok(())
    }

    fn replace(&mut self, tag: &str, key: &str, text: &str) -> Result<(), String> {
        let text = Text::One(text.to_owned());
        self.check(tag, key, &text)?;
        match self.get(tag) {
            Some(texts) => {
                texts.texts.insert(key.to_owned(), text);
                Ok(())
            }
            None => Err(format!("there is no language `{tag}`: {}", known(&self.0))),
        }
    }

    /// The texts that a language starts with: those of the base language, or else English.
    fn begun(&self, identifier: &LanguageIdentifier) -> Texts {
        let wider = identifier.language.to_string();
        let wider = self.0.iter().find(|texts| texts.tag == wider).or(self.0.first());
        Texts {
            tag: identifier.to_string(),
            rules: identifier.into(),
            texts: wider.map_or_else(HashMap::new, |wider| wider.texts.clone()),
        }
    }

    /// Checks a text against English, which has every key and defines its placeholders.
    fn check(&self, tag: &str, key: &str, text: &Text) -> Result<(), String> {
        let Some(english) = self.0.first() else { return Ok(()) };
        let Some(original) = english.texts.get(key) else {
            let nearest = nearest(key, english.texts.keys());
            return Err(format!("{tag}: there is no text `{key}`: did you mean `{nearest}`?"));
        };
        let allowed = original.places();
        match text.places().into_iter().find(|place| !allowed.contains(place)) {
            Some(place) if allowed.is_empty() => {
                Err(format!("{tag}: `{key}` has no placeholders, but its text contains `{{{place}}}`"))
            }
            Some(place) => {
                let allowed: Vec<_> = allowed.iter().map(|place| format!("{{{place}}}")).collect();
                let allowed = allowed.join(", ");
                Err(format!("{tag}: `{key}` has no placeholder `{{{place}}}`: it can contain {allowed}"))
            }
            None => Ok(()),
        }
    }

    fn only(mut self, tags: &[String]) -> Result<Vec<Texts>, String> {
        let mut offered = Vec::new();
        for tag in tags {
            let is_it = |texts: &Texts| texts.tag.eq_ignore_ascii_case(tag);
            match self.0.iter().position(is_it) {
                Some(index) => offered.push(self.0.remove(index)),
                // Named twice, it is offered once.
                None if offered.iter().any(is_it) => {}
                None => return Err(format!("`{tag}` cannot be offered: {}", known(&self.0))),
            }
        }
        if offered.is_empty() {
            Err("no language is offered: name at least one".to_owned())
        } else {
            Ok(offered)
        }
    }
}

fn nearest<'a>(key: &str, all: impl Iterator<Item = &'a String>) -> &'a str {
    all.min_by_key(|known| (distance(key, known), *known)).map_or("", String::as_str)
}

/// The edit distance of two words.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut corner = above;
        row[0] = above + 1;
        for (index, its) in other.chars().enumerate() {
            let changed = corner + usize::from(letter != its);
            corner = row[index + 1];
            row[index + 1] = changed.min(corner + 1).min(row[index] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}
