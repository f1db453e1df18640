//! Owns how the fields of a form are drawn: one input, or several in a frame, for each shape.
//! Refuses to know how values are checked; it shows what was found.

use std::borrow::Cow;

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::super::form::GIVEN;
use super::{FormState, input};
use crate::field::{CivilKind, FieldErrors, FieldInfo, Shape, readable_size};
use crate::texts::Texts;

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
    /// It is one of a list, which says already what holds for each of them.
    pub(super) entry: bool,
    pub(super) shown: Shown<'a>,
}

/// What is known of the whole form.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) texts: &'a Texts,
    errors: &'a FieldErrors,
    /// It was sent before, and came back.
    again: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn new(texts: &'a Texts, form: &FormState<'a>) -> Self {
        Self { texts, errors: form.errors, again: !form.errors.is_empty() || form.question.is_some() }
    }
}

impl Place<'_> {
    pub(super) fn id(&self) -> String {
        id(&self.name)
    }

    /// What is wrong with this very field; also with its entries, where these have no input of their own.
    fn wrong(&self) -> Vec<Cow<'_, str>> {
        let whole = has_one_input(self.shape);
        let here = |field: &str| match field.strip_prefix(self.name.as_str()) {
            Some("") => true,
            Some(rest) => whole && rest.starts_with('.'),
            None => false,
        };
        let errors = self.shown.errors.iter().filter(|error| here(&error.field));
        errors.map(|error| error.said(self.shown.texts)).collect()
    }

    pub(super) fn is_wrong(&self) -> bool {
        !self.wrong().is_empty()
    }

    /// The hint, and what the kind of value adds to it.
    fn hints(&self) -> Vec<String> {
        let texts = self.shown.texts;
        let mut hints: Vec<String> = self.help.iter().map(|help| (*help).to_owned()).collect();
        let item = match self.shape {
            Shape::List { item, .. } => item,
            other => other,
        };
        match item {
            _ if self.entry => {}
            Shape::Civil { kind: CivilKind::Timestamp, .. } => {
                hints.push(texts.text("form.in_utc").to_owned());
            }
            Shape::Upload { max_size, .. } => {
                hints.push(texts.with("form.at_most", &[("size", &texts.say(&readable_size(*max_size)))]));
            }
            _ => {}
        }
        hints
    }

    /// A secret or a file that was given is not sent back.
    fn is_gone(&self) -> bool {
        let given = match self.value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(entries) => !entries.is_empty(),
            _ => true,
        };
        let kept_back = match self.shape {
            Shape::Secret(_) | Shape::Upload { .. } => true,
            Shape::List { item, .. } => matches!(**item, Shape::Upload { .. }),
            _ => false,
        };
        self.shown.again && given && kept_back
    }

    /// Asks for it once more.
    fn again(&self) -> &'static str {
        if matches!(self.shape, Shape::Secret(_)) { "form.enter_again" } else { "form.again" }
    }

    /// The elements that describe the input.
    pub(super) fn described_by(&self) -> Option<String> {
        let there =
            [(!self.hints().is_empty(), "help"), (self.is_gone(), "again"), (self.is_wrong(), "error")];
        let ids: Vec<String> =
            there.iter().filter(|(there, _)| *there).map(|(_, end)| format!("{}-{end}", self.id())).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// Hint and error, between the label and the input: nothing that drops down or opens covers them there.
    fn remarks(&self) -> Markup {
        let (id, hints, wrong) = (self.id(), self.hints(), self.wrong());
        html! {
            @if !hints.is_empty() { p.soft id={ (id) "-help" } dir="auto" { (hints.join(" ")) } }
            @if self.is_gone() { p.again id={ (id) "-again" } { (self.shown.texts.text(self.again())) } }
            @if !wrong.is_empty() { p.wrong id={ (id) "-error" } dir="auto" { (wrong.join("; ")) } }
        }
    }
}

/// A list whose entries are all given in one input, or in boxes that have no number.
pub(super) fn has_one_input(shape: &Shape) -> bool {
    match shape {
        Shape::List { item, .. } => matches!(**item, Shape::Upload { .. } | Shape::Choice { .. }),
        _ => false,
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
    shown: Shown<'_>,
) -> Markup {
    html! {
        @for info in fields {
            @let name = if outer.is_empty() { info.name.to_owned() } else { format!("{outer}.{}", info.name) };
            @let value = values.get(info.name).or(info.default.as_ref()).unwrap_or(&Value::Null);
            (field(&Place {
                name, label: &info.label, help: info.help, shape: &info.shape, shown, value, entry: false,
                required: info.default.is_none(), optional: info.is_optional(),
            }))
        }
    }
}

fn field(place: &Place<'_>) -> Markup {
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

fn single(place: &Place<'_>) -> Markup {
    html! {
        div.field {
            label for=(place.id()) { (title(place)) }
            (place.remarks())
            (input::input(place))
        }
    }
}

fn title(place: &Place<'_>) -> Markup {
    html! {
        bdi { (place.label) }
        @if place.optional { " " span.soft { (place.shown.texts.text("form.optional")) } }
    }
}

/// Several inputs under one title. The frame can be jumped to, and says what is wrong with all of it.
fn frame(place: &Place<'_>, role: Option<&str>, content: &Markup) -> Markup {
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

/// What may be left out as a whole cannot be required in parts: the server knows which is the case.
fn not_required(inner: &[FieldInfo]) -> Vec<FieldInfo> {
    inner.iter().map(FieldInfo::not_required).collect()
}

/// The inputs of a group. One that `may_lack` says whether it was given: its defaults alone do not.
fn group(place: &Place<'_>, inner: &[FieldInfo], may_lack: bool, remove: Option<&Markup>) -> Markup {
    let none = Map::new();
    let given = place.value.as_object();
    let content = html! {
        @if may_lack && given.is_some() { input type="hidden" name=(place.name) value=(GIVEN); }
        (fields(&place.name, inner, given.unwrap_or(&none), place.shown))
        @if let Some(remove) = remove { (remove) }
    };
    frame(place, None, &content)
}

/// An input for each entry, and one to spare.
fn list(place: &Place<'_>, item: &Shape) -> Markup {
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

/// A frame for each entry, and one to spare.
fn groups(place: &Place<'_>, inner: &[FieldInfo]) -> Markup {
    let shape = Shape::Group(inner.to_vec());
    frame(place, None, &entries(place, &shape, |entry, remove| group(entry, inner, true, Some(remove))))
}

/// The entries of a list and one to spare. The script adds and removes: without it no button is seen.
fn entries(place: &Place<'_>, item: &Shape, draw: impl Fn(&Place<'_>, &Markup) -> Markup) -> Markup {
    let none = Vec::new();
    let texts = place.shown.texts;
    let given = place.value.as_array().unwrap_or(&none);
    html! {
        div.list data-list=(place.name) {
            @for (index, value) in given.iter().chain(std::iter::repeat_n(&Value::Null, SPARE)).enumerate() {
                @let label = format!("{} {}", place.label, index + 1);
                div.entry data-entry=(index) {
                    (draw(&Place {
                        name: format!("{}.{index}", place.name), label: &label, help: None, shape: item, value,
                        shown: place.shown, entry: true,
                        // Each may stay empty, to be left out.
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
