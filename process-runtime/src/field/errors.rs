//! Owns what is said about values that were not accepted, and where in the form they stand.
//! Refuses to know who shows it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use crate::texts::{Message, Texts, Value};

/// Why one value was not accepted.
#[derive(Debug, Clone, Serialize)]
pub struct FieldError {
    /// The field's place: its name, with the names of the groups and the numbers in the lists around it
    /// in front, as in `address.street` or `lines.0.amount`. Empty when it is about the whole form.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
    /// The same for pages, which say it in the language of their reader.
    #[serde(skip)]
    said: Option<Message>,
}

impl FieldError {
    /// What is wrong, in this language if it is known in it.
    pub(crate) fn said(&self, texts: &Texts) -> Cow<'_, str> {
        match &self.said {
            Some(message) => Cow::Owned(texts.say(message)),
            None => Cow::Borrowed(&self.message),
        }
    }

    /// What is wrong, as a part of another message.
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

/// Everything that is wrong with what was given, at once.
///
/// ```
/// use process_runtime::FieldErrors;
///
/// let errors = FieldErrors::at("until", "it is before `from`").and("from", "it is after `until`");
/// assert_eq!(errors.to_string(), "until: it is before `from`; from: it is after `until`");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// One error, at the field of this name.
    pub fn at(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::default().and(field, message)
    }

    /// One error more, at the field of this name.
    #[must_use]
    pub fn and(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.push(FieldError { field: field.into(), message: message.into(), said: None });
        self
    }

    /// Adds all errors of another list.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Adds the errors of another list, except where something is wrong already.
    pub(crate) fn complete(&mut self, others: Self) {
        let named: HashSet<&str> = self.0.iter().map(|own| own.field.as_str()).collect();
        let new: Vec<_> =
            others.0.into_iter().filter(|other| !named.contains(other.field.as_str())).collect();
        self.0.extend(new);
    }

    /// The same errors, in a group or a list called `outer`.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        for error in &mut self.0 {
            error.field = match error.field.as_str() {
                "" => outer.to_owned(),
                inner => format!("{outer}.{inner}"),
            };
        }
        self
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many errors there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The errors, in the order of the form.
    pub fn iter(&self) -> std::slice::Iter<'_, FieldError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a FieldErrors {
    type Item = &'a FieldError;
    type IntoIter = std::slice::Iter<'a, FieldError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An error about the value at hand, or about the whole form.
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

/// What is said in every language.
impl From<Message> for FieldErrors {
    fn from(message: Message) -> Self {
        Self(vec![FieldError { field: String::new(), message: message.to_string(), said: Some(message) }])
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}
