//! Renders any JSON value as text, key–value list, table or link.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::field::label_of;
use crate::texts::Texts;

/// Deeper values are shown as JSON, so that no value can exhaust the stack.
const DEPTH: usize = 12;

/// Longer lists end with a count of the remaining entries, which the download contains.
const ROWS: usize = 1000;

/// A longer text is folded after this many characters, counted as browsers do.
const LONG: usize = 600;
const FIRST: usize = 80;

/// Longer lists inside a value are folded.
const OPEN: usize = 20;

/// A value with everything in it.
pub(super) fn value(texts: &Texts, value: &Value) -> Markup {
    show(texts, "", value, 0)
}

/// A value with its label, in a key–value list.
pub(super) fn field(texts: &Texts, label: &str, value: &Value) -> Markup {
    html! { div { dt dir="auto" { (label) } dd { (show(texts, label, value, 1)) } } }
}

/// `price_in_euro` → `Price in euro`.
pub(super) fn label(texts: &Texts, key: &str) -> String {
    match label_of(key) {
        label if label.is_empty() => texts.text("value.no_name").to_owned(),
        label => label,
    }
}

/// A value in a few words.
pub(super) fn brief(texts: &Texts, key: &str, value: &Value) -> String {
    match value {
        Value::Null => texts.text("value.none").to_owned(),
        Value::Bool(yes) => texts.text(if *yes { "value.yes" } else { "value.no" }).to_owned(),
        Value::Number(number) => figure(texts, key, &number.to_string()),
        Value::String(text) if text.is_empty() => texts.text("value.empty").to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => texts.counted("value.entries", items.len() as u64),
        Value::Object(object) => texts.counted("value.fields", object.len() as u64),
    }
}

/// Long numbers are grouped, except ids, which people copy.
fn figure(texts: &Texts, key: &str, number: &str) -> String {
    let plain = number.strip_suffix(".0").unwrap_or(number);
    let whole = plain.split('.').next().unwrap_or_default().trim_start_matches('-');
    let names = key.to_ascii_lowercase().ends_with("id");
    match whole.len() {
        _ if names || plain.contains('e') => plain.to_owned(),
        0..5 => texts.plain(plain),
        _ => texts.grouped(plain),
    }
}

fn show(texts: &Texts, key: &str, value: &Value, depth: usize) -> Markup {
    let soft = |key| html! { span.soft { (texts.text(key)) } };
    match value {
        Value::Null => soft("value.none"),
        Value::Bool(_) | Value::Number(_) => html! { (brief(texts, key, value)) },
        Value::String(text) if text.is_empty() => soft("value.empty"),
        Value::String(text) if text.encode_utf16().count() > LONG => {
            let first: String = text.chars().take(FIRST).collect();
            html! { details { summary dir="auto" { (first) "…" } (words(text)) } }
        }
        Value::String(text) => words(text),
        Value::Array(items) if items.is_empty() => soft("value.none"),
        Value::Object(object) if object.is_empty() => soft("value.none"),
        Value::Object(object) if span_in(object).is_some() => {
            html! { (texts.duration(span_in(object).unwrap_or_default(), true)) }
        }
        Value::Array(_) | Value::Object(_) if depth >= DEPTH => {
            html! { code dir="ltr" { (value.to_string()) } }
        }
        Value::Array(items) => {
            let folded = depth > 1 || (depth == 1 && items.len() > OPEN);
            fold(texts, folded, value, list(texts, items, depth))
        }
        Value::Object(object) => fold(texts, depth > 0, value, entries(texts, object, depth)),
    }
}

fn words(text: &str) -> Markup {
    html! {
        @if is_link(text) {
            a href=(text) rel="noopener noreferrer nofollow" dir="auto" { (text) }
        } @else {
            span.plain dir="auto" { (text) }
        }
    }
}

/// A duration as serde writes `std::time::Duration`, in milliseconds.
fn span_in(object: &Map<String, Value>) -> Option<u64> {
    let [("secs", seconds), ("nanos", nanos)] =
        object.iter().map(|(key, value)| (key.as_str(), value)).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    Some(seconds.as_u64()?.checked_mul(1_000)?.saturating_add(nanos.as_u64()? / 1_000_000))
}

fn fold(texts: &Texts, folded: bool, value: &Value, body: Markup) -> Markup {
    html! {
        @if folded {
            details { summary { (brief(texts, "", value)) } (body) }
        } @else {
            (body)
        }
    }
}

fn entries(texts: &Texts, object: &Map<String, Value>, depth: usize) -> Markup {
    html! {
        dl.fields {
            @for (key, value) in object {
                div { dt dir="auto" { (label(texts, key)) } dd { (show(texts, key, value, depth + 1)) } }
            }
        }
    }
}

fn list(texts: &Texts, items: &[Value], depth: usize) -> Markup {
    let rows: Option<Vec<&Map<String, Value>>> = items.iter().take(ROWS).map(Value::as_object).collect();
    html! {
        @match rows {
            Some(rows) => (table(texts, &rows, depth)),
            None => ul.values { @for item in items.iter().take(ROWS) { li { (show(texts, "", item, depth + 1)) } } },
        }
        @if items.len() > ROWS {
            p.soft { (texts.counted("value.more", (items.len() - ROWS) as u64)) }
        }
    }
}

/// The objects of a list as rows; each key of any object is a column.
fn table(texts: &Texts, rows: &[&Map<String, Value>], depth: usize) -> Markup {
    let mut columns: Vec<&str> = Vec::new();
    for key in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    html! {
        div.scroll role="region" aria-label=(texts.text("value.table")) tabindex="0" {
            table {
                thead { tr { @for key in &columns { th scope="col" dir="auto" { (label(texts, key)) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for key in &columns {
                                td { @if let Some(value) = row.get(*key) { (show(texts, key, value, depth + 2)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Only web addresses become links, and only if they are the whole text.
fn is_link(text: &str) -> bool {
    let address = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    address.is_some_and(|rest| !rest.is_empty() && !text.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(of: &Value) -> String {
        value(Texts::english(), of).into_string()
    }

    #[test]
    fn every_field_is_shown_escaped() {
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
    fn long_text_folds_durations_in_words() {
        let long = "ä".repeat(601);
        let html = shown(&json!({ "long": long, "took": std::time::Duration::from_millis(65_300) }));
        assert!(
            html.contains(&format!("<summary dir=\"auto\">{}…</summary>", "ä".repeat(80)))
                && html.contains(&long)
        );
        assert!(html.contains("1 m 5 s") && !html.contains("nanos"));
        assert!(!shown(&json!("ä".repeat(600))).contains("<summary"));
    }

    #[test]
    fn only_web_addresses_are_links() {
        assert!(shown(&json!("https://example.org/a?b=1")).starts_with("<a href"));
        for text in ["javascript:alert(1)", "https://", "see https://example.org", "https://a b"] {
            assert!(!shown(&json!(text)).contains("<a"), "{text}");
        }
    }

    #[test]
    fn deeply_nested_value_is_shown() {
        let mut deep = json!(1);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert!(shown(&deep).contains("<code dir=\"ltr\">[[["));
    }
}
