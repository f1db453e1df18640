//! The start of a run from Rust: a typed input, and options such as the idempotency key.

use std::any::Any;
use std::fmt;

use super::{Key, Processes, RunHandle, StartError, StartRequest};
use crate::process::{BoxFuture, Process};
use crate::uploads::Source;

/// A start from code, as returned by the generated `start` function. Nothing happens until you await it.
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
    /// Sets the idempotency key. A start with the same key, for the same process, returns the run that was started
    /// first, so you can safely repeat a start whose outcome is unknown. The key is a text of 1 to 200 bytes
    /// without control characters; any other key returns [`StartError::IdempotencyKey`]. Schedules and retries use
    /// their own keys, which no text can equal.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.given.key = Some(Key::Client(key.into()));
        self
    }

    /// Sets the priority of the run in the queue, overriding that of its process. A higher priority runs first.
    pub fn priority(mut self, priority: i16) -> Self {
        self.given.priority = Some(priority);
        self
    }

    /// Sets the actor who starts the run, as shown on pages and in the history.
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

/// Without the input, which may contain a secret.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StartRequest { key, priority, actor, .. } = &self.given;
        let mut shown = f.debug_struct("Start");
        shown.field("process", self.process).field("idempotency_key", key);
        shown.field("priority", priority).field("actor", actor).finish_non_exhaustive()
    }
}

/// What the generated `start` calls. A start from code counts as confirmed.
#[doc(hidden)]
pub fn start(process: &'static Process, processes: &Processes, input: Box<dyn Any>) -> Start {
    // The input need not be `Send`: it is converted here, before the first await.
    let values = (process.typed)(input);
    let given = StartRequest { values, confirmed: true, ..StartRequest::default() };
    Start { process, processes: processes.clone(), given }
}
