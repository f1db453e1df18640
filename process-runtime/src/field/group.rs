//! Owns structs and enums as form fields: what `#[derive(Field)]` stands on.
//! Refuses to know the types that derive it.

use std::marker::PhantomData;

use serde_json::{Map, Value};

use super::{Choice, Field, FieldErrors, FieldInfo, Shape, expected, none_of, unknown};
use crate::texts::Message;

/// The members of a struct `S`, and how they are read and written.
pub struct Group<S> {
    members: Vec<Member<S>>,
    read: fn(&Map<String, Value>, &mut FieldErrors) -> Option<S>,
}

/// Writes a member, and with its secrets if the flag says so.
type Write<S> = Box<dyn Fn(&S, bool) -> Value>;

/// One member of a struct `S`, whatever its type is.
pub struct Member<S> {
    info: FieldInfo,
    write: Write<S>,
}

/// The type of a member, which is not written a second time.
pub fn marker<S, T>(_: fn(&S) -> &T) -> PhantomData<T> {
    PhantomData
}

/// A field as part of something: of a struct, or of all inputs of a process.
///
/// A trait of its own, and not functions that ask for a [`Field`]: so what the compiler says of a type that
/// is none is about the type alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "not a form field",
    note = "derive it: `#[derive(Field)]` makes fields of enums and structs"
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

    /// Reads it, or adds what is wrong with it.
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
    /// A group of these members, which `read` makes a struct of.
    pub fn new(
        members: Vec<Member<S>>,
        read: fn(&Map<String, Value>, &mut FieldErrors) -> Option<S>,
    ) -> Self {
        Self { members, read }
    }

    /// The fields of the group.
    pub fn shape(self) -> Shape {
        Shape::Group(self.members.into_iter().map(|member| member.info).collect())
    }

    /// Reads an object with a value for each member.
    ///
    /// # Errors
    ///
    /// Every member that was not accepted, and every value that belongs to none.
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

    /// The object with every member, and with the secrets in it or without them.
    pub fn write(&self, of: &S, reveal: bool) -> Value {
        let members = self.members.iter();
        Value::Object(
            members.map(|member| (member.info.name.to_owned(), (member.write)(of, reveal))).collect(),
        )
    }
}

/// The shape of an enum: value, label and hint of each variant.
pub fn choices(offered: &[(&str, &str, Option<&'static str>)], radio: Option<bool>) -> Shape {
    let choices = offered.iter().map(|(value, label, help)| Choice {
        value: Value::from(*value),
        label: (*label).to_owned(),
        help: *help,
    });
    Shape::Choice { choices: choices.collect(), radio: radio == Some(true) }
}

/// The error of a value that is none of an enum's.
pub fn not_offered(values: &[&str], found: &Value) -> FieldErrors {
    match found {
        Value::String(text) => none_of(text, &values.join(", ")),
        other => expected(Message::new("expected.one_of").with("offered", values.join(", ")), other),
    }
}
