//! Why a run failed: the message, and the errors that caused it.

use std::fmt;

/// Why a run failed.
///
/// ```
/// use process_runtime::run::Failure;
///
/// let failure = Failure::from("the catalog was not read").caused_by(["connection refused"]);
/// assert_eq!(failure.chain(), "the catalog was not read: connection refused");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The error, as text for people.
    pub message: String,
    /// The errors that caused it, from the nearest to the root.
    pub causes: Vec<String>,
    /// What viewers are not told of a panic.
    pub(crate) panic: Option<Panic>,
}

/// A panic, for the operator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Panic {
    pub(crate) message: String,
    /// File, line and column; `None` if the panic hook of this crate did not see it.
    pub(crate) place: Option<String>,
}

impl Failure {
    /// Adds the errors that caused the failure, from the nearest to the root.
    #[must_use]
    pub fn caused_by(mut self, causes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.causes.extend(causes.into_iter().map(Into::into));
        self
    }

    /// Returns the message and the causes in one text, as `{:#}` writes an `anyhow::Error`.
    pub fn chain(&self) -> String {
        chain(&self.message, &self.causes)
    }
}

/// An error and its causes in one text.
pub(crate) fn chain(message: &str, causes: &[String]) -> String {
    causes.iter().fold(message.to_owned(), |chain, cause| format!("{chain}: {cause}"))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self { message, ..Self::default() }
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}
