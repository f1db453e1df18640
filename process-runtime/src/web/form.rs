//! Owns how the fields of a form are written as names and texts, and read back: `address.street=…`, `tags=a`
//! more than once, `lines.0.amount=…`.
//! Refuses to know HTML, and whether a value is right.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::field::{FieldInfo, Shape};

/// The form's own fields beside those of the process. No parameter's name has a `-` in it.
pub(super) const KEY: &str = "idempotency-key";
pub(super) const CONFIRMED: &str = "confirmed-start";

/// One name of a form with what was given for it: a text, or the value that stands for a file.
pub(super) type Pair = (String, Value);

/// A text as it was typed in: browsers write every end of a line as two characters.
pub(super) fn text(sent: &str) -> Value {
    Value::String(sent.replace("\r\n", "\n"))
}

/// Puts the pairs of a form together to one value a field. What belongs to no field is kept, to be named.
pub(super) fn values(fields: &[FieldInfo], pairs: Vec<Pair>) -> Map<String, Value> {
    let mut values = Map::new();
    let mut rest = pairs;
    for field in fields {
        let belongs = |(name, _): &Pair| belongs(&field.shape, field.name, name);
        let (own, others) = rest.into_iter().partition(belongs);
        rest = others;
        if let Some(value) = value(&field.shape, field.is_optional(), field.name, own) {
            values.insert(field.name.to_owned(), value);
        }
    }
    values.extend(rest);
    values
}

/// True for each name that a form can have for a field of this shape.
fn belongs(shape: &Shape, field: &str, name: &str) -> bool {
    let Some(inner) = name.strip_prefix(field) else { return false };
    match shape {
        _ if inner.is_empty() => true,
        Shape::Group(_) => inner.starts_with('.'),
        Shape::List { item, .. } if matches!(**item, Shape::Group(_)) => {
            inner.strip_prefix('.').is_some_and(|inner| numbered(inner).is_some())
        }
        _ => false,
    }
}

/// The number of an entry and the name inside of it: `0.amount`. A number has one spelling.
fn numbered(name: &str) -> Option<(usize, &str)> {
    let (number, inner) = name.split_once('.')?;
    let read: usize = number.parse().ok()?;
    (read.to_string() == number).then_some((read, inner))
}

/// The value of one field, from the pairs that belong to it; `None` if nothing was given.
fn value(shape: &Shape, optional: bool, name: &str, pairs: Vec<Pair>) -> Option<Value> {
    if pairs.is_empty() {
        return None;
    }
    // A value in the place of a group or of a list of them: it is named as what it is not.
    let whole = || pairs.iter().find(|(full, value)| full == name && !is_blank(value));
    match shape {
        Shape::Group(fields) => match whole() {
            Some((_, value)) => Some(value.clone()),
            None if optional && pairs.iter().all(|(_, value)| is_blank(value)) => Some(Value::Null),
            None => Some(Value::Object(values(fields, inside(name, pairs)))),
        },
        Shape::List { item, .. } => match &**item {
            Shape::Group(fields) => match whole() {
                Some((_, value)) => Some(value.clone()),
                None => Some(entries(fields, inside(name, pairs))),
            },
            // An empty one only says that the list was there.
            _ => Some(pairs.into_iter().map(|(_, value)| value).filter(|value| *value != "").collect()),
        },
        // A box sends "off" before it sends "on": the last one counts.
        _ => pairs.into_iter().next_back().map(|(_, value)| value),
    }
}

/// The groups of a list, in the order of their numbers. Those that were left empty are none.
fn entries(fields: &[FieldInfo], pairs: Vec<Pair>) -> Value {
    let mut entries: BTreeMap<usize, Vec<Pair>> = BTreeMap::new();
    for (name, value) in pairs {
        if let Some((number, inner)) = numbered(&name) {
            entries.entry(number).or_default().push((inner.to_owned(), value));
        }
    }
    let filled = entries.into_values().filter(|own| !own.iter().all(|(_, value)| is_blank(value)));
    filled.map(|own| Value::Object(values(fields, own))).collect()
}

/// The pairs inside of a group or list, without its name in front.
fn inside(name: &str, pairs: Vec<Pair>) -> Vec<Pair> {
    let strip = |(full, value): Pair| {
        let inner = full.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        inner.map(|inner| (inner.to_owned(), value))
    };
    pairs.into_iter().filter_map(strip).collect()
}

