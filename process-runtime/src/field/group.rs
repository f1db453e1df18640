//! Structs and enums as form fields: the functions that `#[derive(Field)]` calls.

use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::{Choice, Field, FieldErrors, FieldInfo, Shape, expected, none_of, unknown};
use crate::texts::Message;

/// The members of a struct `S`, and how to read and write them.
pub struct Group<S> {
    members: Vec<Member<S>>,
    read: fn(&Map<String, Value>, &mut FieldErrors) -> Option<S>,
}

/// Writes a member, including its secrets if the flag is set.
type Write<S> = Box<dyn Fn(&S, bool) -> Value>;

/// One member of a struct `S`, whatever its type.
pub struct Member<S> {
    info: FieldInfo,
    write: Write<S>,
}

/// The type of a member, inferred so that the generated code does not repeat it.
pub fn marker<S, T>(_: fn(&S) -> &T) -> PhantomData<T> {
    PhantomData
}

/// A field as part of a struct, or of all inputs of a process.
///
/// This is a trait of its own, rather than functions with a bound on [`Field`], so that the compiler error for a type
/// without `Field` mentions that type only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "not a form field",
    note = "a field is a number, `bool`, `char`, `String`, `Email`, `Url`, `Uuid`, a date or time of jiff, a `Duration`, \
            an `Upload`, or an `Option`, `Vec` or `Secret` of one",
    note = "for an enum or a struct of your own, use `#[derive(Field)]`; a struct also replaces a tuple or a map",
    note = "for a type of another crate, take a `String` and parse it, or implement `Field` for a struct that holds one"
)]
pub trait Part: Sized {
    /// The keys of `#[field(…)]`.
    type Options;

    /// Describes a member.
    fn member<S: 'static>(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
        get: fn(&S) -> &Self,
    ) -> Member<S>;

    /// Reads the member, or adds its errors.
    fn take(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
        values: &Map<String, Value>,
        errors: &mut FieldErrors,
    ) -> Option<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Field> Part for T {
    type Options = T::Options;

    fn member<S: 'static>(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(T::Options) -> T::Options,
        get: fn(&S) -> &Self,
    ) -> Member<S> {
        let write = move |of: &S, reveal| if reveal { get(of).reveal() } else { get(of).render() };
        Member { info: FieldInfo::new::<Self>(name, set), write: Box::new(write) }
    }

    fn take(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(T::Options) -> T::Options,
        values: &Map<String, Value>,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        let taken = FieldInfo::take::<Self>(name, set, values.get(name));
        taken.map_err(|wrong| errors.extend(wrong)).ok()
    }
}

impl<S> Group<S> {
    /// Creates a group of these members, which `read` turns into a struct.
    pub fn new(
        members: Vec<Member<S>>,
        read: fn(&Map<String, Value>, &mut FieldErrors) -> Option<S>,
    ) -> Self {
        Self { members, read }
    }

    /// Returns the fields of the group.
    pub fn shape(self) -> Shape {
        Shape::Group(self.members.into_iter().map(|member| member.info).collect())
    }

    /// Reads an object with a value for each member.
    ///
    /// # Errors
    ///
    /// Returns an error for every rejected member, and for every value that is not a member.
    pub fn parse(&self, value: &Value) -> Result<S, FieldErrors> {
        let names: Vec<&str> = self.members.iter().map(|member| member.info.name).collect();
        let Value::Object(values) = value else {
            return Err(expected(Message::new("expected.object").with("fields", names.join(", ")), value));
        };
        let mut errors = FieldErrors::default();
        let read = (self.read)(values, &mut errors);
        errors.extend(unknown(&names, values));
        read.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// Writes the object with every member, including secrets if `reveal` is true.
    pub fn write(&self, of: &S, reveal: bool) -> Value {
        let members = self.members.iter();
        Value::Object(
            members.map(|member| (member.info.name.to_owned(), (member.write)(of, reveal))).collect(),
        )
    }
}

/// Returns the shape of an enum, from the value, label and hint of each variant.
pub fn choices(offered: &[(&str, &str, Option<&'static str>)], radio: Option<bool>) -> Shape {
    let choices = offered.iter().map(|(value, label, help)| Choice {
        value: Value::from(*value),
        label: (*label).to_owned(),
        help: *help,
    });
    Shape::Choice { choices: choices.collect(), radio: radio == Some(true) }
}

/// Returns the error for a value that is not a variant of the enum.
pub fn not_offered(values: &[&str], found: &Value) -> FieldErrors {
    match found {
        Value::String(text) => none_of(text, &values.join(", ")),
        other => expected(Message::new("expected.one_of").with("offered", values.join(", ")), other),
    }
}
