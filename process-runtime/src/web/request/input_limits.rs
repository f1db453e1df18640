//! Limits of the inputs of a start: the number of values, the length of names and texts, and the number of inputs that
//! a form shows.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::field::{FieldErrors, FieldInfo, Shape};
use crate::limits::Limits;
use crate::texts::Message;
use crate::web::request::form::Pair;
use crate::web::request::problem::Problem;

/// Rejects a name that is too long.
pub(in crate::web) fn check_names<'a>(
    names: impl IntoIterator<Item = &'a String>,
    limits: &Limits,
) -> Result<(), Problem> {
    match names.into_iter().find(|name| name.len() > limits.max_field_name_bytes) {
        Some(_) => Err(refused("problem.name", limits.max_field_name_bytes)),
        None => Ok(()),
    }
}

/// Rejects too many pairs, or a name that is too long.
pub(in crate::web) fn check_pairs(pairs: &[Pair], limits: &Limits) -> Result<(), Problem> {
    if pairs.len() > limits.max_values {
        return Err(refused("problem.values", limits.max_values));
    }
    check_names(pairs.iter().map(|(name, _)| name), limits)
}

/// Rejects too many values, or a name that is too long.
pub(in crate::web) fn check_values(values: &Map<String, Value>, limits: &Limits) -> Result<(), Problem> {
    let mut left = limits.max_values;
    check_all(values, &mut left, limits)
}

fn check_all(values: &Map<String, Value>, left: &mut usize, limits: &Limits) -> Result<(), Problem> {
    check_names(values.keys(), limits)?;
    values.values().try_for_each(|value| check_one(value, left, limits))
}

fn check_one(value: &Value, left: &mut usize, limits: &Limits) -> Result<(), Problem> {
    *left = left.checked_sub(1).ok_or_else(|| refused("problem.values", limits.max_values))?;
    match value {
        Value::Array(entries) => entries.iter().try_for_each(|entry| check_one(entry, left, limits)),
        Value::Object(values) => check_all(values, left, limits),
        _ => Ok(()),
    }
}

/// The most inputs that a form shows: a longer page is of no use, and large compared to the request.
pub(in crate::web) const MAX_INPUTS: usize = 500;

/// True if a form can show these values.
pub(in crate::web) fn fit_into_form(fields: &[FieldInfo], values: &Map<String, Value>) -> bool {
    let inputs = fields.iter().filter_map(|field| Some((&field.shape, values.get(field.name)?)));
    inputs.map(|(shape, value)| inputs_of(shape, value)).sum::<usize>() <= MAX_INPUTS
}

/// The number of inputs that show a value.
fn inputs_of(shape: &Shape, value: &Value) -> usize {
    match (shape, value) {
        (Shape::List { item, .. }, Value::Array(entries)) => {
            entries.iter().map(|entry| inputs_of(item, entry)).sum()
        }
        // An input is there with or without a value.
        (Shape::Group(fields), value) => fields
            .iter()
            .map(|field| inputs_of(&field.shape, value.get(field.name).unwrap_or(&Value::Null)))
            .sum(),
        (Shape::Choice { choices, .. }, _) => choices.len(),
        _ => 1,
    }
}

fn refused(key: &'static str, most: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Message::new(key).with("most", most))
}

/// An error for each text that is too long for its field.
pub(in crate::web) fn long_texts(
    fields: &[FieldInfo],
    values: &Map<String, Value>,
    limits: &Limits,
) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (name, value) in values {
        // The content of a file is not a text.
        let has_file = fields.iter().any(|field| field.name == name && field.shape.has_upload());
        look_at(name, value, has_file, limits, &mut errors);
    }
    errors
}

fn look_at(place: &str, value: &Value, has_file: bool, limits: &Limits, errors: &mut FieldErrors) {
    match value {
        Value::String(text) if text.len() > limits.max_field_bytes => errors.extend(too_long(place, limits)),
        Value::Array(entries) => {
            for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| is_long(entry, limits)) {
                look_at(&format!("{place}.{index}"), entry, has_file, limits, errors);
            }
        }
        Value::Object(values) => {
            for (name, value) in values.iter().filter(|(_, value)| is_long(value, limits)) {
                if !(has_file && name == "content") {
                    look_at(&format!("{place}.{name}"), value, has_file, limits, errors);
                }
            }
        }
        _ => {}
    }
}

/// True if a value contains a text that is too long. Paths are only built for those.
fn is_long(value: &Value, limits: &Limits) -> bool {
    match value {
        Value::String(text) => text.len() > limits.max_field_bytes,
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(values) => !values.is_empty(),
        _ => false,
    }
}

/// The error for a text that is too long.
pub(in crate::web) fn too_long(place: &str, limits: &Limits) -> FieldErrors {
    FieldErrors::from(Message::new("field.text_too_long").with("most", limits.max_field_bytes)).within(place)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn values_are_counted_at_every_depth() {
        let limits = Limits::default().max_values(6);
        assert!(check_values(&of(json!({ "a": [1, [2]], "b": { "c": 3 } })), &limits).is_ok());
        let problem = check_values(&of(json!({ "a": [1, [2]], "b": { "c": 3, "d": 4 } })), &limits);
        assert_eq!(problem.unwrap_err().status, StatusCode::PAYLOAD_TOO_LARGE);
        let name = "n".repeat(limits.max_field_name_bytes + 1);
        assert!(check_values(&of(json!({ "a": [{ name: 1 }] })), &limits).is_err());
    }

    #[test]
    fn long_text_error_names_field() {
        let limits = Limits::default().max_field_bytes(3);
        let values =
            of(json!({ "a": "1234", "b": ["123", "1234"], "c": { "content": "1234", "d": [["1234"]] } }));
        let errors = long_texts(&[], &values, &limits);
        let places: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(places, ["a", "b.1", "c.content", "c.d.0.0"]);
    }
}
