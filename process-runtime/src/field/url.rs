//! URLs as form fields.

use serde_json::Value;
use url::Url;

use super::{Field, FieldErrors, Shape, TextFormat, TextOptions, text};

impl Field for Url {
    type Options = TextOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        text::shape(options, TextFormat::Url)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        let what = "expected.url";
        text::parse(value, options, what, |text| Self::parse(text.trim()).ok())
    }

    fn render(&self) -> Value {
        Value::String(self.as_str().to_owned())
    }
}
