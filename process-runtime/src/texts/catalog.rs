//! How a catalog is written: JSON with a text for each key, or one for each plural form.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::cause::Cause;

/// The plural forms, as CLDR names them.
const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", OTHER];
/// The form that every text has.
pub(super) const OTHER: &str = "other";

/// The text of one key.
#[derive(Debug, Clone)]
pub(super) enum Text {
    /// The same for every number.
    One(String),
    /// By plural form; `other` is always there.
    Forms(Vec<(&'static str, String)>),
}

impl Text {
    /// Reads a text or its plural forms. The error describes what is wrong.
    fn read(value: &Value) -> Result<Self, String> {
        let forms = match value {
            Value::String(text) => return Ok(Self::One(text.clone())),
            Value::Object(forms) => forms,
            _ => return Err("write a text, or an object with a text for each plural form".to_owned()),
        };
        let read = |(name, text): (&String, &Value)| {
            let form = FORMS.into_iter().find(|known| known == name);
            match (form, text.as_str()) {
                (Some(form), Some(text)) => Ok((form, text.to_owned())),
                (Some(_), None) => Err(format!("the form `{name}` is not a text")),
                (None, _) => {
                    Err(format!("`{name}` is not a plural form: the forms are {}", FORMS.join(", ")))
                }
            }
        };
        let forms: Vec<_> = forms.iter().map(read).collect::<Result<_, _>>()?;
        if !forms.iter().any(|(form, _)| *form == OTHER) {
            return Err("the form `other` is missing".to_owned());
        }
        Ok(Self::Forms(forms))
    }

    /// The text for this form, or for all others.
    pub(super) fn form(&self, wanted: &str) -> &str {
        match self {
            Self::One(text) => text,
            Self::Forms(forms) => {
                let of = |wanted: &str| forms.iter().find(|(form, _)| *form == wanted);
                of(wanted).or_else(|| of(OTHER)).map_or("", |(_, text)| text)
            }
        }
    }

    /// As it is written in a catalog.
    pub(super) fn json(&self) -> Value {
        match self {
            Self::One(text) => text.as_str().into(),
            Self::Forms(forms) => {
                let forms = forms.iter().map(|(form, text)| ((*form).to_owned(), text.as_str().into()));
                Value::Object(forms.collect())
            }
        }
    }

    /// The names of its placeholders.
    pub(super) fn places(&self) -> BTreeSet<&str> {
        match self {
            Self::One(text) => places(text).collect(),
            Self::Forms(forms) => forms.iter().flat_map(|(_, text)| places(text)).collect(),
        }
    }
}

fn places(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split('{').skip(1).filter_map(|behind| behind.split_once('}')).map(|(name, _)| name);
    names
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// Reads a whole catalog. The error names the key and what is wrong with it.
pub(super) fn read(json: &str) -> Result<Vec<(String, Text)>, Cause> {
    let entries: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| Cause::new(format!("its texts are not a JSON object: {error}"), error))?;
    let read = |(key, value): (String, Value)| match Text::read(&value) {
        Ok(text) => Ok((key, text)),
        Err(wrong) => Err(format!("`{key}`: {wrong}").into()),
    };
    entries.into_iter().map(read).collect()
}
