//! Owns what a form field is: how its value is described, read from a form or JSON, and written back.
//! Refuses to know HTML, requests and processes.

use serde_json::Value;

/// A type that can be a field of a process's form.
///
/// The value arrives as JSON. A browser's form sends every value as text, so an implementation accepts
/// [`Value::String`] beside its own JSON type.
///
/// ```
/// use process_runtime::{Field, FieldKind};
/// use serde_json::{Value, json};
///
/// struct Percent(f64);
///
/// impl Field for Percent {
///     fn kind() -> FieldKind {
///         FieldKind::Number { integer: false }
///     }
///     fn parse(value: &Value) -> Result<Self, String> {
///         match f64::parse(value)? {
///             percent if (0.0..=100.0).contains(&percent) => Ok(Self(percent)),
///             percent => Err(format!("{percent} is not between 0 and 100")),
///         }
///     }
///     fn render(&self) -> Value {
///         json!(self.0)
///     }
/// }
///
/// assert!(Percent::parse(&json!("250")).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "not a form field",
    note = "a field is a `bool`, a number, a `String`, an `Option` of those, or a type that implements `Field`; \
            what the application shares is taken as `State<{Self}>`"
)]
pub trait Field: Sized + Send + 'static {
    /// Which input a form shows for it.
    fn kind() -> FieldKind;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// A sentence for the person who filled in the form: what is wrong, and what would be right.
    fn parse(value: &Value) -> Result<Self, String>;

    /// Writes the value in its JSON form, which [`parse`](Self::parse) reads back.
    fn render(&self) -> Value;

    /// The value when nothing was given and there is no default; `None` means that it is required.
    fn absent() -> Option<Self> {
        None
    }
}

/// Which input a form shows for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A number.
    Number {
        /// True when only whole numbers are accepted.
        integer: bool,
    },
    /// A box to tick.
    Checkbox,
}

/// The error of a value that is of another JSON type than the field.
fn expected(what: &str, found: &Value) -> String {
    match found {
        Value::Null => format!("a value is missing: expected {what}"),
        Value::String(text) => format!("{:?} is not {what}", short(text)),
        Value::Array(_) => format!("a list was given: expected {what}"),
        Value::Object(_) => format!("an object was given: expected {what}"),
        other => format!("{other} is not {what}"),
    }
}

/// Enough of a value to recognise it in a message.
fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Field for String {
    fn kind() -> FieldKind {
        FieldKind::Text
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(expected("a text", other)),
        }
    }

    fn render(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Field for bool {
    fn kind() -> FieldKind {
        FieldKind::Checkbox
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(on) => Ok(*on),
            // What a ticked box sends, and what people type into a URL.
            Value::String(text) if matches!(text.as_str(), "on" | "true" | "1" | "yes") => Ok(true),
            Value::String(text) if matches!(text.as_str(), "off" | "false" | "0" | "no" | "") => Ok(false),
            other => Err(expected("yes or no (true or false)", other)),
        }
    }

    fn render(&self) -> Value {
        Value::Bool(*self)
    }

    /// A box that is not ticked sends nothing.
    fn absent() -> Option<Self> {
        Some(false)
    }
}

impl<T: Field> Field for Option<T> {
    fn kind() -> FieldKind {
        T::kind()
    }

    fn parse(value: &Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(None),
            // An input left empty sends an empty text.
            Value::String(text) if text.is_empty() => Ok(None),
            other => T::parse(other).map(Some),
        }
    }

    fn render(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::render)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

macro_rules! integer_fields {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn kind() -> FieldKind {
                FieldKind::Number { integer: true }
            }

            fn parse(value: &Value) -> Result<Self, String> {
                let what = || format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX);
                let parsed = match value {
                    Value::Number(number) => number.to_string().parse().ok(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                parsed.ok_or_else(|| expected(&what(), value))
            }

            fn render(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}

macro_rules! float_fields {
    ($($type:ty),*) => {$(
        impl Field for $type {
            fn kind() -> FieldKind {
                FieldKind::Number { integer: false }
            }

            fn parse(value: &Value) -> Result<Self, String> {
                let parsed: Option<$type> = match value {
                    Value::Number(number) => number.to_string().parse().ok(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                // "inf" and "NaN" parse, and are no use to anyone who types them into a form.
                parsed.filter(|number| number.is_finite()).ok_or_else(|| expected("a number", value))
            }

            fn render(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}

integer_fields!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);
float_fields!(f32, f64);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn form_text_and_json_give_the_same_value() {
        assert_eq!(f64::parse(&json!("2.5")), f64::parse(&json!(2.5)));
        assert_eq!(u8::parse(&json!(" 7 ")), Ok(7));
        assert_eq!(bool::parse(&json!("on")), Ok(true));
        assert_eq!(Option::<f64>::parse(&json!("")), Ok(None));
        assert_eq!(u64::parse(&json!(u64::MAX)), Ok(u64::MAX));
    }

    #[test]
    fn a_wrong_value_says_what_would_be_right() {
        assert_eq!(u8::parse(&json!(300)), Err("300 is not a whole number from 0 to 255".into()));
        assert_eq!(f64::parse(&json!("ten")), Err("\"ten\" is not a number".into()));
        assert_eq!(f64::parse(&json!("NaN")), Err("\"NaN\" is not a number".into()));
        assert_eq!(String::parse(&json!([1])), Err("a list was given: expected a text".into()));
        assert!(i64::parse(&json!(1.5)).is_err());
    }
}
