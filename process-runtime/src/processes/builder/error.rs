//! Why the runtime could not start, in words for the person who starts the program.

use std::fmt;

use crate::registry::{MissingState, RegistryError};

/// The error of [`Builder::build`](crate::Builder::build). The message is for the person who starts the program,
/// and states how to fix the problem.
#[non_exhaustive]
pub enum BuildError {
    /// The registry cannot be mounted: it is empty, or routes conflict.
    Registry(RegistryError),
    /// Processes take state that the builder was not given.
    MissingStates(Vec<MissingState>),
    /// A setting is invalid. The text names it and states what is valid.
    Setting(String),
    /// A language setting is invalid. The text names the language and the key.
    Languages(String),
    /// A branding setting is invalid. The text names it and states what is valid.
    Branding(String),
    /// Others can reach the processes, and the builder has neither an `authorize` hook nor anonymous access. The
    /// text names the host or the address.
    Access(String),
    /// The secret is too short. It has this many bytes; at least 32 are required.
    Secret(usize),
    /// A trusted origin is not an origin.
    Origin(String),
    /// Processes cannot be started by their schedules. The text names them and the reasons.
    Schedules(String),
    /// The data folder cannot be used. The text names it and the reason.
    Data(String),
    /// The crate was built without the `sqlite` feature, and the builder was not given a store.
    NoStore,
    /// The metrics recorder cannot be installed. The text contains the reason.
    Metrics(String),
    /// The threads of the runtime could not be started.
    Runtime(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(error) => error.fmt(f),
            Self::MissingStates(states) => {
                f.write_str("some processes take state that was not given:")?;
                states.iter().try_for_each(|state| write!(f, "\n  {state}"))?;
                f.write_str("\ngive it with process_runtime::builder().state(value), one call a type")
            }
            Self::Setting(why) => write!(f, "a setting of the builder cannot be used: {why}"),
            Self::Languages(why) => write!(f, "the languages of the pages cannot be set up: {why}"),
            Self::Branding(why) => write!(f, "the branding of the pages cannot be used: {why}"),
            Self::Access(why) => write!(
                f,
                "nobody has said who may see and start the processes: {why}\n\
                 write .authorize(…) on the builder to say who may, or .allow_anonymous() (or set \
                 PROCESS_ACCESS=anonymous) if everybody who gets there may do everything"
            ),
            Self::Secret(bytes) => {
                write!(f, "the secret has {bytes} bytes: give .secret(…) at least 32 that nobody can guess")
            }
            Self::Origin(text) => write!(
                f,
                "{text:?} is no origin: write a scheme and a host, and a port where it is not the usual one, as in \
                 .trusted_origins([\"https://admin.example.org\"])"
            ),
            Self::Schedules(why) => write!(
                f,
                "some processes cannot be started by their schedule:{why}\n\
                 what is started by itself is given nothing: give each field a default that is accepted, as in \
                 #[field(default = 7)], or take an Option"
            ),
            Self::Data(why) => write!(
                f,
                "the data folder cannot be used: {why} (set PROCESS_DATA to a folder this program may write to)"
            ),
            Self::NoStore => f.write_str(
                "there is no store: enable the feature `sqlite` of process-runtime, or give one with \
                 process_runtime::builder().store(…)",
            ),
            Self::Metrics(why) => write!(f, "the metrics cannot be recorded: {why}"),
            Self::Runtime(why) => write!(f, "the runtime's threads could not be started: {why}"),
        }
    }
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Registry(error) => Some(error),
            _ => None,
        }
    }
}
