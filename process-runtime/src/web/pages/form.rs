//! Owns how the fields of a form are drawn: one input, or several in a frame, for each shape.
//! Refuses to know how values are checked; it shows what was found.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::input;
use crate::field::{FieldErrors, FieldInfo, Shape};

/// How many empty inputs a list of texts offers, and a list of groups.
const SPARE: usize = 1;

/// One field, or one entry of a list, with where it stands in the form.
pub(super) struct Place<'a> {
    /// The name its input has.
    pub(super) name: String,
    pub(super) label: &'a str,
    pub(super) help: Option<&'a str>,
    pub(super) shape: &'a Shape,
    /// A value has to be given.
    pub(super) required: bool,
    /// Nothing is a value too.
    pub(super) optional: bool,
    pub(super) value: &'a Value,
    pub(super) errors: &'a FieldErrors,
}

impl Place<'_> {
    pub(super) fn id(&self) -> String {
        id(&self.name)
    }

    /// What is wrong with this very field.
    pub(super) fn error(&self) -> Option<&str> {
        let error = self.errors.iter().find(|error| error.field == self.name);
        error.map(|error| error.message.as_str())
    }

    fn help_id(&self) -> Option<String> {
        self.help.map(|_| format!("{}-help", self.id()))
    }

    fn error_id(&self) -> Option<String> {
        self.error().map(|_| format!("{}-error", self.id()))
    }

    /// The elements that describe the input.
    pub(super) fn described_by(&self) -> Option<String> {
        let ids: Vec<String> = [self.help_id(), self.error_id()].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// Hint and error, under the input.
    fn remarks(&self) -> Markup {
        html! {
            @if let (Some(help), Some(id)) = (self.help, self.help_id()) { p.soft id=(id) { (help) } }
            @if let (Some(error), Some(id)) = (self.error(), self.error_id()) { p.wrong id=(id) { (error) } }
        }
    }
}

/// The id of the input of this name.
pub(super) fn id(name: &str) -> String {
    format!("field-{name}")
}

/// All fields of a form or a group, with the values given so far.
pub(super) fn fields(
    outer: &str,
    fields: &[FieldInfo],
    values: &Map<String, Value>,
    errors: &FieldErrors,
) -> Markup {
    html! {
        @for info in fields {
            @let name = if outer.is_empty() { info.name.to_owned() } else { format!("{outer}.{}", info.name) };
            @let value = values.get(info.name).or(info.default.as_ref()).unwrap_or(&Value::Null);
            (field(&Place {
                name, label: &info.label, help: info.help, shape: &info.shape, errors, value,
                required: info.default.is_none(), optional: info.is_optional(),
            }))
        }
    }
}

fn field(place: &Place<'_>) -> Markup {
    match place.shape {
        Shape::Group(inner) => group(place, inner),
        Shape::List { item, .. } => match &**item {
            Shape::Choice { choices, .. } => frame(place, &input::boxes(place, choices)),
            Shape::Upload { .. } => single(place),
            Shape::Group(inner) => groups(place, inner),
            item => list(place, item),
        },
        Shape::Choice { choices, radio: true } => frame(place, &input::radios(place, choices)),
        Shape::Checkbox if !place.optional => html! {
            div.field { (input::tick(place)) (place.remarks()) }
        },
        _ => single(place),
    }
}

fn single(place: &Place<'_>) -> Markup {
    html! {
        div.field {
            label for=(place.id()) { (title(place)) }
            (input::input(place))
            (place.remarks())
        }
    }
}

fn title(place: &Place<'_>) -> Markup {
    html! { (place.label) @if place.optional { " " span.soft { "(optional)" } } }
}

/// Several inputs under one title. The frame can be jumped to, and says what is wrong with all of it.
fn frame(place: &Place<'_>, content: &Markup) -> Markup {
    html! {
        fieldset.field id=(place.id()) tabindex="-1" aria-describedby=[place.described_by()]
            data-invalid[place.error().is_some()] {
            legend { (title(place)) }
            (place.remarks())
            (content)
        }
    }
}

fn group(place: &Place<'_>, inner: &[FieldInfo]) -> Markup {
    let none = Map::new();
    let values = place.value.as_object().unwrap_or(&none);
    // What may be left out as a whole cannot be required in parts: the server knows which is the case.
    let relaxed: Vec<FieldInfo>;
    let inner = if place.optional {
        relaxed = inner.iter().map(FieldInfo::not_required).collect();
        &relaxed
    } else {
        inner
    };
    frame(place, &fields(&place.name, inner, values, place.errors))
}

/// An input for each entry, and one to spare, which the script multiplies.
fn list(place: &Place<'_>, item: &Shape) -> Markup {
    let empty = Vec::new();
    let entries = place.value.as_array().unwrap_or(&empty);
    let spare = Value::Null;
    let entries = entries.iter().chain(std::iter::repeat_n(&spare, SPARE));
    let content = html! {
        input type="hidden" name=(place.name) value="";
        div.list data-list {
            @for (index, value) in entries.enumerate() {
                @let label = format!("{} {}", place.label, index + 1);
                @let entry = Place {
                    name: format!("{}.{index}", place.name), label: &label, help: None, shape: item, value,
                    required: false, optional: false, errors: place.errors,
                };
                div.entry data-entry {
                    (input::entry(&entry, &place.name))
                    (entry.remarks())
                }
            }
        }
        button.small type="button" data-more hidden { "Add another" }
    };
    frame(place, &content)
}

/// A frame for each entry, and one to spare.
fn groups(place: &Place<'_>, inner: &[FieldInfo]) -> Markup {
    let empty = Vec::new();
    let entries = place.value.as_array().unwrap_or(&empty);
    let shape = Shape::Group(inner.to_vec());
    let content = html! {
        div.list data-list=(place.name) {
            @for index in 0..entries.len() + SPARE {
                @let label = format!("{} {}", place.label, index + 1);
                div.entry data-entry {
                    (group(&Place {
                        name: format!("{}.{index}", place.name), label: &label, help: None, shape: &shape,
                        value: entries.get(index).unwrap_or(&Value::Null), required: false,
                        // The spare one may stay empty; so may the others, to be left out.
                        optional: true, errors: place.errors,
                    }, inner))
                }
            }
        }
        button.small type="button" data-more hidden { "Add another" }
    };
    frame(place, &content)
}
