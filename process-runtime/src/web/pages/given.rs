//! The inputs of a run as people see them: in a few words, and in full, with its files by name.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{Shell, values};
use crate::field::{FieldInfo, Shape};
use crate::process::Process;
use crate::run::{Run, RunId};
use crate::text::shorten;
use crate::texts::Texts;
use crate::web::request::path;

/// How many inputs a summary mentions, and the bytes of each and of all.
const MENTIONED: usize = 3;
const LONGEST: usize = 60;
const SUMMARY: usize = 160;

/// The first inputs of a run in one line. Secrets are not mentioned.
pub(in crate::web) fn summary(texts: &Texts, process: Option<&Process>, run: &Run) -> String {
    let fields = process.map(Process::fields).unwrap_or_default();
    let known = |name: &str| fields.iter().find(|field| field.name == name);
    let is_secret = |name: &str| known(name).is_some_and(|field| field.shape.has_secret());
    let mentioned = run.input.iter().filter(|(name, value)| !is_secret(name) && !says_nothing(value));
    let each = |(name, value): (&String, &Value)| {
        let field = known(name);
        let label = field.map_or_else(|| values::label(texts, name), |field| field.label.clone());
        let words = brief(texts, name, field.map(|field| &field.shape), value);
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{label} {}", shorten(&words, LONGEST))
    };
    shorten(&mentioned.take(MENTIONED).map(each).collect::<Vec<_>>().join(" · "), SUMMARY)
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(entries) => entries.is_empty(),
        _ => false,
    }
}

/// A value in a few words; a file by its name.
pub(super) fn brief(texts: &Texts, name: &str, shape: Option<&Shape>, value: &Value) -> String {
    let file = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    match (shape, value) {
        (Some(Shape::Upload { .. }), value) => file(value),
        (Some(Shape::List { item, .. }), Value::Array(entries)) if matches!(**item, Shape::Upload { .. }) => {
            Some(entries.iter().filter_map(file).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
    .unwrap_or_else(|| values::brief(texts, name, value))
}

/// The inputs of a run, with a link for each file if `downloads`.
pub(super) fn inputs(shell: &Shell<'_>, fields: &[FieldInfo], run: &Run, downloads: bool) -> Markup {
    let files = Files { shell, run: run.id, downloads };
    html! { dl.fields { (files.entries(fields, &run.input, "")) } }
}

struct Files<'a> {
    shell: &'a Shell<'a>,
    run: RunId,
    downloads: bool,
}

impl Files<'_> {
    fn entries(&self, fields: &[FieldInfo], input: &Map<String, Value>, outer: &str) -> Markup {
        let texts = self.shell.texts;
        html! {
            @for (name, value) in input {
                @let field = fields.iter().find(|field| field.name == name);
                @let label = field.map_or_else(|| values::label(texts, name), |field| field.label.clone());
                @match field.filter(|field| field.shape.has_upload()) {
                    Some(field) => div {
                        dt dir="auto" { (label) }
                        dd { (self.value(&field.shape, value, &format!("{outer}{name}"))) }
                    },
                    None => (values::field(texts, &label, value)),
                }
            }
        }
    }

    fn value(&self, shape: &Shape, value: &Value, field_path: &str) -> Markup {
        match (shape, value) {
            (Shape::Upload { .. }, Value::Object(file)) => self.file(file, field_path),
            (Shape::List { item, .. }, Value::Array(entries)) if !entries.is_empty() => html! {
                ul.values {
                    @for (index, entry) in entries.iter().enumerate() {
                        li { (self.value(item, entry, &format!("{field_path}.{index}"))) }
                    }
                }
            },
            (Shape::Group(fields), Value::Object(input)) => html! {
                dl.fields { (self.entries(fields, input, &format!("{field_path}."))) }
            },
            (_, value) => values::value(self.shell.texts, value),
        }
    }

    fn file(&self, file: &Map<String, Value>, field_path: &str) -> Markup {
        let name = file.get("name").and_then(Value::as_str).unwrap_or_default();
        let size = file.get("size").and_then(Value::as_u64).unwrap_or_default();
        let address = format!("{}/inputs/{}", self.shell.run(self.run), path::segment(field_path));
        html! {
            @if self.downloads {
                a href=(address) download=(name) dir="auto" { (name) }
            } @else {
                bdi { (name) }
            }
            " " span.soft { (self.shell.texts.size(size)) }
        }
    }
}
