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
            (field(&FormField {
                name, label: &info.label, help: info.help, shape: &info.shape, shown, value, entry: false,
                required: info.default.is_none(), optional: info.is_optional(),
            }))
        }
    }
}

fn field(place: &FormField<'_>) -> Markup {
    match place.shape {
        Shape::Group(inner) if place.optional => group(place, &not_required(inner), true, None),
        Shape::Group(inner) => group(place, inner, false, None),
        Shape::List { item, .. } => match &**item {
            Shape::Choice { choices, .. } => frame(place, None, &input::boxes(place, choices)),
            Shape::Upload { .. } => single(place),
            Shape::Group(inner) => groups(place, &not_required(inner)),
            item => list(place, item),
        },
        Shape::Choice { choices, radio: true } => {
            frame(place, Some("radiogroup"), &input::radios(place, choices))
        }
        Shape::Checkbox if !place.optional => html! {
            div.field { (input::tick(place)) (place.remarks()) }
        },
        _ => single(place),
    }
}

fn single(place: &FormField<'_>) -> Markup {
    html! {
        div.field {
            label for=(place.id()) { (title(place)) }
            (place.remarks())
            // Before the input: a file that is chosen there replaces the one of an earlier run.
            @for file in place.kept() { (input::kept(place, file)) }
            (input::input(place))
        }
    }
}

fn title(place: &FormField<'_>) -> Markup {
    html! {
        bdi { (place.label) }
        @if place.optional { " " span.soft { (place.shown.texts.text("form.optional")) } }
    }
}

/// Several inputs in a fieldset. Links can point to it, and it shows the errors that concern all of it.
fn frame(place: &FormField<'_>, role: Option<&str>, content: &Markup) -> Markup {
    let wrong = place.is_wrong();
    html! {
        fieldset.field.set[matches!(place.shape, Shape::Group(_))] id=(place.id()) tabindex="-1" role=[role]
            aria-describedby=[place.described_by()] data-invalid[wrong]
            aria-invalid=[role.filter(|_| wrong).map(|_| "true")] {
            legend { (title(place)) }
            (place.remarks())
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
fn group(place: &FormField<'_>, inner: &[FieldInfo], may_lack: bool, remove: Option<&Markup>) -> Markup {
    let none = Map::new();
    let given = place.value.as_object();
    let content = html! {
        @if may_lack && given.is_some() { input type="hidden" name=(place.name) value=(GIVEN); }
        (fields(&place.name, inner, given.unwrap_or(&none), place.shown))
        @if let Some(remove) = remove { (remove) }
    };
    frame(place, None, &content)
}

/// An input for each entry, and an empty one.
fn list(place: &FormField<'_>, item: &Shape) -> Markup {
    let entries = entries(place, item, |entry, remove| {
        html! {
            (entry.remarks())
            (input::entry(entry, &place.name))
            (remove)
        }
    });
    let content = html! {
        input type="hidden" name=(place.name) value="";
        (entries)
    };
    frame(place, None, &content)
}

/// A fieldset for each entry, and an empty one.
fn groups(place: &FormField<'_>, inner: &[FieldInfo]) -> Markup {
    let shape = Shape::Group(inner.to_vec());
    frame(place, None, &entries(place, &shape, |entry, remove| group(entry, inner, true, Some(remove))))
}

/// The entries of a list and an empty one. The script adds and removes entries: without it no button is shown.
fn entries(place: &FormField<'_>, item: &Shape, draw: impl Fn(&FormField<'_>, &Markup) -> Markup) -> Markup {
    let none = Vec::new();
    let texts = place.shown.texts;
    let given = place.value.as_array().unwrap_or(&none);
    html! {
        div.list data-list=(place.name) {
            @for (index, value) in given.iter().chain(std::iter::repeat_n(&Value::Null, SPARE)).enumerate() {
                @let label = format!("{} {}", place.label, index + 1);
                div.entry data-entry=(index) {
                    (draw(&FormField {
                        name: format!("{}.{index}", place.name), label: &label, help: None, shape: item, value,
                        shown: place.shown, entry: true,
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
            aria-label=(texts.with("form.add_one", &[("label", place.label)])) {
            (texts.text("form.add"))
        }
    }
}
