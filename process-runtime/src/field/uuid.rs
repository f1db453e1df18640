//! UUIDs as form fields.

use serde_json::Value;
use uuid::Uuid;

use super::{Field, FieldErrors, Shape, TextFormat, TextOptions, text};

impl Field for Uuid {
    type Options = TextOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        text::shape(options, TextFormat::Uuid)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        let what = "expected.uuid";
        text::parse(value, options, what, |text| Self::try_parse(text.trim()).ok())
    }

    fn render(&self) -> Value {
        Value::String(self.to_string())
    }
}
