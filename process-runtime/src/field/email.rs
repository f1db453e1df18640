//! E-mail addresses as form fields.
#![cfg(feature = "email")]

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, FieldErrors, Shape, TextFormat, TextOptions, text};

/// An e-mail address: `name@host`, without a display name.
///
/// It serializes as its text.
///
/// ```
/// use process_runtime::field::Email;
///
/// let address: Email = "ada@example.org".parse()?;
/// assert_eq!(address.as_str(), "ada@example.org");
/// assert!("ada at example.org".parse::<Email>().is_err());
/// # Ok::<(), process_runtime::field::FieldErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The message for a text that is not an address.
const WHAT: &str = "expected.email";

impl Email {
    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Option<Self> {
        let plain = Options::default().without_display_text().without_domain_literal().with_required_tld();
        EmailAddress::parse_with_options(text.trim(), plain).ok().map(|address| Self(address.to_string()))
    }
}

impl FromStr for Email {
    type Err = FieldErrors;

    fn from_str(text: &str) -> Result<Self, FieldErrors> {
        Self::read(text).ok_or_else(|| super::expected(WHAT, &Value::from(text)))
    }
}

impl TryFrom<String> for Email {
    type Error = FieldErrors;

    fn try_from(text: String) -> Result<Self, FieldErrors> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(address: Email) -> Self {
        address.0
    }
}

impl Deref for Email {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Field for Email {
    type Options = TextOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        text::shape(options, TextFormat::Email)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        text::parse(value, options, WHAT, Self::read)
    }

    fn render(&self) -> Value {
        Value::String(self.0.clone())
    }
}
