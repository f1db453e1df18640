//! Renders the fields of a form: one input, or several in a fieldset, for each shape.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::field::{FormContext, FormField};
use super::input;
use crate::field::{FieldInfo, Shape};
use crate::web::request::form::GIVEN;

/// How many empty inputs a list offers.
const SPARE: usize = 1;

/// The fields of a form or a group, with their current values.
pub(super) fn fields(
    outer: &str,
    fields: &[FieldInfo],
    values: &Map<String, Value>,
    shown: FormContext<'_>,
) -> Markup {
    html! {
        @for info in fields {
            @let name = if outer.is_empty() { info.name.to_owned() } else { format!("{outer}.{}", info.name) };
            @let value = values.get(info.name).or(info.default.as_ref()).unwrap_or(&Value::Null);
            (any_field(&FormField {
                name, label: &info.label, help: info.help, shape: &info.shape, shown, value, entry: false,
                required: info.default.is_none(), optional: info.is_optional(),
            }))
        }
    }
}

fn any_field(field: &FormField<'_>) -> Markup {
    match field.shape {
        Shape::Group(inner) if field.optional => group(field, &not_required(inner), true, None),
        Shape::Group(inner) => group(field, inner, false, None),
        Shape::List { item, .. } => match &**item {
            Shape::Choice { choices, .. } => frame(field, None, &input::boxes(field, choices)),
            Shape::Upload { .. } => single(field),
            Shape::Group(inner) => groups(field, &not_required(inner)),
            item => list(field, item),
        },
        Shape::Choice { choices, radio: true } => {
            frame(field, Some("radiogroup"), &input::radios(field, choices))
        }
        Shape::Checkbox if !field.optional => html! {
            div.field { (input::tick(field)) (field.remarks()) }
        },
        _ => single(field),
    }
}

fn single(field: &FormField<'_>) -> Markup {
    html! {
        div.field {
            label for=(field.id()) { (title(field)) }
            (field.remarks())
            // Before the input: a file that is chosen there replaces the one of an earlier run.
            @for file in field.kept() { (input::kept(field, file)) }
            (input::input(field))
        }
    }
}

fn title(field: &FormField<'_>) -> Markup {
    html! {
        bdi { (field.label) }
        @if field.optional { " " span.soft { (field.shown.texts.text("form.optional")) } }
    }
}

/// Several inputs in a fieldset. Links can point to it, and it shows the errors that concern all of it.
fn frame(field: &FormField<'_>, role: Option<&str>, content: &Markup) -> Markup {
    let wrong = field.is_wrong();
    html! {
        fieldset.field.set[matches!(field.shape, Shape::Group(_))] id=(field.id()) tabindex="-1" role=[role]
            aria-describedby=[field.described_by()] data-invalid[wrong]
            aria-invalid=[role.filter(|_| wrong).map(|_| "true")] {
            legend { (title(field)) }
            (field.remarks())
            (content)
        }
    }
}

/// The fields of an optional group are never required in the browser: only the server knows whether the group is used.
fn not_required(inner: &[FieldInfo]) -> Vec<FieldInfo> {
    inner.iter().map(FieldInfo::not_required).collect()
}

/// The inputs of a group. A group that `may_lack` sends a marker if it was given, because its defaults alone do not
/// show it.
fn group(field: &FormField<'_>, inner: &[FieldInfo], may_lack: bool, remove: Option<&Markup>) -> Markup {
    let none = Map::new();
    let given = field.value.as_object();
    let content = html! {
        @if may_lack && given.is_some() { input type="hidden" name=(field.name) value=(GIVEN); }
        (fields(&field.name, inner, given.unwrap_or(&none), field.shown))
        @if let Some(remove) = remove { (remove) }
    };
    frame(field, None, &content)
}

/// An input for each entry, and an empty one.
fn list(field: &FormField<'_>, item: &Shape) -> Markup {
    let entries = entries(field, item, |entry, remove| {
        html! {
            (entry.remarks())
            (input::entry(entry, &field.name))
            (remove)
        }
    });
    let content = html! {
        input type="hidden" name=(field.name) value="";
        (entries)
    };
    frame(field, None, &content)
}

/// A fieldset for each entry, and an empty one.
fn groups(field: &FormField<'_>, inner: &[FieldInfo]) -> Markup {
    let shape = Shape::Group(inner.to_vec());
    frame(field, None, &entries(field, &shape, |entry, remove| group(entry, inner, true, Some(remove))))
}

/// The entries of a list and an empty one. The script adds and removes entries: without it no button is shown.
fn entries(field: &FormField<'_>, item: &Shape, draw: impl Fn(&FormField<'_>, &Markup) -> Markup) -> Markup {
    let none = Vec::new();
    let texts = field.shown.texts;
    let given = field.value.as_array().unwrap_or(&none);
    html! {
        div.list data-list=(field.name) {
            @for (index, value) in given.iter().chain(std::iter::repeat_n(&Value::Null, SPARE)).enumerate() {
                @let label = format!("{} {}", field.label, index + 1);
                div.entry data-entry=(index) {
                    (draw(&FormField {
                        name: format!("{}.{index}", field.name), label: &label, help: None, shape: item, value,
                        shown: field.shown, entry: true,
                        // Empty entries are ignored.
                        required: false, optional: false,
                    }, &html! {
                        button.small type="button" data-less hidden
                            aria-label=(texts.with("form.remove_one", &[("label", &label)])) {
                            (texts.text("form.remove"))
                        }
                    }))
                }
            }
        }
        button.small type="button" data-more hidden
            aria-label=(texts.with("form.add_one", &[("label", field.label)])) {
            (texts.text("form.add"))
        }
    }
}
