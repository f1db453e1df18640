//! The JSON Schema (draft 2020-12) of a process's inputs.

use serde_json::{Map, Value, json};

use crate::field::{Choice, CivilKind, FieldInfo, Shape, TextFormat, TextRules};
use crate::process::Process;

/// The schema of the object that a start of this process takes.
pub(crate) fn of_process(process: &Process) -> Value {
    let mut schema = of_fields(&process.fields(), Files::InJson);
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(process.title));
    if !process.description.is_empty() {
        schema.insert("description".into(), json!(process.description));
    }
    Value::Object(schema)
}

/// How files are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// As objects with the content in Base64.
    InJson,
    /// As parts of a form.
    AsParts,
}

/// The schema of an object with these fields.
pub(crate) fn of_fields(fields: &[FieldInfo], files: Files) -> Map<String, Value> {
    let properties = fields.iter().map(|field| (field.name.to_owned(), of_field(field, files)));
    let properties: Map<String, Value> = properties.collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| field.default.is_none()).map(|field| field.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), properties.into());
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

fn of_field(field: &FieldInfo, files: Files) -> Value {
    let mut schema = of_shape(&field.shape, files);
    if let (Shape::Text(rules), None) = (&field.shape, &field.default)
        && rules.min_len.is_none()
    {
        schema.insert("minLength".into(), json!(1));
    }
    if field.is_optional() {
        schema = or_null(schema);
    }
    let mut described = Map::from_iter([("title".to_owned(), json!(field.label))]);
    if let Some(help) = field.help {
        described.insert("description".into(), json!(help));
    }
    described.extend(schema);
    if let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) {
        described.insert("default".into(), default.clone());
    }
    Value::Object(described)
}

/// The same, with nothing as one more value.
fn or_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    let kinds = match schema.get("type") {
        Some(Value::String(kind)) => json!([kind, "null"]),
        Some(Value::Array(kinds)) => kinds.iter().cloned().chain([json!("null")]).collect(),
        _ => {
            if let Some(Value::Array(choices)) = schema.get_mut("oneOf") {
                choices.push(json!({ "type": "null" }));
            }
            return schema;
        }
    };
    schema.insert("type".into(), kinds);
    schema
}

fn of_shape(shape: &Shape, files: Files) -> Map<String, Value> {
    let schema = match shape {
        Shape::Text(rules) => return text(rules),
        Shape::Secret(rules) => {
            let mut schema = text(rules);
            schema.extend([("format".to_owned(), json!("password")), ("writeOnly".to_owned(), json!(true))]);
            return schema;
        }
        Shape::Number { integer, min, max, step } => {
            return number(*integer, [min.as_ref(), max.as_ref(), step.as_ref()]);
        }
        Shape::Checkbox => json!({ "type": "boolean" }),
        Shape::Civil { kind, .. } => civil(*kind),
        Shape::Choice { choices, .. } => json!({ "oneOf": choices.iter().map(choice).collect::<Value>() }),
        Shape::Upload { .. } if files == Files::AsParts => json!({ "type": "string", "format": "binary" }),
        Shape::Upload { .. } => json!({
            "type": "object",
            "properties": {
                "name": { "type": "string" },
                "type": { "type": "string", "description": "The media type." },
                "content": { "type": "string", "contentEncoding": "base64" },
            },
            "required": ["name", "content"],
        }),
        Shape::List { item, min_len, max_len } => {
            let mut list = json!({ "type": "array", "items": of_shape(item, files) });
            for (key, bound) in [("minItems", min_len), ("maxItems", max_len)] {
                if let Some(bound) = bound {
                    list[key] = json!(bound);
                }
            }
            list
        }
        Shape::Group(fields) => return of_fields(fields, files),
    };
    schema.as_object().cloned().unwrap_or_default()
}

fn text(rules: &TextRules) -> Map<String, Value> {
    let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            schema.insert(key.into(), value);
        }
    };
    let one = (rules.format == TextFormat::Character).then_some(1);
    set("minLength", rules.min_len.or(one).map(|length| json!(length)));
    set("maxLength", rules.max_len.or(one).map(|length| json!(length)));
    set("pattern", rules.pattern.map(|pattern| json!(format!("^(?:{pattern})$"))));
    set(
        "format",
        match rules.format {
            TextFormat::Email => Some(json!("email")),
            TextFormat::Url => Some(json!("uri")),
            TextFormat::Uuid => Some(json!("uuid")),
            TextFormat::Duration => Some(json!("duration")),
            TextFormat::Plain | TextFormat::Character => None,
        },
    );
    schema
}

fn number(integer: bool, [min, max, step]: [Option<&Value>; 3]) -> Map<String, Value> {
    let kind = if integer { "integer" } else { "number" };
    // Bounds beyond 64 bits are texts, as are the values up there.
    let wide = [min, max].into_iter().flatten().any(Value::is_string);
    let mut schema = Map::new();
    schema.insert("type".into(), if wide { json!([kind, "string"]) } else { json!(kind) });
    for (key, bound) in [("minimum", min), ("maximum", max)] {
        if let Some(bound) = bound.filter(|bound| bound.is_number()) {
            schema.insert(key.into(), bound.clone());
        }
    }
    // Steps are counted from the least value, multiples from 0.
    let from = min.and_then(Value::as_f64).unwrap_or(0.0);
    let multiples = |step: &&Value| step.as_f64().is_some_and(|step| step > 0.0 && from % step == 0.0);
    if let Some(step) = step.filter(multiples) {
        schema.insert("multipleOf".into(), step.clone());
    }
    schema
}

fn civil(kind: CivilKind) -> Value {
    match kind {
        CivilKind::Date => json!({ "type": "string", "format": "date" }),
        CivilKind::Timestamp => json!({ "type": "string", "format": "date-time" }),
        // The standard formats require a time zone; these values have none.
        CivilKind::Time => json!({ "type": "string", "pattern": "^\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?$" }),
        CivilKind::DateTime => {
            json!({ "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?$" })
        }
    }
}

fn choice(choice: &Choice) -> Value {
    let mut one = json!({ "const": choice.value, "title": choice.label });
    if let Some(help) = choice.help {
        one["description"] = json!(help);
    }
    one
}
