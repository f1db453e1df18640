//! The JSON Schema (draft 2020-12) of a process's inputs. It accepts the same values as a start in JSON, as far as JSON Schema
//! can state the rules; a `$comment` states the others.

use serde_json::{Map, Value, json};

use crate::field::json::{EMAIL, LONG_LOCAL_PART, MAX_EMAIL, URL};
use crate::field::{Choice, FieldInfo, SECRET_MARK, Shape, TextFormat, TextRules};
use crate::process::Process;

mod civil;
mod number;
mod portable;
mod range;
mod upload;

/// The schema of the object that a start of this process takes.
pub(crate) fn of_process(process: &Process) -> Value {
    let mut schema = of_fields(&process.fields(), Files::InJson);
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(process.title));
    if !process.description.is_empty() {
        schema.insert("description".into(), json!(process.description));
    }
    if process.validate.is_some() {
        schema.insert("$comment".into(), json!("The server also checks the fields together."));
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
        fields.iter().filter(|field| is_required(field)).map(|field| field.name).collect();
    let mut schema = Map::new();
    schema.insert("type".into(), json!("object"));
    schema.insert("properties".into(), properties.into());
    if !required.is_empty() {
        schema.insert("required".into(), json!(required));
    }
    schema.insert("additionalProperties".into(), json!(false));
    schema
}

/// A default counts only if the field accepts it: an empty list may have too few entries.
pub(crate) fn is_required(field: &FieldInfo) -> bool {
    field.check(None).is_err()
}

fn of_field(field: &FieldInfo, files: Files) -> Value {
    let mut schema = of_shape(&field.shape, files);
    if let (Shape::Text(rules) | Shape::Secret { rules, .. }, None) = (&field.shape, &field.default)
        && rules.min_len.is_none()
        && schema.get("type") == Some(&json!("string"))
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
    if let Some(default) = field.default.as_ref().filter(|default| !default.is_null() && !is_required(field))
    {
        described.insert("default".into(), default.clone());
    }
    Value::Object(described)
}

/// The same, with nothing as one more value.
fn or_null(mut schema: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    let kinds = match schema.get("type") {
        Some(Value::String(kind)) => json!([kind, "null"]),
        Some(Value::Array(kinds)) => kinds.iter().cloned().chain([json!("null")]).collect(),
        _ => {
            if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
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
        Shape::Duration { min, max, .. } => civil::duration(min.as_deref(), max.as_deref()),
        Shape::Secret { rules, value } => return secret(rules, value, files),
        Shape::Number { integer, min, max, step } => {
            return number::schema(*integer, [min.as_ref(), max.as_ref(), step.as_ref()]);
        }
        Shape::Checkbox => json!({ "type": "boolean" }),
        Shape::Civil { kind, min, max } => civil::schema(*kind, min.as_deref(), max.as_deref()),
        Shape::Choice { choices, .. } => choice(choices),
        Shape::Upload { .. } if files == Files::AsParts => json!({ "type": "string", "format": "binary" }),
        Shape::Upload { accept, max_size } => upload::schema(*accept, *max_size),
        Shape::List { item, nullable, min_len, max_len } => {
            let item = of_shape(item, files);
            let item = if *nullable { or_null(item) } else { item };
            let mut list = json!({ "type": "array", "items": item });
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
    let mut schema = json!({ "type": "string" });
    let one = (rules.format == TextFormat::Character).then_some(1);
    let longest = (rules.format == TextFormat::Email).then_some(MAX_EMAIL);
    let max_len = rules.max_len.or(longest).map(|most| longest.map_or(most, |longest| most.min(longest)));
    for (key, length) in [("minLength", rules.min_len.or(one)), ("maxLength", max_len.or(one))] {
        if let Some(length) = length {
            schema[key] = json!(length);
        }
    }
    match rules.format {
        TextFormat::Email => {
            schema["format"] = json!("idn-email");
            schema["pattern"] = json!(*EMAIL);
            schema["not"] = json!({ "type": "string", "pattern": LONG_LOCAL_PART });
            schema["$comment"] =
                json!("In UTF-8, at most 64 bytes before the @, 63 between two dots, and 254 in all.");
        }
        TextFormat::Url => {
            schema["format"] = json!("uri");
            schema["pattern"] = json!(*URL);
        }
        TextFormat::Uuid => schema["format"] = json!("uuid"),
        TextFormat::Plain | TextFormat::Character => {}
    }
    if let Some(pattern) = rules.pattern.map(portable::portable) {
        if schema.get("pattern").is_some() {
            schema["allOf"] = json!([{ "pattern": pattern }]);
        } else {
            schema["pattern"] = json!(pattern);
        }
    }
    schema.as_object().cloned().unwrap_or_default()
}

fn secret(rules: &TextRules, value: &Shape, files: Files) -> Map<String, Value> {
    let mut schema = of_shape(value, files);
    if schema.get("type") == Some(&json!("string")) {
        for (key, length) in [("minLength", rules.min_len), ("maxLength", rules.max_len)] {
            if let Some(length) = length {
                schema.insert(key.to_owned(), json!(length));
            }
        }
        schema.entry("format").or_insert(json!("password"));
        // What a page shows in place of a secret.
        schema.entry("not").or_insert(json!({ "const": SECRET_MARK }));
    }
    schema.insert("writeOnly".into(), json!(true));
    schema
}

/// With the labels as code generators know them: some read no list of constants with titles.
fn choice(choices: &[Choice]) -> Value {
    let described = |choice: &Choice| match choice.help {
        Some(help) => format!("{}: {help}", choice.label),
        None => choice.label.clone(),
    };
    let values = || choices.iter().map(|choice| &choice.value);
    let mut schema = json!({
        "enum": values().collect::<Vec<_>>(),
        "x-enum-descriptions": choices.iter().map(described).collect::<Vec<_>>(),
    });
    if values().all(Value::is_string) {
        schema["type"] = json!("string");
    } else if values().all(Value::is_number) {
        schema["type"] = json!("number");
    }
    schema
}
