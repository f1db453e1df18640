//! What a form field is: how its value is described, read from a form or JSON, and written back.

use serde_json::{Map, Value};

use crate::texts::Message;

mod civil;
mod email;
mod errors;
mod flag;
mod group;
mod info;
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
pub use secret::Secret;
pub use shape::{Choice, CivilKind, Shape, TextFormat, TextRules};
pub use upload::Upload;
pub(crate) use upload::{readable_size, too_large};

/// A type that can be a field of a process's form.
///
/// The value arrives as JSON. A browser's form sends every value as text, so an implementation accepts
/// [`Value::String`] beside its own JSON type. For enums and structs there is `#[derive(Field)]`:
///
/// ```
/// use process_runtime::FieldInfo;
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
/// # Ok::<(), process_runtime::FieldErrors>(())
/// ```
///
/// Everything else implements it by hand:
///
/// ```
/// use process_runtime::{Field, FieldErrors, NumberOptions, PlainOptions, Shape};
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
    note = "derive it: `#[derive(Field)]` makes fields of enums and structs; \
            what the application shares is taken as `State<{Self}>`"
)]
pub trait Field: Sized + Send + 'static {
    /// What `#[field(…)]` may say about it.
    type Options: FieldOptions;

    /// What kind of value it is, and within which bounds: the form and the schema are made from this.
    fn shape(options: &Self::Options) -> Shape;

    /// Reads a value, and holds it against the options.
    ///
    /// # Errors
    ///
    /// Sentences for the person who filled in the form: what is wrong, and what would be right.
    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors>;

    /// Writes the value in the form in which it is stored and shown, which [`parse`](Self::parse) reads back.
    fn render(&self) -> Value;

    /// Writes the value with the secrets in it: what a run is given, in memory, and what is never stored.
    fn reveal(&self) -> Value {
        self.render()
    }

    /// The value when nothing was given and there is no default; `None` means that it is required.
    fn absent() -> Option<Self> {
        None
    }
}

/// The error of a value that is of another JSON type than the field, or does not read as it.
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

/// Enough of a value to recognise it in a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Holds an amount against its bounds.
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

/// Holds a value against the ones that are offered.
fn among<T: Field>(value: &T, choices: Option<&Vec<T>>) -> Result<(), FieldErrors> {
    let Some(choices) = choices else { return Ok(()) };
    let rendered = value.render();
    if choices.iter().any(|choice| choice.render() == rendered) {
        return Ok(());
    }
    let offered: Vec<String> = choices.iter().map(|choice| plain(&choice.render())).collect();
    Err(none_of(&plain(&rendered), &offered.join(", ")))
}

/// The error of a value that is not offered.
fn none_of(value: &str, offered: &str) -> FieldErrors {
    Message::new("field.none_of").with("value", short(value)).with("offered", offered).into()
}

/// An error for each value that belongs to none of the fields with these names.
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

/// A list of values to choose from, if there is one.
fn choices_of<T: Field>(choices: Option<&Vec<T>>, radio: bool) -> Option<Shape> {
    let choices = choices?.iter().map(|choice| {
        let value = choice.render();
        Choice { label: plain(&value), value, help: None }
    });
    Some(Shape::Choice { choices: choices.collect(), radio })
}

/// A text without quotes, anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
