//! The errors of building the runtime, worded for the person who starts the program.

use std::error::Error;
use std::{fmt, io};

use crate::registry::{MissingState, RegistryError};

/// The error of [`Builder::build`](crate::Builder::build). The message is for the person who starts the program,
/// and states how to fix the problem.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The registry cannot be mounted: it is empty, or routes conflict.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// Processes take state that the builder does not have.
    #[error(
        "some processes take state that the builder does not have:{}\nadd it with process_runtime::builder().state(value), one call per type",
        Lines(.0)
    )]
    MissingStates(Vec<MissingState>),
    /// A setting is invalid. The text names it and states what is valid.
    #[error("a setting of the builder is invalid: {0}")]
    Setting(String),
    /// A language setting is invalid. The text names the language and the key.
    #[error("the languages of the pages are invalid: {0}")]
    Languages(#[source] Box<dyn Error + Send + Sync>),
    /// A branding setting is invalid. The text names it and states what is valid.
    #[error("the branding of the pages is invalid: {0}")]
    Branding(String),
    /// Others can reach the processes, and the builder has neither an `authorize` hook nor anonymous access. The
    /// text names the host or the address.
    #[error(
        "no access policy is set: {0}\nwrite .authorize(…) on the builder to check permissions, or .allow_anonymous() (or set \
         PROCESS_ACCESS=anonymous) if everyone who can reach it may do everything"
    )]
    Access(String),
    /// The secret is too short. It has this many bytes; at least 32 are required.
    #[error("the secret has {0} bytes: pass at least 32 random bytes to .secret(…)")]
    Secret(usize),
    /// A trusted origin is not an origin.
    #[error(
        "{0:?} is not an origin: write a scheme, a host and, if it is not the default, a port, as in \
         .trusted_origins([\"https://admin.example.org\"])"
    )]
    Origin(String),
    /// Processes cannot be started by their schedules. The text names them and the reasons.
    #[error(
        "some processes cannot be started by their schedule:{0}\na scheduled run has no input: give each field a valid \
         default, as in #[field(default = 7)], or make it an Option"
    )]
    Schedules(String),
    /// The data folder cannot be used. The text names it and the reason.
    #[error(
        "the data folder cannot be used: {0} (set PROCESS_DATA to a folder that this program can write to)"
    )]
    Data(#[source] Box<dyn Error + Send + Sync>),
    /// The store that the environment variable `PROCESS_STORE` names cannot be used. The text contains the reason.
    #[error("PROCESS_STORE: {0}")]
    Store(String),
    /// The crate was built without the `sqlite` feature, and the builder has no store.
    #[error(
        "there is no store: enable the feature `sqlite` of process-runtime, or set one with \
         process_runtime::builder().store(…)"
    )]
    NoStore,
    /// The metrics recorder cannot be installed. The text contains the reason.
    #[error("could not install the metrics recorder: {0}")]
    Metrics(#[source] Box<dyn Error + Send + Sync>),
    /// The threads of the runtime could not be started.
    #[error("could not start the threads of the runtime: {0}")]
    Runtime(#[source] io::Error),
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One line for each.
struct Lines<'a>(&'a [MissingState]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|state| write!(f, "\n  {state}"))
    }
}
