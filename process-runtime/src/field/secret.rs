//! Values that are never shown again after they were entered.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Field, FieldErrors, SecretOptions, Shape, TextFormat, TextRules};
use crate::texts::Message;

/// What is shown, stored and logged in place of a secret.
pub(crate) const MARK: &str = "••••••";

/// A value that is never stored, shown or logged, such as an API key or a password.
///
/// The run receives it in memory. If the program stops before the run begins, the secret is lost, and the run fails
/// with an explanation.
///
/// ```
/// use process_runtime::Secret;
///
/// let key = Secret::new("sk-12345".to_owned());
/// assert_eq!(format!("{key:?}"), "Secret(••••••)");
/// assert_eq!(key.expose(), "sk-12345");
/// ```
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value itself. From here on, you must keep it secret.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({MARK})")
    }
}

impl<T: Field> Field for Secret<T> {
    type Options = SecretOptions;

    fn shape(options: &SecretOptions) -> Shape {
        Shape::Secret { rules: rules(options), value: Box::new(T::shape(&T::Options::default())) }
    }

    /// No error repeats the value.
    fn parse(value: &Value, options: &SecretOptions) -> Result<Self, FieldErrors> {
        if value == MARK {
            return Err(Message::new("field.secret_gone").into());
        }
        if let Value::String(text) = value {
            rules(options).check(text)?;
        }
        let read = T::parse(value, &T::Options::default());
        read.map(Self).map_err(|_| Message::new("field.secret_refused").into())
    }

    fn render(&self) -> Value {
        Value::from(MARK)
    }

    fn reveal(&self) -> Value {
        self.0.reveal()
    }
}

/// No type implements this trait.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Secret` is never stored or shown, so it cannot be part of a result",
    label = "contains a `Secret`",
    note = "return something that reveals less, such as its length: the result of `expose()` is visible to \
            everybody who can view the run"
)]
pub trait MayBeWritten {}

/// Applies to no type: it exists so that the compiler explains why a secret cannot be part of a result.
impl<T: MayBeWritten> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MARK)
    }
}

fn rules(options: &SecretOptions) -> TextRules {
    TextRules {
        format: TextFormat::Plain,
        min_len: options.min_len,
        max_len: options.max_len,
        placeholder: options.placeholder,
        ..TextRules::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_value_is_never_written() {
        let secret = Secret::<u64>::parse(&json!("987654321"), &SecretOptions::default()).unwrap();
        assert_eq!(secret.reveal(), json!(987_654_321));
        assert!(!format!("{secret:?} {}", secret.render()).contains("98765"));
        let error = Secret::<u64>::parse(&json!("pass-word"), &SecretOptions::default()).unwrap_err();
        assert!(!error.to_string().contains("pass-word"), "{error}");
        let short = SecretOptions { min_len: Some(20), ..SecretOptions::default() };
        let error = Secret::<String>::parse(&json!("pass-word"), &short).unwrap_err();
        assert_eq!(error.to_string(), "Must be at least 20 characters");
    }

    #[test]
    fn redaction_marker_is_not_a_secret() {
        let lost = Secret::<String>::parse(&json!(MARK), &SecretOptions::default()).unwrap_err();
        assert!(lost.to_string().contains("again"));
    }
}
