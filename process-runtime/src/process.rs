//! The static declaration of a process, and the conversion of its return value into the outcome of a run.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::field::{FieldErrors, FieldInfo};
use crate::parameter::{Invocation, ParameterInfo};
use crate::run::Outcome;
use crate::schedule;

#[doc(hidden)]
pub mod causes;
mod ending;
mod stored;
mod unwritten;

pub use ending::Ending;
pub(crate) use ending::left_out;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Checks all inputs of a process together.
#[doc(hidden)]
pub(crate) type Validate = fn(&Map<String, Value>) -> Result<(), FieldErrors>;

/// The static declaration of a process, as `#[process]` generates it.
///
/// ```
/// use process_runtime::prelude::*;
///
/// /// Removes sessions that nobody uses any more.
/// #[process(title = "Cleaning up", group = "admin")]
/// async fn remove_old_sessions() {}
///
/// let process = RemoveOldSessions::PROCESS;
/// assert_eq!(process.route(), "admin/remove-old-sessions");
/// assert_eq!(process.description, "Removes sessions that nobody uses any more.");
/// ```
pub struct Process {
    /// The title on the page.
    pub title: &'static str,
    /// The name of the generated controller type, such as `RecalculatePrices`.
    pub name: &'static str,
    /// The last segment of the route, such as `recalculate-prices`.
    pub path: &'static str,
    /// The group that lists the process, which is also the first segment of the route.
    pub group: Option<&'static str>,
    /// The doc comment of the function.
    pub description: &'static str,
    /// The question that the user must confirm before a run starts. `{name}` stands for the value of a field.
    pub confirm: Option<&'static str>,
    /// The schedule on which runs start: a cron expression, in UTC.
    pub schedule: Option<&'static str>,
    /// The rules for queueing, timeouts and retries of its runs.
    pub policy: Policy,
    /// The position of the declaration in the source code.
    pub location: Location,
    #[doc(hidden)]
    pub parameters: fn() -> Vec<ParameterInfo>,
    #[doc(hidden)]
    pub typed: fn(Box<dyn Any>) -> Map<String, Value>,
    #[doc(hidden)]
    pub validate: Option<Validate>,
    #[doc(hidden)]
    pub entry: fn(Invocation) -> Result<BoxFuture<'static, Ending>, FieldErrors>,
}

impl Process {
    /// Returns the route below the mount point: `recalculate-prices`, or `admin/backup-system` in a group.
    pub fn route(&self) -> String {
        match self.group {
            Some(group) => format!("{group}/{}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// Returns the fields of the form, in the order of the parameters.
    pub fn fields(&self) -> Vec<FieldInfo> {
        let fields = (self.parameters)().into_iter().filter_map(|parameter| match parameter {
            ParameterInfo::Field(field) => Some(*field),
            ParameterInfo::State { .. } | ParameterInfo::Cursor { .. } | ParameterInfo::Injected => None,
        });
        fields.collect()
    }

    /// Returns true if the process takes a [`Cursor`](crate::Cursor): its runs resume after a crash.
    pub fn is_resumable(&self) -> bool {
        (self.parameters)().iter().any(|parameter| matches!(parameter, ParameterInfo::Cursor { .. }))
    }

    /// Returns the time of the next scheduled start after `moment`; `None` without a schedule.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    ///
    /// #[process(title = "Cleaning up", schedule = "0 3 * * *")]
    /// async fn remove_old_sessions() {}
    ///
    /// let evening = "2026-11-21T20:15:00Z".parse()?;
    /// let next = RemoveOldSessions::PROCESS.next_run_after(evening);
    /// assert_eq!(next, Some("2026-11-22T03:00:00Z".parse()?));
    /// # Ok::<(), jiff::Error>(())
    /// ```
    pub fn next_run_after(&self, moment: Timestamp) -> Option<Timestamp> {
        schedule::next_after(self.schedule?, moment)
    }
}

/// The rules for queueing, timeouts and retries of a process's runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many of its runs execute at the same time; with a concurrency key, how many for each key. Default: 1.
    pub concurrency: u32,
    /// The field whose value is the concurrency key. Default: none.
    pub concurrency_key: Option<&'static str>,
    /// If true, a start while a run is active opens that run instead of starting another one. Default: false.
    pub exclusive: bool,
    /// The priority of its runs in the queue, unless a start sets another one. Higher priorities start first.
    /// Default: 0.
    pub priority: i16,
    /// The maximum duration of one attempt. Default: no timeout.
    pub timeout: Option<Duration>,
    /// How many times a run is retried after the function returned an error. Default: 0.
    pub retries: u32,
    /// The delay before the first retry. It doubles with each further retry. Default: 10 seconds.
    pub backoff: Duration,
}

impl Policy {
    /// The policy of a process whose attribute sets none of these keys.
    pub const DEFAULT: Self = Self {
        concurrency: 1,
        concurrency_key: None,
        exclusive: false,
        priority: 0,
        timeout: None,
        retries: 0,
        backoff: Duration::from_secs(10),
    };
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({} at {})", self.route(), self.location)
    }
}

/// A position in the source code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The path of the file, as the compiler reports it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The type that `#[process]` generates to control a process.
pub trait Controller {
    /// The declaration of the process that this type controls.
    const PROCESS: &'static Process;
}

/// Calls the author's function that checks all inputs together.
#[doc(hidden)]
pub fn validate<I, R>(input: &I, check: impl InputCheck<I, R>) -> Result<(), FieldErrors> {
    check.validate(input)
}

/// A function that checks all inputs together. A trait of its own, so that the compiler error for any other function says
/// what is expected.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`validate` expects a function of another shape",
    label = "expected a function of a reference to the inputs, which returns `Result<(), E>`",
    note = "for a process `import_users`, write `fn check_input(input: &ImportUsersInput) -> Result<(), String>`, \
            without `async`; the error can also be a `&str` or, with a message for each field, a `FieldErrors`"
)]
pub trait InputCheck<I, R> {
    fn validate(self, input: &I) -> Result<(), FieldErrors>;
}

