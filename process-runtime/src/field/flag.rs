//! `bool` as a form field.

use serde_json::Value;

use super::{Field, FieldErrors, PlainOptions, Shape, expected};

impl Field for bool {
    type Options = PlainOptions<Self>;

    fn shape(_: &Self::Options) -> Shape {
        Shape::Checkbox
    }

    fn parse(value: &Value, _: &Self::Options) -> Result<Self, FieldErrors> {
        match value {
            Value::Bool(on) => Ok(*on),
            // What a ticked checkbox sends, and what people type into a URL.
            Value::String(text) if matches!(text.as_str(), "on" | "true" | "1" | "yes") => Ok(true),
            Value::String(text) if matches!(text.as_str(), "off" | "false" | "0" | "no" | "") => Ok(false),
            other => Err(expected("expected.yes_or_no", other)),
        }
    }

    fn render(&self) -> Value {
        Value::Bool(*self)
    }

    /// A checkbox that is not ticked sends nothing.
    fn absent() -> Option<Self> {
        Some(false)
    }
}
