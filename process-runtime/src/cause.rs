//! The text of an error together with the error that caused it, for errors that are cloned and compared.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why an operation failed: a text for the operator's log and, if another library reported an error, that error as
/// its [`source`](Error::source).
///
/// Two causes are equal if their texts are equal.
///
/// ```
/// use std::error::Error as _;
/// use process_runtime::store::{Cause, StoreError};
///
/// let broken = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
/// let error = StoreError::Unavailable(Cause::new(format!("db.example.org: {broken}"), broken));
/// assert_eq!(error.to_string(), "the store is unavailable: db.example.org: broken pipe");
/// assert!(error.source().and_then(|cause| cause.source()).is_some_and(|error| error.is::<std::io::Error>()));
///
/// let error = StoreError::Unavailable("it has no connection left".into());
/// assert_eq!(error.to_string(), "the store is unavailable: it has no connection left");
/// ```
#[derive(Clone)]
pub struct Cause {
    text: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Cause {
    /// Creates a cause from a text, which states the whole problem, and the error behind it.
    pub fn new(text: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { text: text.into(), source: Some(source.into().into()) }
    }

    /// Creates a cause with the text of the error itself.
    pub fn of(error: impl Error + Send + Sync + 'static) -> Self {
        Self::new(error.to_string(), error)
    }

    /// The same error in a text that says more, such as where it occurred.
    pub(crate) fn map(self, write: impl FnOnce(&str) -> String) -> Self {
        Self { text: write(&self.text), ..self }
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self { text, source: None }
    }
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Prints the text in quotes. The source has a part of it.
impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

// By hand: derived, the source would be the `Arc`, and could not be downcast to the error in it.
impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
