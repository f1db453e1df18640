//! Form fields: how a value is described, read from a form or JSON, and written back.

use serde_json::{Map, Value};

use crate::texts::Message;

mod civil;
mod decimal;
mod email;
mod errors;
mod flag;
mod group;
mod info;
pub(crate) mod json;
mod list;
mod number;
mod optional;
mod options;
mod secret;
mod shape;
mod text;
mod upload;
#[cfg(feature = "url")]
mod url;
mod uuid;

#[cfg(feature = "email")]
pub use email::Email;
pub use errors::{FieldError, FieldErrors};
#[doc(hidden)]
pub use group::{Group, Part, choices, marker, not_offered};
pub use info::FieldInfo;
pub(crate) use info::label_of;
#[doc(hidden)]
pub use options::FromText;
pub use options::{
    ChoiceOptions, CivilOptions, FieldMeta, FieldOptions, ListOptions, NumberOptions, PlainOptions,
    SecretOptions, TextOptions, UploadOptions,
};
pub(crate) use secret::MARK as SECRET_MARK;
pub use secret::Secret;
pub use shape::{Choice, CivilKind, Shape, TextFormat, TextRules};
pub use upload::Upload;
pub(crate) use upload::{Accepted, accepted, readable_size, too_large};

/// A type that can be a field of a process's form.
///
/// The value arrives as JSON. Browser forms send every value as text, so an implementation accepts [`Value::String`]
/// besides its own JSON type. For enums and structs, use `#[derive(Field)]`:
///
/// ```
/// use process_runtime::field::FieldInfo;
/// use process_runtime::prelude::*;
/// use serde_json::json;
///
/// #[derive(Field)]
/// enum Region {
///     /// Everything north of the river
///     North,
///     South,
/// }
///
/// #[derive(Field)]
/// struct Shop {
///     region: Region,
///     #[field(min = 1, default = 1)]
///     floors: u8,
/// }
///
/// let field = FieldInfo::new::<Shop>("shop", |options| options);
/// let stored = field.check(Some(&json!({ "region": "north" })))?;
/// assert_eq!(stored, json!({ "region": "north", "floors": 1 }));
///
/// let errors = field.check(Some(&json!({ "region": "west", "floors": 0 }))).unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "shop.region: Choose one of: north, south (not west); shop.floors: Must be 1 or more"
/// );
/// # Ok::<(), process_runtime::field::FieldErrors>(())
/// ```
///
/// Implement it yourself for any other type:
///
/// ```
/// use process_runtime::{Field, field::{FieldErrors, NumberOptions, PlainOptions, Shape}};
/// use serde_json::{Value, json};
///
/// struct Percent(f64);
///
/// impl Field for Percent {
///     type Options = PlainOptions<Self>;
///
///     fn shape(_: &PlainOptions<Self>) -> Shape {
///         f64::shape(&NumberOptions::default())
///     }
///     fn parse(value: &Value, _: &PlainOptions<Self>) -> Result<Self, FieldErrors> {
///         match f64::parse(value, &NumberOptions::default())? {
///             percent if (0.0..=100.0).contains(&percent) => Ok(Self(percent)),
///             percent => Err(format!("{percent} is not between 0 and 100").into()),
///         }
///     }
///     fn render(&self) -> Value {
///         json!(self.0)
///     }
/// }
///
/// assert!(Percent::parse(&json!("250"), &PlainOptions::default()).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "not a form field",
    note = "a field is a number, `bool`, `char`, `String`, `Email`, `Url`, `Uuid`, a date or time of jiff, a `Duration`, \
            an `Upload`, or an `Option`, `Vec` or `Secret` of one",
    note = "for an enum or a struct of your own, use `#[derive(Field)]`; a struct also replaces a tuple or a map",
    note = "for a type of another crate, take a `String` and parse it, or implement `Field` for a struct that holds one",
    note = "for a value that the application shares, use `State<T>` as the parameter itself"
)]
pub trait Field: Sized + Send + 'static {
    /// The options that `#[field(…)]` can set on the field.
    type Options: FieldOptions;

    /// Returns the kind of the value and its bounds. The form and the JSON Schema are made from them.
    fn shape(options: &Self::Options) -> Shape;

    /// Reads a value, and checks it against the options.
    ///
    /// # Errors
    ///
    /// Sentences for the person who filled in the form: what is wrong, and what to enter instead.
    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors>;

    /// Writes the value in the form in which it is stored and shown. [`parse`](Self::parse) reads it back.
    fn render(&self) -> Value;

    /// Writes the value including its secrets, for the run. It exists in memory only and is never stored.
    fn reveal(&self) -> Value {
        self.render()
    }

    /// Returns the value to use if the input is missing and there is no default; `None` means that the field is
    /// required.
    fn absent() -> Option<Self> {
        None
    }
}

