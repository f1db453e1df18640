//! Lists as form fields: repeated inputs, or checkboxes if the entries are a choice.

use serde_json::Value;

use super::{Field, FieldErrors, ListOptions, Shape, TextRules, among, choices_of};
use crate::texts::Message;

impl<T: Field> Field for Vec<T> {
    type Options = ListOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        let choices = choices_of(options.choices.as_ref(), false);
        let mut item = choices.unwrap_or_else(|| T::shape(&T::Options::default()));
        if let (
            Shape::Text(TextRules { placeholder, .. }) | Shape::Duration { placeholder, .. },
            Some(given),
        ) = (&mut item, options.placeholder)
        {
            *placeholder = Some(given);
        }
        let nullable = T::absent().is_some_and(|absent| absent.render().is_null());
        let item = Box::new(item);
        Shape::List { item, nullable, min_len: options.min_len, max_len: options.max_len }
    }

    /// A single value counts as a list with one entry, since a form sends it that way.
    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        let entries = match value {
            Value::Array(entries) => entries.as_slice(),
            Value::Null => &[],
            one => std::slice::from_ref(one),
        };
        let mut errors = FieldErrors::default();
        let mut list = Self::new();
        let entries_of = |number: usize| Message::new("value.entries").with("n", number);
        if let Some(least) = options.min_len.filter(|least| entries.len() < *least) {
            errors.extend(Message::new("field.too_few").with("entries", entries_of(least)).into());
        }
        if let Some(most) = options.max_len.filter(|most| entries.len() > *most) {
            let message = Message::new("field.too_many").with("entries", entries_of(most));
            errors.extend(message.with("given", entries.len()).into());
        }
        for (index, entry) in entries.iter().enumerate() {
            let read = T::parse(entry, &T::Options::default());
            match read.and_then(|entry| among(&entry, options.choices.as_ref()).map(|()| entry)) {
                Ok(entry) => list.push(entry),
                Err(wrong) => errors.extend_within(index, wrong),
            }
        }
        if errors.is_empty() { Ok(list) } else { Err(errors) }
    }

    fn render(&self) -> Value {
        self.iter().map(T::render).collect()
    }

    fn reveal(&self) -> Value {
        self.iter().map(T::reveal).collect()
    }

    /// A missing list is an empty list.
    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_entry_is_read_and_named() {
        let options = ListOptions { max_len: Some(2), ..ListOptions::default() };
        assert_eq!(Vec::<u8>::parse(&json!(["1", 2]), &options), Ok(vec![1, 2]));
        assert_eq!(Vec::<u8>::parse(&json!("7"), &options), Ok(vec![7]));
        let errors = Vec::<u8>::parse(&json!([1, "x", 300]), &options).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["", "1", "2"]);
    }

    #[test]
    fn list_entries_must_be_choices() {
        let options =
            ListOptions { choices: Some(vec!["a".to_owned(), "b".to_owned()]), ..ListOptions::default() };
        assert_eq!(Vec::parse(&json!(["b"]), &options), Ok(vec!["b".to_owned()]));
        let error = Vec::<String>::parse(&json!(["b", "c"]), &options).unwrap_err();
        assert_eq!(error.to_string(), "1: Choose one of: a, b (not c)");
    }
}