/// Nothing was typed in, and no box ticked.
fn is_blank(value: &Value) -> bool {
    value == "" || value == "off"
}

/// The pairs that a form filled in like this would send; secrets and files are left out.
pub(super) fn pairs(fields: &[FieldInfo], values: &Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for field in fields {
        if let Some(value) = values.get(field.name) {
            write(&field.shape, field.name, value, &mut pairs);
        }
    }
    pairs
}

fn write(shape: &Shape, name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match (shape, value) {
        (Shape::Secret(_) | Shape::Upload { .. }, _) => {}
        (Shape::List { item, .. }, Value::Array(entries)) if matches!(**item, Shape::Group(_)) => {
            for (index, entry) in entries.iter().enumerate() {
                write(item, &format!("{name}.{index}"), entry, pairs);
            }
        }
        (Shape::List { item, .. }, Value::Array(entries)) => {
            if !(item.has_secret() || item.has_upload()) {
                pairs.push((name.to_owned(), String::new()));
            }
            entries.iter().for_each(|entry| write(item, name, entry, pairs));
        }
        (Shape::Group(fields), Value::Object(values)) => {
            for field in fields {
                let value = values.get(field.name).unwrap_or(&Value::Null);
                write(&field.shape, &format!("{name}.{}", field.name), value, pairs);
            }
        }
        (Shape::Group(_), _) => {}
        (_, Value::String(text)) => pairs.push((name.to_owned(), text.clone())),
        (_, Value::Null) => pairs.push((name.to_owned(), String::new())),
        (_, other) => pairs.push((name.to_owned(), other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plain<T: crate::Field>(name: &'static str) -> FieldInfo {
        FieldInfo::new::<T>(name, |options| options)
    }

    fn group(name: &'static str) -> FieldInfo {
        let mut field = plain::<bool>(name);
        field.shape =
            Shape::Group(vec![plain::<String>("street"), plain::<bool>("new"), plain::<Vec<u8>>("floors")]);
        field
    }

    fn fields() -> Vec<FieldInfo> {
        let mut lines = group("lines");
        lines.shape = Shape::List { item: Box::new(lines.shape), min_len: None, max_len: None };
        vec![
            plain::<u8>("count"),
            plain::<Vec<String>>("tags"),
            group("address"),
            lines,
            plain::<bool>("dry"),
        ]
    }

    fn read(query: &str) -> Value {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
        Value::Object(values(&fields(), pairs))
    }

    #[test]
    fn names_with_dots_are_groups_and_lists() {
        let form = "count=5&tags=&tags=a&tags=b&address.street=Main&address.new=off&address.new=on\
                    &lines.0.street=&lines.0.new=off&lines.7.street=x&lines.7.floors=&lines.7.floors=2&dry=off";
        assert_eq!(
            read(form),
            json!({
                "count": "5", "tags": ["a", "b"], "address": { "street": "Main", "new": "on" },
                "lines": [{ "street": "x", "floors": ["2"] }], "dry": "off"
            })
        );
    }

    #[test]
    fn what_is_written_reads_back() {
        let values = json!({
            "count": 5, "tags": ["a", "b"], "address": { "street": "Main", "new": true, "floors": [] },
            "lines": [{ "street": "x", "new": false, "floors": [1] }], "dry": true
        });
        let written = pairs(&fields(), values.as_object().unwrap());
        let mut query = form_urlencoded::Serializer::new(String::new());
        let again = read(&query.extend_pairs(written).finish());
        assert_eq!(again["lines"], json!([{ "street": "x", "new": "false", "floors": ["1"] }]));
        assert_eq!(again["address"], json!({ "street": "Main", "new": "true", "floors": [] }));
        assert_eq!((&again["tags"], &again["dry"]), (&json!(["a", "b"]), &json!("true")));
    }

    #[test]
    fn unknown_names_are_kept_where_they_stand() {
        assert_eq!(read("colour=red&address.zip=1"), json!({ "address": { "zip": "1" }, "colour": "red" }));
        let odd = json!({ "lines.x": "1", "lines.99999999999999999999.street": "2", "count.x": "3" });
        assert_eq!(read("lines.x=1&lines.99999999999999999999.street=2&count.x=3"), odd);
        assert_eq!(read("address=1&lines=2"), json!({ "address": "1", "lines": "2" }));
    }
}
