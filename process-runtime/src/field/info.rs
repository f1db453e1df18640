//! The description of one named form field, and the rules by which its value or its default applies.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Field, FieldErrors, FieldOptions, Shape, TextFormat};
use crate::texts::Message;

/// A value as stored, and the same value including its secrets.
type Both = (Value, Value);
type Read = dyn Fn(&Value) -> Result<Both, FieldErrors> + Send + Sync;

/// The description of a field of a process's form, or of a group in it.
#[derive(Clone)]
pub struct FieldInfo {
    /// The parameter's name, which is the key in forms and JSON.
    pub name: &'static str,
    /// The label on the page.
    pub label: String,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The kind of its value.
    pub shape: Shape,
    /// The value to use if the input is missing or empty. Without a default, the field is required.
    pub default: Option<Value>,
    /// True if `null` is a value of its own.
    nullable: bool,
    read: Arc<Read>,
}

impl FieldInfo {
    /// Creates the description of a field of type `T`. `set` sets its options.
    pub fn new<T: Field>(name: &'static str, set: fn(T::Options) -> T::Options) -> Self {
        let mut options = set(T::Options::default());
        let about = options.about();
        let absent = T::absent().as_ref().map(T::render);
        let read = move |value: &Value| {
            let parsed = T::parse(value, &set(T::Options::default()))?;
            Ok((parsed.render(), parsed.reveal()))
        };
        Self {
            name,
            label: about.label.map_or_else(|| label_of(name), str::to_owned),
            help: about.help,
            shape: T::shape(&options),
            nullable: absent == Some(Value::Null),
            default: about.default.or(absent),
            read: Arc::new(read),
        }
    }

    /// Reads the value of a field of type `T` from the given value.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is missing or rejected. The error contains the path of the field.
    pub fn take<T: Field>(
        name: &'static str,
        set: fn(T::Options) -> T::Options,
        given: Option<&Value>,
    ) -> Result<T, FieldErrors> {
        let counts = Self::new::<T>(name, set).counting(given)?;
        T::parse(&counts, &set(T::Options::default())).map_err(|errors| errors.within(name))
    }

    /// Checks the given value, and returns it in the form in which it is stored.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is missing or rejected. The error contains the path of the field.
    pub fn check(&self, given: Option<&Value>) -> Result<Value, FieldErrors> {
        self.read(given).map(|(stored, _)| stored)
    }

    /// The value as stored, and the same value including its secrets.
    pub(crate) fn read(&self, given: Option<&Value>) -> Result<Both, FieldErrors> {
        let counts = self.counting(given)?;
        (self.read)(&counts).map_err(|errors| errors.within(self.name))
    }

    /// Returns true if the field may stay empty and an empty input means no value.
    pub fn is_optional(&self) -> bool {
        self.nullable
    }

    /// The same field, but not required: an input of a group that may be left out.
    pub(crate) fn not_required(&self) -> Self {
        let shape = match &self.shape {
            Shape::Group(fields) => Shape::Group(fields.iter().map(Self::not_required).collect()),
            other => other.clone(),
        };
        Self { default: self.default.clone().or(Some(Value::Null)), shape, ..self.clone() }
    }

    /// The value that applies: the given one, or else the default.
    fn counting(&self, given: Option<&Value>) -> Result<Value, FieldErrors> {
        match given {
            Some(Value::Null) if self.nullable => Ok(Value::Null),
            Some(Value::String(text)) if text.is_empty() && self.nullable => Ok(Value::Null),
            Some(value) if !self.is_blank(value) => Ok(value.clone()),
            _ => {
                let missing = || FieldErrors::from(Message::new("field.required")).within(self.name);
                self.default.clone().ok_or_else(missing)
            }
        }
    }

    /// An empty input counts as missing, unless the empty text is a valid value.
    fn is_blank(&self, value: &Value) -> bool {
        match (value, &self.shape) {
            (Value::Null, _) => true,
            (Value::String(text), Shape::Text(rules)) => {
                let can_be_empty = rules.format == TextFormat::Plain;
                let is_a_value = can_be_empty && (self.default.is_some() || rules.min_len == Some(0));
                text.is_empty() && !is_a_value
            }
            (Value::String(text), Shape::Choice { choices, .. }) => {
                text.is_empty() && !choices.iter().any(|choice| choice.value == "")
            }
            (Value::String(text), _) => text.is_empty(),
            _ => false,
        }
    }
}

impl fmt::Debug for FieldInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, label, help, shape, default, .. } = self;
        let mut shown = f.debug_struct("FieldInfo");
        shown.field("name", name).field("label", label).field("help", help);
        shown.field("shape", shape).field("default", default).finish_non_exhaustive()
    }
}

/// `price_in_euro` → `Price in euro`.
pub(crate) fn label_of(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.trim().chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
