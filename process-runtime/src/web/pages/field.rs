//! One field of a form: its names, its hints, and its errors.

use std::borrow::Cow;

use maud::{Markup, html};
use serde_json::Value;

use super::{FormState, KeptFile};
use crate::field::{CivilKind, FieldErrors, Shape, readable_size};
use crate::texts::Texts;

/// A field, or an entry of a list, with its position in the form.
pub(super) struct FormField<'a> {
    /// The name of its input.
    pub(super) name: String,
    pub(super) label: &'a str,
    pub(super) help: Option<&'a str>,
    pub(super) shape: &'a Shape,
    /// A value is required.
    pub(super) required: bool,
    /// It can be left empty.
    pub(super) optional: bool,
    pub(super) value: &'a Value,
    /// It is an entry of a list, whose own hints apply to all entries.
    pub(super) entry: bool,
    pub(super) shown: FormContext<'a>,
}

/// What the fields need to know about the form.
#[derive(Clone, Copy)]
pub(super) struct FormContext<'a> {
    pub(super) texts: &'a Texts,
    errors: &'a FieldErrors,
    /// The form was submitted before, and is shown again.
    again: bool,
    /// The files of earlier runs that it offers again.
    kept: &'a [KeptFile],
}

impl<'a> FormContext<'a> {
    pub(super) fn new(texts: &'a Texts, form: &FormState<'a>) -> Self {
        Self {
            texts,
            errors: form.errors,
            again: !form.errors.is_empty() || form.question.is_some(),
            kept: form.kept,
        }
    }
}

impl FormField<'_> {
    pub(super) fn id(&self) -> String {
        id(&self.name)
    }

    /// The errors of this field, and of its entries if these have no inputs of their own.
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
    pub(super) fn notifications(&self) -> Vec<String> {
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

    /// The files of an earlier run in this field.
    pub(super) fn kept(&self) -> Vec<&KeptFile> {
        let entries = match self.value {
            Value::Array(entries) => entries.as_slice(),
            one => std::slice::from_ref(one),
        };
        let takes_files = match self.shape {
            Shape::Upload { .. } => true,
            Shape::List { item, .. } => matches!(**item, Shape::Upload { .. }),
            _ => false,
        };
        let of = |value: &Value| self.shown.kept.iter().find(|file| *value == file.address);
        entries.iter().filter(|_| takes_files).filter_map(of).collect()
    }

    /// True for a submitted secret or file, which is not sent back.
    fn is_gone(&self) -> bool {
        let given = match self.value {
            Value::Null => false,
            Value::String(text) => !text.is_empty() && self.kept().is_empty(),
            Value::Array(entries) => entries.len() > self.kept().len(),
            _ => true,
        };
        let kept_back = match self.shape {
            Shape::Secret { .. } | Shape::Upload { .. } => true,
            Shape::List { item, .. } => matches!(**item, Shape::Upload { .. }),
            _ => false,
        };
        self.shown.again && given && kept_back
    }

    /// The hint that asks for it again.
    fn again(&self) -> &'static str {
        if matches!(self.shape, Shape::Secret { .. }) { "form.enter_again" } else { "form.again" }
    }

    /// The ids of the elements that describe the input.
    pub(super) fn described_by(&self) -> Option<String> {
        let there = [
            (!self.notifications().is_empty(), "help"),
            (self.is_gone(), "again"),
            (self.is_wrong(), "error"),
        ];
        let ids: Vec<String> =
            there.iter().filter(|(there, _)| *there).map(|(_, end)| format!("{}-{end}", self.id())).collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// Hints and errors, between the label and the input, where no pop-up of the browser covers them.
    pub(super) fn remarks(&self) -> Markup {
        let (id, hints, wrong) = (self.id(), self.notifications(), self.wrong());
        html! {
            @if !hints.is_empty() { p.soft id={ (id) "-help" } dir="auto" { (hints.join(" ")) } }
            @if self.is_gone() { p.again id={ (id) "-again" } { (self.shown.texts.text(self.again())) } }
            @if !wrong.is_empty() { p.wrong id={ (id) "-error" } dir="auto" { (wrong.join("; ")) } }
        }
    }
}

/// True for a list that is entered in one input, or in boxes without a number.
pub(super) fn has_one_input(shape: &Shape) -> bool {
    match shape {
        Shape::List { item, .. } => matches!(**item, Shape::Upload { .. } | Shape::Choice { .. }),
        _ => false,
    }
}

/// The id of the input with this name.
pub(super) fn id(name: &str) -> String {
    format!("field-{name}")
}
