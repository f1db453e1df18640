//! The names and values of form fields: `address.street=…`, a repeated `tags=a`, `lines.0.amount=…`. Written by pages,
//! and read back.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::field::{FieldInfo, Shape};

/// The form's own fields beside those of the process. The name of a parameter never contains `-`.
pub(in crate::web) const KEY: &str = "idempotency-key";
pub(in crate::web) const CONFIRMED: &str = "confirmed-start";
/// The run whose inputs fill in a form. The short name belongs to a field that has it.
pub(in crate::web) const FROM: &str = "from";
pub(in crate::web) const FROM_RUN: &str = "from-run";

/// The name of that parameter in the address of a form with these fields.
pub(in crate::web) fn from_name(fields: &[FieldInfo]) -> &'static str {
    if fields.iter().any(|field| field.name == FROM) { FROM_RUN } else { FROM }
}

/// The value that an optional group has under its own name if it was given.
pub(in crate::web) const GIVEN: &str = "given";

/// A name in a form, with its value: a text, or the object that represents a file.
pub(in crate::web) type Pair = (String, Value);

/// A text as it was typed: browsers send each line break as two characters.
pub(in crate::web) fn text(sent: &str) -> Value {
    Value::String(sent.replace("\r\n", "\n"))
}

/// Combines the pairs of a form into one value for each field. Pairs that belong to no field are kept, to be reported.
pub(in crate::web) fn values(fields: &[FieldInfo], pairs: Vec<Pair>) -> Map<String, Value> {
    let mut values = Map::new();
    let mut rest = pairs;
    for field in fields {
        let belongs = |(name, value): &Pair| belongs(&field.shape, field.name, name, value);
        let (own, others) = rest.into_iter().partition(belongs);
        rest = others;
        if let Some(value) = value(&field.shape, field.is_optional(), field.name, own) {
            values.insert(field.name.to_owned(), value);
        }
    }
    values.extend(rest);
    values
}

/// True if a form can contain this name for a field of this shape.
fn belongs(shape: &Shape, field: &str, name: &str, value: &Value) -> bool {
    let Some(inner) = name.strip_prefix(field) else { return false };
    match shape {
        _ if inner.is_empty() => true,
        Shape::Group(_) => inner.starts_with('.'),
        Shape::List { item, .. } if matches!(**item, Shape::Group(_)) => inner
            .strip_prefix('.')
            .is_some_and(|inner| numbered(inner).is_some() || (value == GIVEN && number(inner).is_some())),
        _ => false,
    }
}

/// The index of an entry and the name inside it: `0.amount`.
fn numbered(name: &str) -> Option<(usize, &str)> {
    let (entry, inner) = name.split_once('.')?;
    Some((number(entry)?, inner))
}

/// The index of an entry, which has one spelling.
fn number(name: &str) -> Option<usize> {
    name.parse().ok().filter(|read: &usize| read.to_string() == name)
}

/// The value of one field, from its pairs; `None` if there are none.
fn value(shape: &Shape, optional: bool, name: &str, pairs: Vec<Pair>) -> Option<Value> {
    if pairs.is_empty() {
        return None;
    }
    // A plain value in place of a group, or of a list of groups, is kept, so that its type is reported as an error.
    let whole = || pairs.iter().find(|(full, value)| full == name && value != "" && value != GIVEN);
    match shape {
        Shape::Group(fields) => match whole() {
            Some((_, value)) => Some(value.clone()),
            None => {
                let was_given = is_marked(name, &pairs);
                let values = values(fields, inside(name, pairs));
                let lacks = optional && is_left_out(fields, &values, was_given);
                Some(if lacks { Value::Null } else { Value::Object(values) })
            }
        },
        Shape::List { item, .. } => match &**item {
            Shape::Group(fields) => match whole() {
                Some((_, value)) => Some(value.clone()),
                None => Some(entries(fields, inside(name, pairs))),
            },
            // An empty value only marks that the list was in the form.
            _ => Some(pairs.into_iter().map(|(_, value)| value).filter(|value| *value != "").collect()),
        },
        // A file input without a file sends an empty value, beside the file of an earlier run.
        Shape::Upload { .. } if pairs.iter().any(|(_, value)| *value != "") => {
            pairs.into_iter().map(|(_, value)| value).rfind(|value| *value != "")
        }
        // A checkbox sends "off" before "on": the last value wins.
        _ => pairs.into_iter().next_back().map(|(_, value)| value),
    }
}

