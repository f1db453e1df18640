//! `Option<T>` as a form field: a value that may be left empty.

use serde_json::Value;

use super::{Field, FieldErrors, Shape};

impl<T: Field> Field for Option<T> {
    /// The options of `T`. The default is a `T` too: the input contains it until somebody clears the input.
    type Options = T::Options;

    fn shape(options: &Self::Options) -> Shape {
        T::shape(options)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        match value {
            Value::Null => Ok(None),
            // An empty input sends an empty text.
            Value::String(text) if text.is_empty() => Ok(None),
            other => T::parse(other, options).map(Some),
        }
    }

    fn render(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::render)
    }

    fn reveal(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::reveal)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}
