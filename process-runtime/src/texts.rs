//! The texts of the pages: for each language one text per key, with plural forms and placeholders.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use icu_plurals::{PluralCategory, PluralRules, PluralRulesPreferences};

mod catalog;
mod client;
mod direction;
mod figures;
mod languages;
mod message;
mod settings;
#[cfg(test)]
mod tests;

use self::catalog::{OTHER, Text};
pub(crate) use self::languages::Languages;
pub(crate) use self::message::{Message, Value};
pub(crate) use self::settings::LanguageSettings;

/// Every text of one language. What it lacks it has in English.
pub(crate) struct Texts {
    /// As BCP 47 writes it.
    tag: String,
    /// Whose plural rules hold. In a language without known rules, one form fits all numbers.
    rules: PluralRulesPreferences,
    texts: HashMap<String, Text>,
}

static ENGLISH: LazyLock<Arc<Texts>> =
    LazyLock::new(|| Languages::built_in().find("en").cloned().unwrap_or_else(|| Arc::new(Texts::nothing())));

impl Texts {
    /// The language of JSON responses, and of everything stored.
    pub(crate) fn english() -> &'static Arc<Self> {
        &ENGLISH
    }

    /// Shows every key as itself.
    fn nothing() -> Self {
        Self { tag: "en".to_owned(), rules: PluralRulesPreferences::default(), texts: HashMap::new() }
    }

    /// The language's tag: `de`, `pt-BR`.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// `ltr` or `rtl`.
    pub(crate) fn direction(&self) -> &str {
        self.text("direction")
    }

    /// The text of a key. One that is nowhere is shown itself.
    pub(crate) fn text<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, |text| text.form(OTHER))
    }

    /// A text with values for its placeholders.
    pub(crate) fn with(&self, key: &str, words: &[(&str, &str)]) -> String {
        filled(self.text(key), |name| {
            words.iter().find(|(known, _)| *known == name).map(|(_, word)| self.isolated(word))
        })
    }

    /// A text with a number, which replaces `{n}` and selects the plural form.
    pub(crate) fn counted(&self, key: &str, number: u64) -> String {
        let form = self.texts.get(key).map_or(key, |text| text.form(self.form_of(number)));
        filled(form, |name| (name == "n").then(|| Cow::Owned(self.whole(number))))
    }

    /// A message in this language.
    pub(crate) fn say(&self, message: &Message) -> String {
        let number = message.values().iter().find_map(|(_, value)| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        });
        let form = number.map_or(OTHER, |number| self.form_of(number));
        let form = self.texts.get(message.key()).map_or(message.key(), |text| text.form(form));
        filled(form, |name| {
            let (_, value) = message.values().iter().find(|(known, _)| *known == name)?;
            Some(match value {
                Value::Text(text) => self.isolated(text),
                Value::Number(number) => Cow::Owned(self.whole(*number)),
                Value::Message(inner) => Cow::Owned(self.say(inner)),
            })
        })
    }

    /// The plural form of a number.
    fn form_of(&self, number: u64) -> &'static str {
        // The rules are compiled in: to look them up is cheap.
        match PluralRules::try_new_cardinal(self.rules).map(|rules| rules.category_for(number)) {
            Ok(PluralCategory::Zero) => "zero",
            Ok(PluralCategory::One) => "one",
            Ok(PluralCategory::Two) => "two",
            Ok(PluralCategory::Few) => "few",
            Ok(PluralCategory::Many) => "many",
            _ => OTHER,
        }
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("tag", &self.tag).finish_non_exhaustive()
    }
}

/// Replaces the placeholders of a text. Unknown ones stay as they are written.
fn filled<'a>(text: &str, value: impl Fn(&str) -> Option<Cow<'a, str>>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let place = behind.split_once('}').and_then(|(name, after)| Some((value(name)?, after)));
        match place {
            Some((word, after)) => {
                out.push_str(&word);
                rest = after;
            }
            None => {
                out.push('{');
                rest = behind;
            }
        }
    }
    out + rest
}
