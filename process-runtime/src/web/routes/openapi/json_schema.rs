//! One JSON Schema of the document.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A JSON Schema (draft 2020-12), which is what OpenAPI 3.1 takes wherever it takes a schema.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Schema(Map<String, Value>);

impl From<Map<String, Value>> for Schema {
    fn from(schema: Map<String, Value>) -> Self {
        Self(schema)
    }
}

impl Schema {
    /// Any JSON.
    pub(super) fn any() -> Self {
        Self(Map::new())
    }

    fn of_type(name: &str) -> Self {
        Self::any().with("type", name)
    }

    pub(super) fn string() -> Self {
        Self::of_type("string")
    }

    pub(super) fn integer() -> Self {
        Self::of_type("integer")
    }

    pub(super) fn number() -> Self {
        Self::of_type("number")
    }

    pub(super) fn boolean() -> Self {
        Self::of_type("boolean")
    }

    pub(super) fn uuid() -> Self {
        Self::string().with("format", "uuid")
    }

    /// A time stamp of RFC 3339.
    pub(super) fn time() -> Self {
        Self::string().with("format", "date-time")
    }

    /// A count. Beyond 2^53, where JavaScript is not exact any more, it is a text.
    pub(super) fn count() -> Self {
        Self::any().with("type", json!(["integer", "string"]))
    }

    /// One of these texts.
    pub(super) fn one_of<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::string().with("enum", values.into_iter().collect::<Value>())
    }

    pub(super) fn list(items: Self) -> Self {
        Self::of_type("array").with("items", items.0)
    }

    /// An object with any names, and values of this kind.
    pub(super) fn map(values: Self) -> Self {
        Self::of_type("object").with("additionalProperties", values.0)
    }

    /// An object that may have these properties. Later versions may add more.
    pub(super) fn of_properties(properties: &[(&str, Self)]) -> Self {
        Self::of_type("object").with("properties", Map::new()).or(properties)
    }

    /// The same of an object that always has them.
    pub(super) fn object(properties: &[(&str, Self)]) -> Self {
        Self::of_properties(&[]).with("required", json!([])).and(properties)
    }

    /// The same object with more properties, which it always has.
    pub(super) fn and(mut self, properties: &[(&str, Self)]) -> Self {
        if let Some(Value::Array(required)) = self.0.get_mut("required") {
            required.extend(properties.iter().map(|(name, _)| Value::from(*name)));
        }
        self.or(properties)
    }

    /// The same object with more properties, which it may lack.
    pub(super) fn or(mut self, properties: &[(&str, Self)]) -> Self {
        if let Some(Value::Object(known)) = self.0.get_mut("properties") {
            known.extend(
                properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.0.clone().into())),
            );
        }
        self
    }

    /// A reference to one of the shared schemas.
    pub(super) fn shared(name: &str) -> Self {
        Self::any().with("$ref", format!("#/components/schemas/{name}"))
    }

    /// The same, or null.
    pub(super) fn nullable(self) -> Self {
        let kinds = match self.0.get("type") {
            Some(Value::String(kind)) => json!([kind, "null"]),
            Some(Value::Array(kinds)) => kinds.iter().cloned().chain([json!("null")]).collect(),
            _ => return Self::any().with("oneOf", json!([self.0, { "type": "null" }])),
        };
        self.with("type", kinds)
    }

    pub(super) fn described(self, description: &str) -> Self {
        self.with("description", description)
    }

    /// The same with one more keyword.
    pub(super) fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.0.insert(keyword.to_owned(), value.into());
        self
    }
}
