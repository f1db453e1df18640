//! How a test's run is prepared and executed: by the code that executes a real run, and on a real thread.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::TestError;
use super::tested::{Folder, StoredCursor, TestedRun};
use crate::field::FieldErrors;
use crate::limits::Limits;
use crate::parameter::{Invocation, ParameterInfo, States};
use crate::process::{Controller, Input, Process};
use crate::processes::check;
use crate::progress::{Interruption, Progress, Stop};
use crate::run::{Level, LogLine, Outcome, RunId, SavedCursor};
use crate::runner::body::{self, End};
use crate::runner::{Background, INTERRUPTED, fitting};

/// How long a killed run's tasks may go on without an await before they are left alone.
const PATIENCE: Duration = Duration::from_secs(1);

/// A run that a test is about to make: which process, with which state and input.
///
/// ```
/// use process_runtime::prelude::*;
/// use process_runtime::testing::TestRun;
/// use serde_json::json;
///
/// #[process(title = "Greeting")]
/// async fn greet(name: String) {
///     log(format!("Hello {name}"));
/// }
///
/// # async fn test() -> Result<(), process_runtime::testing::TestError> {
/// let run = TestRun::of::<Greet>().input(json!({ "name": "Ada" })).execute().await?;
/// assert_eq!(run.log_texts(), ["Hello Ada"]);
///
/// let refused = TestRun::of::<Greet>().execute().await.unwrap_err();
/// assert_eq!(refused.to_string(), "the input was not accepted:\n  name: This field is required");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
/// ```
#[must_use = "nothing is run until `execute` is called and awaited"]
pub struct TestRun {
    process: &'static Process,
    states: States,
    input: serde_json::Result<Value>,
    cursor: serde_json::Result<Value>,
    /// What it goes on with of an earlier run, beside the cursor.
    place: Option<StoredCursor>,
    interrupt_at: Option<(u64, Interruption)>,
    here: bool,
}

impl TestRun {
    /// A run of the process that the type `C` controls, such as `RecalculatePrices`.
    pub fn of<C: Controller>() -> Self {
        Self::of_process(C::PROCESS)
    }

    fn of_process(process: &'static Process) -> Self {
        let (input, cursor) = (Ok(Value::Null), Ok(Value::Null));
        let states = States::default();
        Self { process, states, input, cursor, place: None, interrupt_at: None, here: false }
    }