/// The groups of a list, in order of their indexes. Empty ones are ignored.
fn entries(fields: &[FieldInfo], pairs: Vec<Pair>) -> Value {
    let mut entries: BTreeMap<usize, (bool, Vec<Pair>)> = BTreeMap::new();
    for (name, value) in pairs {
        if let Some((number, inner)) = numbered(&name) {
            entries.entry(number).or_default().1.push((inner.to_owned(), value));
        } else if let Some(number) = number(&name) {
            entries.entry(number).or_default().0 |= value == GIVEN;
        }
    }
    let filled = entries.into_values().filter_map(|(was_given, own)| {
        let values = values(fields, own);
        (!is_left_out(fields, &values, was_given)).then_some(Value::Object(values))
    });
    filled.collect()
}

/// The pairs inside a group or list, without its prefix.
fn inside(name: &str, pairs: Vec<Pair>) -> Vec<Pair> {
    let strip = |(full, value): Pair| {
        let inner = full.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        inner.map(|inner| (inner.to_owned(), value))
    };
    pairs.into_iter().filter_map(strip).collect()
}

/// True if the form marked this group as given.
fn is_marked(name: &str, pairs: &[Pair]) -> bool {
    pairs.iter().any(|(own, value)| own == name && value == GIVEN)
}

/// True if the sender of this group meant to omit it. The defaults that an empty group shows are not input; in a group
/// that was given before, they are, as long as they form a value.
fn is_left_out(fields: &[FieldInfo], values: &Map<String, Value>, was_given: bool) -> bool {
    let each = |holds: &dyn Fn(&FieldInfo, &Value) -> bool| {
        values
            .iter()
            .all(|(name, value)| fields.iter().any(|field| field.name == name && holds(field, value)))
    };
    let makes_one = || fields.iter().all(|field| field.check(values.get(field.name)).is_ok());
    each(&|field, value| is_blank(&field.shape, value))
        || (each(&is_untouched) && !(was_given && makes_one()))
}

/// True if nothing was entered and no box was ticked.
fn is_blank(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Checkbox, Value::String(text)) if text == "off" => true,
        (_, Value::String(text)) => text.is_empty(),
        (_, Value::Array(entries)) => entries.is_empty(),
        (Shape::Group(fields), Value::Object(values)) => is_left_out(fields, values, false),
        _ => false,
    }
}

/// True if the input has its initial value.
fn is_untouched(field: &FieldInfo, value: &Value) -> bool {
    match (&field.shape, value) {
        (shape, _) if is_blank(shape, value) => true,
        // A secret is compared like any other value.
        (shape, _) if shape.has_secret() => false,
        _ => field.default.is_some() && field.check(Some(value)).ok() == field.default,
    }
}

/// The pairs that a form with these values would send; secrets are left out. A file is one of an earlier run, by its
/// address.
pub(in crate::web) fn pairs(fields: &[FieldInfo], values: &Map<String, Value>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for field in fields {
        if let Some(value) = values.get(field.name) {
            write(&field.shape, field.is_optional(), field.name, value, &mut pairs);
        }
    }
    pairs
}