impl<I, E: Into<FieldErrors>, F: FnOnce(&I) -> Result<(), E>> InputCheck<I, E> for F {
    fn validate(self, input: &I) -> Result<(), FieldErrors> {
        self(input).map_err(Into::into)
    }
}

/// Applies to no function. With a single implementation, the compiler would explain why that one does not apply, and suggest
/// a closure, which `validate` does not take.
impl<I, N: NoFunction> InputCheck<I, NoCheck> for N {
    fn validate(self, _: &I) -> Result<(), FieldErrors> {
        Ok(())
    }
}

#[doc(hidden)]
pub trait NoFunction {}

#[doc(hidden)]
#[derive(Debug)]
pub struct NoCheck;

/// The struct that `#[process]` generates for the inputs of a process, if it has any.
pub trait Input: 'static {
    /// The declaration of the process that takes these inputs.
    const PROCESS: &'static Process;
}

/// One process, registered at link time.
#[doc(hidden)]
pub struct Registration(pub &'static Process);

inventory::collect!(Registration);

/// The return types of a process: `()`, or `Result<T, E>` where `T: Serialize` and `E: Display`.
#[diagnostic::on_unimplemented(
    message = "a process cannot return `{Self}`",
    label = "not a valid return type",
    note = "return nothing, or `Result<T, E>` where `T: Serialize` is shown as the result \
            and `E: Display` as the error",
    note = "a value without an error is `Result<{Self}, std::convert::Infallible>`"
)]
pub trait IntoOutcome {
    #[doc(hidden)]
    fn into_outcome(self) -> Ending;
}

#[diagnostic::do_not_recommend]
impl IntoOutcome for () {
    fn into_outcome(self) -> Ending {
        Ending { outcome: Outcome::Succeeded(Value::Null), warning: None }
    }
}

/// The error of a process. Every `E: Display` is one; a trait of its own, so that the compiler error says what it is for.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a process",
    label = "has no text: `std::fmt::Display` is not implemented for `{Self}`",
    note = "people read the error on the page of the run: implement `std::fmt::Display`, for example with \
            `#[derive(thiserror::Error)]`",
    note = "`String`, `anyhow::Error` and `Box<dyn std::error::Error>` are errors that have a text"
)]
pub trait ErrorText: fmt::Display {}

#[diagnostic::do_not_recommend]
impl<E: fmt::Display> ErrorText for E {}

impl<T: Serialize, E: ErrorText> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Ending {
        match self {
            Ok(value) => Ending::succeeded(value),
            Err(error) => Ending::failed(error),
        }
    }
}
