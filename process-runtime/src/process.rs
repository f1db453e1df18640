//! The static declaration of a process, and how what a process returns becomes a run's outcome.

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

mod ending;
mod stored;
mod unwritten;

pub use ending::Ending;
pub(crate) use ending::left_out;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Looks at all inputs of a process together.
#[doc(hidden)]
pub(crate) type Validate = fn(&Map<String, Value>) -> Result<(), FieldErrors>;

/// The static declaration of a process, as `#[process]` writes it.
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
    /// The heading people see.
    pub title: &'static str,
    /// The name of the generated controller type, such as `RecalculatePrices`.
    pub name: &'static str,
    /// The last part of its route, such as `recalculate-prices`.
    pub path: &'static str,
    /// The group it is listed and routed under.
    pub group: Option<&'static str>,
    /// The function's doc comment.
    pub description: &'static str,
    /// What is asked before it starts; nothing starts without a yes.
    pub confirm: Option<&'static str>,
    /// When a run of it is started by itself: a cron expression, in UTC.
    pub schedule: Option<&'static str>,
    /// How its runs are queued, and what ends or repeats them.
    pub policy: Policy,
    /// Where it is declared.
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
    /// Its route below the mount: `recalculate-prices`, or `admin/backup-system` in a group.
    pub fn route(&self) -> String {
        match self.group {
            Some(group) => format!("{group}/{}", self.path),
            None => self.path.to_owned(),
        }
    }

    /// The fields of its form, in the order of its parameters.
    pub fn fields(&self) -> Vec<FieldInfo> {
        let fields = (self.parameters)().into_iter().filter_map(|parameter| match parameter {
            ParameterInfo::Field(field) => Some(*field),
            ParameterInfo::State { .. } | ParameterInfo::Cursor { .. } | ParameterInfo::Injected => None,
        });
        fields.collect()
    }

    /// True when it takes a [`Cursor`](crate::Cursor): after a crash its runs go on where they were.
    pub fn is_resumable(&self) -> bool {
        (self.parameters)().iter().any(|parameter| matches!(parameter, ParameterInfo::Cursor { .. }))
    }

    /// When its schedule says that it is started next, after this moment; `None` without a schedule.
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

/// How the runs of a process are queued, and what ends or repeats them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many of its runs are executed at the same time; with a key, how many of each key.
    pub concurrency: u32,
    /// The field whose value is the key that runs share their places by.
    pub concurrency_key: Option<&'static str>,
    /// A start while a run of it is active opens that run.
    pub exclusive: bool,
    /// Its runs' place in the queue, unless a start says otherwise: higher goes first.
    pub priority: i16,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How often it is tried again after it returned an error.
    pub retries: u32,
    /// How long it waits before it is tried again for the first time; then twice as long each time.
    pub backoff: Duration,
}

impl Policy {
    /// What holds for a process that says nothing else.
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

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Implemented by the type that `#[process]` generates.
pub trait Controller {
    /// The declaration of the process this type controls.
    const PROCESS: &'static Process;
}

/// Has the author's function look at all inputs together.
#[doc(hidden)]
pub fn validate<I, E: Into<FieldErrors>>(
    check: fn(&I) -> Result<(), E>,
    input: &I,
) -> Result<(), FieldErrors> {
    check(input).map_err(Into::into)
}

/// Implemented by the struct of a process's inputs that `#[process]` generates, if there are any.
pub trait Input: 'static {
    /// The declaration of the process that takes them.
    const PROCESS: &'static Process;
}

/// One process found at link time.
#[doc(hidden)]
pub struct Registration(pub &'static Process);

inventory::collect!(Registration);

/// What a process can return.
#[diagnostic::on_unimplemented(
    message = "a process cannot return `{Self}`",
    label = "not something a process can return",
    note = "return nothing, or `Result<T, E>` where `T: Serialize` is shown as the result \
            and `E: Display` as the error"
)]
pub trait IntoOutcome {
    #[doc(hidden)]
    fn into_outcome(self) -> Ending;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Ending {
        Ending { outcome: Outcome::Succeeded(Value::Null), warning: None }
    }
}

impl<T: Serialize, E: fmt::Display> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Ending {
        match self {
            Ok(value) => Ending::succeeded(value),
            Err(error) => Ending::failed(error),
        }
    }
}