fn write(shape: &Shape, optional: bool, name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match (shape, value) {
        (Shape::Secret { .. }, _) => {}
        (Shape::Upload { .. }, value) if !value.is_string() => {}
        (Shape::List { item, .. }, Value::Array(entries)) if matches!(**item, Shape::Group(_)) => {
            for (index, entry) in entries.iter().enumerate() {
                write(item, true, &format!("{name}.{index}"), entry, pairs);
            }
        }
        (Shape::List { item, .. }, Value::Array(entries)) => {
            if !(item.has_secret() || item.has_upload()) {
                pairs.push((name.to_owned(), String::new()));
            }
            entries.iter().for_each(|entry| write(item, false, name, entry, pairs));
        }
        (Shape::Group(fields), Value::Object(values)) => {
            if optional {
                pairs.push((name.to_owned(), GIVEN.to_owned()));
            }
            for field in fields {
                let value = values.get(field.name).unwrap_or(&Value::Null);
                write(&field.shape, field.is_optional(), &format!("{name}.{}", field.name), value, pairs);
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
    use crate::field::{NumberOptions, PlainOptions};

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
        lines.shape =
            Shape::List { item: Box::new(lines.shape), nullable: false, min_len: None, max_len: None };
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
    fn dotted_names_are_groups_and_lists() {
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
    fn form_round_trips() {
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

    /// `lines` as a list of groups in which only the article is required.
    fn order() -> Vec<FieldInfo> {
        let inner = || {
            Shape::Group(vec![
                plain::<String>("article"),
                FieldInfo::new::<u32>("quantity", |options| NumberOptions { default: Some(1), ..options }),
                FieldInfo::new::<bool>("gift", |options| PlainOptions { default: Some(true), ..options }),
            ])
        };
        let mut lines = plain::<Vec<String>>("lines");
        lines.shape = Shape::List { item: Box::new(inner()), nullable: false, min_len: None, max_len: None };
        let mut first = plain::<Option<String>>("first");
        first.shape = inner();
        vec![lines, first]
    }

    fn ordered(query: &str) -> Value {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let pairs = pairs.map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
        Value::Object(values(&order(), pairs))
    }

    #[test]
    fn empty_group_defaults_are_no_input() {
        let spare = "lines.0.article=&lines.0.quantity=1&lines.0.gift=off&lines.0.gift=on\
                     &first.article=&first.quantity=1&first.gift=off&first.gift=on";
        assert_eq!(ordered(spare), json!({ "lines": [], "first": null }));
        // The person emptied it to remove it.
        assert_eq!(
            ordered("lines.0=given&lines.0.article=&lines.0.quantity=&lines.0.gift=off"),
            json!({ "lines": [] })
        );
        let changed = "lines.0.article=&lines.0.quantity=2&lines.0.gift=on";
        assert_eq!(ordered(changed)["lines"], json!([{ "article": "", "quantity": "2", "gift": "on" }]));
        assert_eq!(ordered("first.quantity=x")["first"], json!({ "quantity": "x" }));
        assert_eq!(ordered("first.article=&first.zip=1")["first"], json!({ "article": "", "zip": "1" }));
    }

    #[test]
    fn group_of_given_defaults_is_kept() {
        let mut fields = order();
        let quantity = || {
            Shape::Group(vec![FieldInfo::new::<u32>("quantity", |options| NumberOptions {
                default: Some(1),
                ..options
            })])
        };
        fields[0].shape =
            Shape::List { item: Box::new(quantity()), nullable: false, min_len: None, max_len: None };
        fields[1].shape = quantity();
        let given = json!({ "lines": [{ "quantity": 1 }], "first": { "quantity": 1 } });
        let written = pairs(&fields, given.as_object().unwrap());
        let read = |pairs: Vec<(String, String)>| {
            Value::Object(values(
                &fields,
                pairs.into_iter().map(|(name, value)| (name, value.into())).collect(),
            ))
        };
        let kept = json!({ "lines": [{ "quantity": "1" }], "first": { "quantity": "1" } });
        assert_eq!(read(written.clone()), kept);
        let unmarked = written.into_iter().filter(|(_, value)| value != GIVEN);
        assert_eq!(read(unmarked.collect()), json!({ "lines": [], "first": null }));
    }

    #[test]
    fn line_breaks_are_preserved() {
        assert_eq!(text("a\r\nb"), "a\nb");
    }

    #[test]
    fn unknown_fields_keep_their_place() {
        assert_eq!(read("colour=red&address.zip=1"), json!({ "address": { "zip": "1" }, "colour": "red" }));
        let odd = json!({ "lines.x": "1", "lines.99999999999999999999.street": "2", "count.x": "3" });
        assert_eq!(read("lines.x=1&lines.99999999999999999999.street=2&count.x=3"), odd);
        assert_eq!(read("address=1&lines=2"), json!({ "address": "1", "lines": "2" }));
    }
}