    /// A run of the process that takes this input: the struct that `#[process]` generates beside the
    /// controller.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Greeting")]
    /// async fn greet(name: String) {
    ///     log(format!("Hello {name}"));
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::with(GreetInput { name: "Ada".into() }).execute().await?;
    /// assert_eq!(run.log_texts(), ["Hello Ada"]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    pub fn with<I: Input>(input: I) -> Self {
        let values = (I::PROCESS.typed)(Box::new(input));
        Self { input: Ok(Value::Object(values)), ..Self::of_process(I::PROCESS) }
    }

    /// Gives it a value that it takes as `State<T>`. Each type once; the last one counts.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.state_arc(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that the test looks at too.
    pub fn state_arc<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.insert(value);
        self
    }

    /// Gives it its input: an object with one entry a field. Fields left out have their defaults.
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.input = serde_json::to_value(input);
        self
    }

    /// Has it go on where an earlier attempt of it was: its [`Cursor`](crate::Cursor) begins with this value.
    /// A null, as of a `None`, is a first start.
    ///
    /// With [`TestedRun::cursor`] of a run that was [killed](Self::kill_at), it goes on as after a crash, but for what
    /// was counted, which [`resume`](Self::resume) has it go on with too:
    /// see [the module](super#going-on-after-a-kill-at-every-step).
    pub fn cursor(mut self, value: impl Serialize) -> Self {
        self.cursor = serde_json::to_value(value);
        self.place = None;
        self
    }

    /// Has it go on after `run`, as another attempt of it would: from the cursor that it saved last, with the bar,
    /// the stages, the counts and the failed items of that moment. If it has saved none, it begins anew.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Importing")]
    /// async fn import(cursor: Cursor<u64>) {
    ///     for row in (1..=5).resume_from(&cursor) {
    ///         tally("imported");
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// for step in 1.. {
    ///     let run = TestRun::of::<Import>().kill_at(step).execute().await?;
    ///     if !run.killed {
    ///         break; // It has fewer steps: all were tried.
    ///     }
    ///     let run = TestRun::of::<Import>().resume(&run).execute().await?;
    ///     assert_eq!(run.counts.get("imported"), 5);
    /// }
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    pub fn resume(mut self, run: &TestedRun) -> Self {
        self.place = run.place().cloned();
        self.cursor = Ok(Value::Null);
        self
    }

    /// Cancels it at its report number `step`, counted from 1, as a person would who is quick enough.
    ///
    /// The report is made; then the body leaves, and ends as cancelled. A report through a [`Progress`] does
    /// not leave the body, in a real run neither: it goes on to its next await or helper.
    /// If it makes fewer reports, nothing happens. It is interrupted once: the last of `cancel_at` and
    /// [`kill_at`](Self::kill_at) counts.
    ///
    /// ```
    /// use process_runtime::RunStatus;
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
    /// #[process(title = "Counting")]
    /// async fn count() {
    ///     for step in 1..=4 {
    ///         set_progress_of(step, 4);
    ///     }
    /// }
    ///
    /// # async fn test() -> Result<(), process_runtime::testing::TestError> {
    /// let run = TestRun::of::<Count>().cancel_at(2).execute().await?;
    /// assert_eq!(run.status, RunStatus::Cancelled);
    /// assert_eq!(run.percents, [Some(25.0), Some(50.0)]);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    pub fn cancel_at(mut self, step: u64) -> Self {
        self.interrupt_at = Some((step, Interruption::Cancelled));
        self
    }

    /// Kills it at its report number `step`, counted from 1: it goes no further, as if its program had been
    /// killed there. See [the module](super#killing-it-at-every-step) for a test of every step.
    ///
    /// A report is a call of a helper or of the same method of a [`Progress`], or a save of a
    /// [`Cursor`](crate::Cursor), in any task or thread of the run. The one it is killed at is the last that counts: an `end_process` there does not end the run any
    /// more, and [`TestedRun::killed`] is true, with the status that the next start of a program gives such
    /// a run, [`Interrupted`](crate::RunStatus::Interrupted). If it makes fewer reports, nothing happens.
    ///
    /// In one thing it is milder than a real crash: **destructors run**, since the body is unwound. A file
    /// that a destructor removes is gone after a kill in a test, and is still there after a crash. What
    /// destructors report is not recorded. A [`Mutex`](std::sync::Mutex) held at the report is poisoned.
    ///
    /// Tasks of the run are stopped at their next await or report, and have been when
    /// [`execute`](Self::execute) is done, unless one of them needs longer than a second for that. Threads
    /// of its own, and tasks [on the test's runtime](Self::on_this_runtime), leave at their next report. Code
    /// that blocks until one of them is done may find it gone, as after a panic; a body that was waiting for
    /// it at an await does not come to see that.
    pub fn kill_at(mut self, step: u64) -> Self {
        self.interrupt_at = Some((step, Interruption::Killed));
        self
    }

    /// Lets the body find its timers, sockets and spawned tasks in the runtime of the test, and so the
    /// test's paused clock. It has a thread of its own all the same.
    pub fn on_this_runtime(mut self) -> Self {
        self.here = true;
        self
    }

    /// Executes the process, and gives what it did and said. A run that failed is no error.
    ///
    /// Works on any executor. If the future is dropped, the body is stopped.
    ///
    /// # Errors
    ///
    /// When the run could not begin: the input was not accepted, a state is missing, or the machine gave no
    /// thread. The message names the field or the type.
    pub async fn execute(self) -> Result<TestedRun, TestError> {
        let input = self.checked()?;
        let runtime = Arc::new(self.runtime()?);
        let cursor = self.cursor.map_err(|error| TestError::Cursor(error.to_string()))?;
        let given = (!cursor.is_null()).then(|| StoredCursor::of(SavedCursor::new(cursor)));
        let place = self.place.or(given);
        let folder = Folder::new();
        let files = Some(folder.path().to_owned());
        let progress = Progress::new(RunId::new(), self.process.title, files, 0, Limits::DEFAULT);
        if let Some(place) = &place {
            progress.restore(&place.run(self.process.title));
        }
        progress.watch(self.interrupt_at);
        let cursor = place.as_ref().map(|place| place.cursor.clone());
        let invocation = Invocation { progress: progress.clone(), states: self.states, input, cursor };
        let abandoned = Abandoned(&progress);
        let end = body::start(self.process, invocation, 1, Arc::clone(&runtime)).await;
        std::mem::forget(abandoned);
        let mut recording = progress.recorded();
        let end = end.map(|end| {
            let (end, left_out) = fitting::fit(end, &Limits::DEFAULT);
            recording.lines.extend(left_out.map(|text| {
                let seq = recording.lines.back().map_or(0, |line| line.seq) + 1;
                LogLine { seq, at: Timestamp::now(), level: Level::Warn, text }
            }));
            end
        });
        let (outcome, killed) = match end {
            Ok(End::Outcome(outcome)) => (outcome, false),
            Ok(End::Error(error)) => (Outcome::Failed(error), false),
            // Nobody but `kill_at` takes a test's run away, and nobody asks it to pause.
            Ok(End::LeaseLost | End::Yielded) => (Outcome::Interrupted(INTERRUPTED.into()), true),
            Err(_) => (Outcome::Failed("the process ended unexpectedly".into()), false),
        };
        let runtime = if killed { stop(runtime).await } else { Some(runtime) };
        Ok(TestedRun::new(outcome, killed, recording, place, folder, runtime))
    }

    /// All that a real start and the builder look at before there is a run.
    fn checked(&self) -> Result<Map<String, Value>, TestError> {
        if let Some((0, _)) = self.interrupt_at {
            return Err(TestError::StepZero);
        }
        let missing = (self.process.parameters)().into_iter().filter_map(|parameter| match parameter {
            ParameterInfo::State { id, type_name } if !self.states.contains(id) => Some(type_name),
            _ => None,
        });
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            return Err(TestError::MissingStates { process: self.process.name, missing });
        }
        match &self.input {
            Ok(Value::Null) => checked(self.process, &Map::new()),
            Ok(Value::Object(given)) => checked(self.process, given),
            Ok(_) | Err(_) => Err(TestError::NotAnObject),
        }
    }

    fn runtime(&self) -> Result<Background, TestError> {
        if self.here {
            return Background::current().ok_or(TestError::NoRuntime);
        }
        // Two, whatever the machine has: a test may make hundreds of runs.
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map(Background::of).map_err(|error| TestError::Machine(error.to_string()))
    }
}

/// The input as a run is given it.
fn checked(process: &Process, given: &Map<String, Value>) -> Result<Map<String, Value>, TestError> {
    let none = FieldErrors::default();
    check(process, &process.fields(), given, none).map(|checked| checked.revealed).map_err(TestError::Input)
}

/// Without the input: a secret may be in it.
impl std::fmt::Debug for TestRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process, interrupt_at, .. } = self;
        let mut shown = f.debug_struct("TestRun");
        shown.field("process", process).field("interrupt_at", interrupt_at).finish_non_exhaustive()
    }
}

/// Stops the body when nobody waits for its end any more.
struct Abandoned<'a>(&'a Progress);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        self.0.stop(Stop::LeaseLost);
    }
}

/// Waits until the runtime's tasks are gone, on a thread that may block.
async fn stop(runtime: Arc<Background>) -> Option<Arc<Background>> {
    let (sender, gone) = oneshot::channel::<()>();
    if let Some(runtime) = Arc::into_inner(runtime) {
        let stopping = std::thread::Builder::new().spawn(move || {
            runtime.stop(PATIENCE);
            drop(sender);
        });
        if stopping.is_ok() {
            let _ = gone.await;
        }
    }
    None
}
