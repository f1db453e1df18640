//! One field of a form with its name: what people see of it, and which value counts when it is checked.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Field, FieldErrors, FieldOptions, Shape, TextFormat};
use crate::texts::Message;

/// A value as it is stored, and with the secrets in it.
type Both = (Value, Value);
type Read = dyn Fn(&Value) -> Result<Both, FieldErrors> + Send + Sync;

/// A field of a process's form, or of a group in it.
#[derive(Clone)]
pub struct FieldInfo {
    /// The parameter's name: the key in forms and JSON.
    pub name: &'static str,
    /// The label people see.
    pub label: String,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// What kind of value it has.
    pub shape: Shape,
    /// The value when none is given; without one a value is required.
    pub default: Option<Value>,
    /// `null` is a value of its own.
    nullable: bool,
    read: Arc<Read>,
}

impl FieldInfo {
    /// Describes a field of the type `T`, with the options that `set` sets.
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

    /// Reads the value of a field of the type `T` from what was given for it.
    ///
    /// # Errors
    ///
    /// When the value is missing or was not accepted; the errors name the field.
    pub fn take<T: Field>(
        name: &'static str,
        set: fn(T::Options) -> T::Options,
        given: Option<&Value>,
    ) -> Result<T, FieldErrors> {
        let counts = Self::new::<T>(name, set).counting(given)?;
        T::parse(&counts, &set(T::Options::default())).map_err(|errors| errors.within(name))
    }

    /// Reads what was given for this field and writes it in the form in which it is stored.
    ///
    /// # Errors
    ///
    /// When the value is missing or was not accepted; the errors name the field.
    pub fn check(&self, given: Option<&Value>) -> Result<Value, FieldErrors> {
        self.read(given).map(|(stored, _)| stored)
    }

    /// The value as it is stored, and with the secrets in it.
    pub(crate) fn read(&self, given: Option<&Value>) -> Result<Both, FieldErrors> {
        let counts = self.counting(given)?;
        (self.read)(&counts).map_err(|errors| errors.within(self.name))
    }

    /// True when nothing has to be given, and nothing is what is meant then.
    pub fn is_optional(&self) -> bool {
        self.nullable
    }

    /// The same field without its demand for a value: the input of a group that may be left out.
    pub(crate) fn not_required(&self) -> Self {
        let shape = match &self.shape {
            Shape::Group(fields) => Shape::Group(fields.iter().map(Self::not_required).collect()),
            other => other.clone(),
        };
        Self { default: self.default.clone().or(Some(Value::Null)), shape, ..self.clone() }
    }

    /// The value that counts: what was given, or else the default.
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

    /// An input left empty counts as not given, except where the empty text is a value.
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
