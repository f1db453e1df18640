//! Texts as form fields, and the rules that apply to every kind of text.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use regex_lite::Regex;
use serde_json::Value;

use super::{Field, FieldErrors, Shape, TextFormat, TextOptions, TextRules, among, choices_of, expected};
use crate::texts::Message;

impl TextRules {
    /// Checks a text against the rules for length and pattern.
    pub(super) fn check(&self, text: &str) -> Result<(), FieldErrors> {
        let length = text.chars().count();
        let counted = |number: usize| Message::new("field.characters").with("n", number);
        if let Some(least) = self.min_len.filter(|least| length < *least) {
            return Err(Message::new("field.too_short").with("least", counted(least)).into());
        }
        if let Some(most) = self.max_len.filter(|most| length > *most) {
            return Err(Message::new("field.too_long").with("most", counted(most)).into());
        }
        match self.pattern {
            Some(pattern) if !matches_whole(pattern, text)? => Err(match self.pattern_message {
                Some(message) => FieldErrors::at("", message),
                None => Message::new("field.other_form").into(),
            }),
            _ => Ok(()),
        }
    }
}

/// The patterns that values were checked against. A check takes a fraction of the time that compiling the pattern does.
/// A pattern is `'static`, so the program bounds how many there are.
static COMPILED: LazyLock<RwLock<HashMap<&'static str, Arc<Regex>>>> = LazyLock::new(RwLock::default);

/// The macro checked that the pattern compiles; a pattern that does not was set by hand.
fn matches_whole(pattern: &'static str, text: &str) -> Result<bool, FieldErrors> {
    match compiled(pattern) {
        Ok(pattern) => Ok(pattern.is_match(text)),
        Err(error) => Err(Message::new("field.bad_pattern").with("error", error.to_string()).into()),
    }
}

fn compiled(pattern: &'static str) -> Result<Arc<Regex>, regex_lite::Error> {
    let known = COMPILED.read().get(pattern).map(Arc::clone);
    if let Some(known) = known {
        return Ok(known);
    }
    let compiled = Arc::new(Regex::new(&format!("^(?:{pattern})$"))?);
    Ok(Arc::clone(COMPILED.write().entry(pattern).or_insert(compiled)))
}

impl<T> TextOptions<T> {
    /// The rules for a text that must have this format.
    pub(super) fn rules(&self, format: TextFormat) -> TextRules {
        TextRules {
            format,
            min_len: self.min_len,
            max_len: self.max_len,
            pattern: self.pattern,
            pattern_message: self.pattern_message,
            placeholder: self.placeholder,
            multiline: self.multiline == Some(true),
        }
    }
}

/// The shape of a text that is read as a `T`.
pub(super) fn shape<T: Field>(options: &TextOptions<T>, format: TextFormat) -> Shape {
    let choices = choices_of(options.choices.as_ref(), options.radio == Some(true));
    choices.unwrap_or_else(|| Shape::Text(options.rules(format)))
}

/// Reads a text, checks it against its rules, and converts it to a `T`.
pub(super) fn parse<T: Field>(
    value: &Value,
    options: &TextOptions<T>,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, FieldErrors> {
    let Value::String(text) = value else { return Err(expected(what, value)) };
    options.rules(TextFormat::Plain).check(text)?;
    let read = read(text).ok_or_else(|| expected(what, value))?;
    among(&read, options.choices.as_ref())?;
    Ok(read)
}

impl Field for String {
    type Options = TextOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        shape(options, TextFormat::Plain)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        parse(value, options, "expected.text", |text| Some(text.to_owned()))
    }

    fn render(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Field for char {
    type Options = TextOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        shape(options, TextFormat::Character)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        parse(value, options, "expected.character", |text| {
            let mut characters = text.chars();
            characters.next().filter(|_| characters.next().is_none())
        })
    }

    fn render(&self) -> Value {
        Value::String(self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_rules_apply_to_whole_value() {
        let options = TextOptions {
            min_len: Some(2),
            max_len: Some(4),
            pattern: Some("[a-zé]+"),
            ..TextOptions::default()
        };
        let read = |text: &str| String::parse(&json!(text), &options).map_err(|errors| errors.to_string());
        assert_eq!(read("éé"), Ok("éé".into()));
        assert_eq!(read("a"), Err("Must be at least 2 characters".into()));
        assert_eq!(read("abcde"), Err("Must be at most 4 characters".into()));
        assert_eq!(read("ab1"), Err("Does not match the required format".into()));
        let options = TextOptions { pattern_message: Some("Enter small letters"), ..options.clone() };
        assert_eq!(String::parse(&json!("ab1"), &options).unwrap_err().to_string(), "Enter small letters");
        assert_eq!(String::parse(&json!([1]), &options), Err("Enter text, not a list".into()));
    }

    #[test]
    fn pattern_compiles_only_once() {
        let first = compiled("[0-9]{7}").unwrap();
        assert_eq!(matches_whole("[0-9]{7}", "1234567"), Ok(true));
        assert_eq!(matches_whole("[0-9]{7}", "12345678"), Ok(false));
        assert!(Arc::ptr_eq(&first, &compiled("[0-9]{7}").unwrap()));
        assert!(!Arc::ptr_eq(&first, &compiled("[0-9]{8}").unwrap()));
        let refused = matches_whole("[0-9", "1").unwrap_err();
        assert_eq!(Err(refused), matches_whole("[0-9", "1"), "it is refused each time");
    }

    #[test]
    fn char_field_takes_one_character() {
        let options = TextOptions::default();
        assert_eq!(char::parse(&json!("€"), &options), Ok('€'));
        assert_eq!(char::parse(&json!("ab"), &options), Err("Enter one character, not \"ab\"".into()));
        assert!(char::parse(&json!(""), &options).is_err());
    }
}
