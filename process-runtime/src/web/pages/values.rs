//! Owns how any JSON value is shown: every field of it, as text, key–value list, table or link.
//! Refuses to know where the value comes from. `words.js` builds the same elements; the two change together.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::words::grouped;
use crate::field::label_of;

/// Deeper values are shown as their JSON, so that no value can exhaust the stack.
const DEPTH: usize = 12;

/// Longer lists end with a count of what is left, which the download has.
const ROWS: usize = 1000;

/// Longer lists inside a value are folded.
const OPEN: usize = 20;

/// A value with all that is in it.
pub(super) fn value(value: &Value) -> Markup {
    show("", value, 0)
}

/// A key–value list under labels of its own.
pub(super) fn fields<'a>(entries: impl IntoIterator<Item = (String, &'a Value)>) -> Markup {
    html! {
        dl.fields {
            @for (label, value) in entries {
                div { dt { (label) } dd { (show(&label, value, 1)) } }
            }
        }
    }
}

/// `price_in_euro` → `Price in euro`.
pub(super) fn label(key: &str) -> String {
    match label_of(key) {
        label if label.is_empty() => "(no name)".to_owned(),
        label => label,
    }
}

/// A value in a few plain words.
pub(super) fn brief(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).to_owned(),
        Value::Number(number) => figure(key, &number.to_string()),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => counted(items.len(), "entry", "entries"),
        Value::Object(object) => counted(object.len(), "field", "fields"),
    }
}

/// Long numbers are grouped unless they name something: an id is there to be copied.
fn figure(key: &str, number: &str) -> String {
    let plain = number.strip_suffix(".0").unwrap_or(number);
    let whole = plain.split('.').next().unwrap_or_default().trim_start_matches('-');
    let names = key.to_ascii_lowercase().ends_with("id");
    if names || whole.len() < 5 || plain.contains('e') { plain.to_owned() } else { grouped(plain) }
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&number.to_string()), if number == 1 { one } else { many })
}

fn show(key: &str, value: &Value, depth: usize) -> Markup {
    match value {
        Value::Null => html! { span.soft { "none" } },
        Value::Bool(_) | Value::Number(_) => html! { (brief(key, value)) },
        Value::String(text) if text.is_empty() => html! { span.soft { "empty" } },
        Value::String(text) if is_link(text) => {
            html! { a href=(text) rel="noopener noreferrer nofollow" { (text) } }
        }
        Value::String(text) => html! { span.plain { (text) } },
        Value::Array(items) if items.is_empty() => html! { span.soft { "none" } },
        Value::Object(object) if object.is_empty() => html! { span.soft { "none" } },
        Value::Array(_) | Value::Object(_) if depth >= DEPTH => html! { code { (value.to_string()) } },
        Value::Array(items) => {
            fold(depth > 1 || (depth == 1 && items.len() > OPEN), value, list(items, depth))
        }
        Value::Object(object) => fold(depth > 0, value, entries(object, depth)),
    }
}

fn fold(folded: bool, value: &Value, body: Markup) -> Markup {
    html! {
        @if folded {
            details { summary { (brief("", value)) } (body) }
        } @else {
            (body)
        }
    }
}

fn entries(object: &Map<String, Value>, depth: usize) -> Markup {
    html! {
        dl.fields {
            @for (key, value) in object {
                div { dt { (label(key)) } dd { (show(key, value, depth + 1)) } }
            }
        }
    }
}

fn list(items: &[Value], depth: usize) -> Markup {
    let rows: Option<Vec<&Map<String, Value>>> = items.iter().take(ROWS).map(Value::as_object).collect();
    html! {
        @match rows {
            Some(rows) => (table(&rows, depth)),
            None => ul.values { @for item in items.iter().take(ROWS) { li { (show("", item, depth + 1)) } } },
        }
        @if items.len() > ROWS {
            p.soft { (counted(items.len() - ROWS, "more entry", "more entries")) " in the download" }
        }
    }
}

/// Objects of a list are rows; a column is every key that one of them has.
fn table(rows: &[&Map<String, Value>], depth: usize) -> Markup {
    let mut columns: Vec<&str> = Vec::new();
    for key in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    html! {
        div.scroll role="region" aria-label="Table" tabindex="0" {
            table {
                thead { tr { @for key in &columns { th scope="col" { (label(key)) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for key in &columns {
                                td { @if let Some(value) = row.get(*key) { (show(key, value, depth + 2)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Only addresses of the web become links, and only when they are the whole text.
fn is_link(text: &str) -> bool {
    let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    address.is_some_and(|rest| !rest.is_empty() && !text.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(of: &Value) -> String {
        value(of).into_string()
    }

    #[test]
    fn every_field_is_there_and_markup_is_text() {
        let html = shown(&json!({
            "message": "<img src=x onerror=alert(1)>", "total": 10_000, "order_id": 123_456, "ok": true,
            "rows": [{ "line": 3, "reason": "no e-mail" }, { "line": 9, "hint": "twice" }],
            "deep": { "inner": [1, 2] }, "nothing": null, "tags": ["a", 1],
        }));
        for part in ["10,000", "123456", "yes", "Reason", "no e-mail", "Hint", "twice", "<summary>1 field"] {
            assert!(html.contains(part), "{part} is missing in {html}");
        }
        assert!(html.contains("&lt;img") && !html.contains("<img"));
    }

    #[test]
    fn only_addresses_of_the_web_are_links() {
        assert!(shown(&json!("https://example.org/a?b=1")).starts_with("<a href"));
        for text in ["javascript:alert(1)", "https://", "see https://example.org", "https://a b"] {
            assert!(!shown(&json!(text)).contains("<a"), "{text}");
        }
    }

    #[test]
    fn a_value_of_any_depth_is_shown() {
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(shown(&deep).contains("<code>[[["));
    }
}
