//! The errors of rejected values, with their positions in the form.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use crate::text::clip;
use crate::texts::{Message, Texts, Value};

/// How many errors are kept.
const MOST: usize = 100;
/// The maximum length of a position and of a message, in bytes: both may contain text from the client.
const MAX_FIELD: usize = 256;
const MAX_MESSAGE: usize = 2 << 10;

/// Why one value was rejected.
#[derive(Debug, Clone, Serialize)]
pub struct FieldError {
    /// The path of the field: its name, preceded by the names of the groups and the list indexes around it, as in
    /// `address.street` or `lines.0.amount`. Empty if the error is about the whole form.
    pub field: String,
    /// What is wrong, and what to enter instead.
    pub message: String,
    /// The same message for pages, which show it in the reader's language.
    #[serde(skip)]
    said: Option<Message>,
}

impl FieldError {
    fn new(field: String, message: String, said: Option<Message>) -> Self {
        Self { field: clip(field, MAX_FIELD), message: clip(message, MAX_MESSAGE), said }
    }

    /// The message in this language, or in English if there is no translation.
    pub(crate) fn said(&self, texts: &Texts) -> Cow<'_, str> {
        match &self.said {
            Some(message) => Cow::Owned(clip(texts.say(message), MAX_MESSAGE)),
            None => Cow::Borrowed(&self.message),
        }
    }

    /// The message as a part of another message.
    pub(crate) fn reason(&self) -> Value {
        match &self.said {
            Some(message) => message.clone().into(),
            None => self.message.clone().into(),
        }
    }
}

impl PartialEq for FieldError {
    fn eq(&self, other: &Self) -> bool {
        (&self.field, &self.message) == (&other.field, &other.message)
    }
}

impl Eq for FieldError {}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.message),
            field => write!(f, "{field}: {}", self.message),
        }
    }
}

/// All errors of an input, at once.
///
/// The first 100 errors are kept, and further ones are only [counted](Self::omitted), so that the answer to a large
/// invalid input stays short.
///
/// ```
/// use process_runtime::field::FieldErrors;
///
/// let errors = FieldErrors::at("until", "it is before `from`").and("from", "it is after `until`");
/// assert_eq!(errors.to_string(), "until: it is before `from`; from: it is after `until`");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors {
    kept: Vec<FieldError>,
    #[serde(skip)]
    omitted: usize,
}

impl FieldErrors {
    /// Creates a list with one error, for the field with this name.
    pub fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::default().and(field, message)
    }

    /// Adds an error for the field with this name.
    #[must_use]
    pub fn and(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.push(|| FieldError::new(field.into(), message.into(), None));
        self
    }

    /// Adds all errors of another list.
    pub fn extend(&mut self, others: Self) {
        self.omitted += others.omitted;
        others.kept.into_iter().for_each(|error| self.push(move || error));
    }

    /// Adds an error. The closure is only called if the error is kept.
    fn push(&mut self, error: impl FnOnce() -> FieldError) {
        if self.kept.len() < MOST { self.kept.push(error()) } else { self.omitted += 1 }
    }

    /// Adds the errors of a part, such as one of many entries, with its position in front.
    pub(crate) fn extend_within(&mut self, place: impl fmt::Display, others: Self) {
        match MOST.checked_sub(self.kept.len()) {
            Some(1..) => self.extend(others.within(&place.to_string())),
            _ => self.omitted += others.len(),
        }
    }

    /// Adds the errors of another list, except for fields that already have one.
    pub(crate) fn complete(&mut self, others: Self) {
        let named: HashSet<&str> = self.kept.iter().map(|own| own.field.as_str()).collect();
        let Self { mut kept, omitted } = others;
        kept.retain(|other| !named.contains(other.field.as_str()));
        self.extend(Self { kept, omitted });
    }

    /// The errors of all other fields.
    pub(crate) fn except(mut self, field_paths: &[String]) -> Self {
        self.kept.retain(|error| !field_paths.contains(&error.field));
        self
    }

    /// The same errors, without those that are only counted.
    pub(crate) fn without_omitted(self) -> Self {
        Self { omitted: 0, ..self }
    }

    /// Returns the same errors, with the group or list `outer` in front of their paths.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        for error in &mut self.kept {
            let place = match error.field.as_str() {
                "" => outer.to_owned(),
                inner => format!("{outer}.{inner}"),
            };
            error.field = clip(place, MAX_FIELD);
        }
        self
    }

    /// Returns true if there are no errors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of errors, including those that are only counted.
    pub fn len(&self) -> usize {
        self.kept.len() + self.omitted
    }

    /// Returns the number of errors that are counted but not kept.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Returns the kept errors, in the order of the form: at most 100.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.kept.iter()
    }
}

impl FieldErrors {
    /// Writes the errors with this separator, and the number of omitted ones.
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>, between: &str) -> fmt::Result {
        for (index, error) in self.kept.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { between })?;
        }
        match self.not_shown() {
            Some(more) => write!(f, "{between}{more}"),
            None => Ok(()),
        }
    }

    /// The message about the number of omitted errors.
    pub(crate) fn not_shown(&self) -> Option<Message> {
        (self.omitted > 0).then(|| Message::new("field.more_errors").with("n", self.omitted))
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An error about the current value, or about the whole form.
impl From<String> for FieldErrors {
    fn from(message: String) -> Self {
        Self::at("", message)
    }
}

impl From<&str> for FieldErrors {
    fn from(message: &str) -> Self {
        Self::at("", message)
    }
}

/// A message that has a translation in every language.
impl From<Message> for FieldErrors {
    fn from(message: Message) -> Self {
        let error = FieldError::new(String::new(), message.to_string(), Some(message));
        Self { kept: vec![error], omitted: 0 }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "; ")
    }
}

impl std::error::Error for FieldErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_hundred_are_counted() {
        let long = "x".repeat(100_000);
        let mut errors = FieldErrors::at("first", "wrong");
        for n in 0..1_000 {
            errors.extend_within(n, FieldErrors::at(long.as_str(), long.as_str()));
        }
        errors.complete(FieldErrors::at("first", "said already").and("last", "wrong"));
        assert_eq!((errors.iter().len(), errors.omitted(), errors.len()), (100, 902, 1_002));
        let text = errors.clone().within("group").to_string();
        assert!(text.starts_with("group.first: wrong; group.0.xxx"), "{}", &text[..40]);
        assert!(text.ends_with("; 902 more errors are not shown"), "{}", &text[text.len() - 40..]);
        assert!(text.len() < 100 * (MAX_FIELD + MAX_MESSAGE + 100), "{} bytes", text.len());
        let mut all = FieldErrors::default();
        all.extend(errors);
        assert_eq!(all.len(), 1_002);
    }
}
