//! The start from Rust: a typed input, and what is said of the start beside it.

use std::any::Any;
use std::fmt;

use super::{Key, Processes, RunHandle, StartError, StartRequest};
use crate::process::{BoxFuture, Process};
use crate::uploads::Source;

/// A start from code: what the generated `start` gives. Nothing happens until it is awaited.
///
/// ```
/// use process_runtime::prelude::*;
/// use process_runtime::{Processes, RunHandle, StartError};
///
/// /// Recalculates the price of every product in the catalog.
/// #[process(title = "Recalculate catalog prices", concurrency = 3)]
/// async fn recalculate_prices(percent: f64) {}
///
/// async fn every_monday(processes: &Processes) -> Result<RunHandle, StartError> {
///     let input = RecalculatePricesInput { percent: 2.5 };
///     RecalculatePrices::start(processes, input).idempotency_key("2026-W47").priority(5).await
/// }
/// ```
#[must_use = "nothing is started until it is awaited"]
pub struct Start {
    process: &'static Process,
    processes: Processes,
    given: StartRequest,
}

impl Start {
    /// The same key, for the same process, gives the run that was started first: a start that is repeated,
    /// because nobody knows whether it happened, happens once. A text of 1 to 200 bytes without control
    /// characters; another one is [`StartError::IdempotencyKey`]. Schedules and retries have keys of their own,
    /// which no text is equal to.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.given.key = Some(Key::Client(key.into()));
        self
    }

    /// The run's place in the queue, in place of its process's: higher goes first.
    pub fn priority(mut self, priority: i16) -> Self {
        self.given.priority = Some(priority);
        self
    }

    /// Who starts it, as the pages and the history show it.
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.given.actor = Some(actor.into());
        self
    }

    async fn happen(self) -> Result<RunHandle, StartError> {
        let Self { process, processes, given } = self;
        let mounted = processes.registry().get(&process.route());
        if mounted.is_none_or(|mounted| !std::ptr::eq(mounted, process)) {
            return Err(StartError::NotMounted);
        }
        let started = processes.start(process, given, Source::Program).await?;
        Ok(processes.handle(started.run.id))
    }
}

impl IntoFuture for Start {
    type Output = Result<RunHandle, StartError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.happen())
    }
}

/// Without the input: a secret may be in it.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StartRequest { key, priority, actor, .. } = &self.given;
        let mut shown = f.debug_struct("Start");
        shown.field("process", self.process).field("idempotency_key", key);
        shown.field("priority", priority).field("actor", actor).finish_non_exhaustive()
    }
}

/// What the generated `start` calls. Who writes the call has confirmed it.
#[doc(hidden)]
pub fn start(process: &'static Process, processes: &Processes, input: Box<dyn Any>) -> Start {
    // What is given need not be able to move between threads: it is taken apart here.
    let values = (process.typed)(input);
    let given = StartRequest { values, confirmed: true, ..StartRequest::default() };
    Start { process, processes: processes.clone(), given }
}