/// The error for a value of another JSON type than the field's, or one that cannot be read as the field's type.
fn expected(what: impl Into<Message>, found: &Value) -> FieldErrors {
    let is_not = |value: String| Message::new("field.is_not").with("value", value);
    let message = match found {
        Value::Null => Message::new("field.missing"),
        Value::String(text) => is_not(format!("{:?}", short(text))),
        Value::Array(_) => Message::new("field.list_given"),
        Value::Object(_) => Message::new("field.object_given"),
        other => is_not(other.to_string()),
    };
    message.with("expected", what.into()).into()
}

/// A prefix of a value that is long enough to recognise it in a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Checks an amount against its bounds.
fn within<T: PartialOrd>(
    value: &T,
    min: Option<&T>,
    max: Option<&T>,
    show: impl Fn(&T) -> String,
) -> Result<(), FieldErrors> {
    bounded(value, min, max, show, ["field.too_small", "field.too_large"])
}

/// Holds a value against its bounds: the keys are of the errors below the only bound and above it.
fn bounded<T: PartialOrd>(
    value: &T,
    min: Option<&T>,
    max: Option<&T>,
    show: impl Fn(&T) -> String,
    [too_small, too_large]: [&'static str; 2],
) -> Result<(), FieldErrors> {
    let below = min.is_some_and(|min| value < min);
    let above = max.is_some_and(|max| value > max);
    let message = match (min, max) {
        (Some(min), Some(max)) if below || above => {
            Message::new("field.not_between").with("least", show(min)).with("most", show(max))
        }
        (Some(min), _) if below => Message::new(too_small).with("least", show(min)),
        (_, Some(max)) if above => Message::new(too_large).with("most", show(max)),
        _ => return Ok(()),
    };
    Err(message.into())
}

/// Checks that a value is one of the choices.
fn among<T: Field>(value: &T, choices: Option<&Vec<T>>) -> Result<(), FieldErrors> {
    let Some(choices) = choices else { return Ok(()) };
    let rendered = value.render();
    if choices.iter().any(|choice| choice.render() == rendered) {
        return Ok(());
    }
    let offered: Vec<String> = choices.iter().map(|choice| plain(&choice.render())).collect();
    Err(none_of(&plain(&rendered), &offered.join(", ")))
}

/// The error for a value that is not one of the choices.
fn none_of(value: &str, offered: &str) -> FieldErrors {
    Message::new("field.none_of").with("value", short(value)).with("offered", offered).into()
}

/// An error for each value whose name is not one of these fields.
pub(crate) fn unknown(names: &[&str], values: &Map<String, Value>) -> FieldErrors {
    let message = || match names {
        [] => Message::new("field.unknown_of_none"),
        names => Message::new("field.unknown").with("known", names.join(", ")),
    };
    let unknown = values.keys().filter(|name| !names.contains(&name.as_str()));
    let mut errors = FieldErrors::default();
    let Some(first) = unknown.clone().next() else { return errors };
    let error = FieldErrors::from(message());
    errors.extend_within(first, error.clone());
    unknown.skip(1).for_each(|name| errors.extend_within(name, error.clone()));
    errors
}

/// The shape of a choice between these values, if there are any.
fn choices_of<T: Field>(choices: Option<&Vec<T>>, radio: bool) -> Option<Shape> {
    let choices = choices?.iter().map(|choice| {
        let value = choice.render();
        Choice { label: plain(&value), value, help: None }
    });
    Some(Shape::Choice { choices: choices.collect(), radio })
}

/// The value for a message: a text without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
