//! The question that confirms a start, with the values of the inputs that it names.

use serde_json::{Map, Value};

use crate::field::FieldInfo;
use crate::text::shorten;

/// The most bytes of one value in a question.
const LONGEST: usize = 80;
/// What stands for the value of a secret.
const SECRET: &str = "••••••";
/// What stands for a value that was not given.
const NOTHING: &str = "—";

/// Replaces each `{name}` by the value of that field; `{{` and `}}` are braces. The macro has checked the names; any
/// other text stays as it is.
pub(super) fn ask(question: &str, fields: &[FieldInfo], values: &Map<String, Value>) -> String {
    let (mut asked, mut rest) = (String::new(), question);
    while let Some(place) = rest.find(['{', '}']) {
        let (before, after) = rest.split_at(place);
        asked.push_str(before);
        let field = || {
            let (name, end) = after.strip_prefix('{')?.split_once('}')?;
            Some((fields.iter().find(|field| field.name == name.trim())?, end))
        };
        rest = if after.starts_with("{{") || after.starts_with("}}") {
            asked.push_str(&after[..1]);
            &after[2..]
        } else if let Some((field, end)) = field() {
            match field.shape.has_secret() {
                true => asked.push_str(SECRET),
                false => asked.push_str(&said(values.get(field.name).unwrap_or(&Value::Null))),
            }
            end
        } else {
            asked.push_str(&after[..1]);
            &after[1..]
        };
    }
    asked + rest
}

/// A value in one line; a file by its name.
fn said(value: &Value) -> String {
    let text = match value {
        Value::Null => NOTHING.to_owned(),
        Value::String(text) if text.is_empty() => NOTHING.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Object(file) if file.contains_key("size") => file.get("name").map_or_else(String::new, said),
        other => other.to_string(),
    };
    shorten(&text.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn question_names_the_inputs() {
        let plain = |name| FieldInfo::new::<String>(name, |options| options);
        let mut fields = vec![plain("count"), plain("kind"), plain("file"), plain("tags")];
        fields.push(FieldInfo::new::<crate::Secret<String>>("key", |options| options));
        let values = json!({
            "count": 5, "kind": "two\nlines", "file": { "name": "a.csv", "size": 3 }, "tags": ["a", "b"], "key": "x"
        });
        let ask = |question: &str| ask(question, &fields, values.as_object().unwrap());
        assert_eq!(ask("Delete {count} {kind}?"), "Delete 5 two lines?");
        assert_eq!(ask("{file}: {tags} {key}"), "a.csv: a, b ••••••");
        assert_eq!(ask("{{count}} {other} {"), "{count} {other} {");
        let none = Map::new();
        assert_eq!(super::ask("{count}", &fields, &none), "—");
        assert!(
            super::ask("{kind}", &fields, json!({ "kind": "ü".repeat(500) }).as_object().unwrap()).len()
                < 100
        );
    }
}
