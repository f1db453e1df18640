//! A message whose language is not chosen yet.

use std::fmt;

use super::Texts;

/// A key of the catalog, and the values for the placeholders of its text. `Display` uses English.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    key: &'static str,
    values: Vec<(&'static str, Value)>,
}

/// The value of a placeholder.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// As it is, in every language.
    Text(String),
    /// Written as the language writes numbers. The first of a message chooses the plural.
    Number(u64),
    /// A phrase of the catalog.
    Message(Message),
}

impl Message {
    pub(crate) fn new(key: &'static str) -> Self {
        Self { key, values: Vec::new() }
    }

    /// The same message with a value for a placeholder.
    #[must_use]
    pub(crate) fn with(mut self, place: &'static str, value: impl Into<Value>) -> Self {
        self.values.push((place, value.into()));
        self
    }

    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    pub(super) fn values(&self) -> &[(&'static str, Value)] {
        &self.values
    }
}

impl From<&'static str> for Message {
    fn from(key: &'static str) -> Self {
        Self::new(key)
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Texts::english().say(self))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        Self::Message(message)
    }
}
