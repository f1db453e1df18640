//! Prepares and executes a test run, with the code that executes a real run and on a real thread.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::TestError;
use super::tested::{Folder, StoredCursor, TestedRun};
use crate::limits::Limits;
use crate::parameter::{Invocation, ParameterInfo, States};
use crate::process::{Controller, Input, Process};
use crate::processes::check;
use crate::progress::{Interruption, Progress, Stop};
use crate::registry::MissingState;
use crate::run::{Level, LogLine, Outcome, RunId, SavedCursor};
use crate::runner::body::{self, End};
use crate::runner::{Background, INTERRUPTED, fitting};

/// How long tasks of a killed run may continue without an await before the test stops waiting for them.
const PATIENCE: Duration = Duration::from_secs(1);

/// A run to execute in a test, with its process, state and input.
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
    /// The stored state from which the run resumes, including the cursor.
    place: Option<StoredCursor>,
    interrupt_at: Option<(u64, Interruption)>,
    here: bool,
}

impl TestRun {
    /// Creates a run of the process whose controller type is `C`, such as `RecalculatePrices`.
    pub fn of<C: Controller>() -> Self {
        Self::of_process(C::PROCESS)
    }

    fn of_process(process: &'static Process) -> Self {
        let (input, cursor) = (Ok(Value::Null), Ok(Value::Null));
        let states = States::default();
        Self { process, states, input, cursor, place: None, interrupt_at: None, here: false }
    }

    /// Creates a run of the process to which this input belongs. The input is the struct that `#[process]`
    /// generates beside the controller.
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

    /// Provides a value for the `State<T>` parameters of the process. The run keeps one value for each type; a
    /// later value replaces an earlier one.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.state_arc(Arc::new(value))
    }

    /// Like [`state`](Self::state), for a value that the test inspects as well.
    pub fn state_arc<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.insert(value);
        self
    }

    /// Sets the input: an object with one entry per field. Missing fields get their defaults.
    pub fn input(mut self, input: impl Serialize) -> Self {
        self.input = serde_json::to_value(input);
        self
    }

    /// Sets the initial value of the run's [`Cursor`](crate::Cursor), so that the run continues where an earlier
    /// attempt stopped. A null, such as from `None`, means a first start.
    ///
    /// If you pass the [`TestedRun::cursor`] of a run that was [killed](Self::kill_at), the new run resumes as
    /// after a crash, but without the counts. To resume with the counts, use [`resume`](Self::resume): see [the
    /// module](super#going-on-after-a-kill-at-every-step).
    pub fn cursor(mut self, value: impl Serialize) -> Self {
        self.cursor = serde_json::to_value(value);
        self.place = None;
        self
    }

    /// Resumes after `run`, as the next attempt would: from the last saved cursor, with the progress, the stages,
    /// the counts and the failed items of that moment. If `run` has saved no cursor, the new run starts from
    /// scratch.
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

    /// Cancels the run at its report number `step`, counted from 1.
    ///
    /// The report takes effect; then the body unwinds, and the run ends as cancelled. As in a real run, a report
    /// through a [`Progress`] does not unwind the body, which continues to its next await or helper call. If the
    /// run makes fewer reports, nothing happens. A run is interrupted only once: a later call of `cancel_at` or
    /// [`kill_at`](Self::kill_at) replaces an earlier one.
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

    /// Kills the run at its report number `step`, counted from 1: the run goes no further, as if the program had
    /// been killed there. See [the module](super#killing-it-at-every-step) for a test of every step.
    ///
    /// A report is a call of a helper or of the same method of a [`Progress`], or a save of a
    /// [`Cursor`](crate::Cursor), in any task or thread of the run. The report at which the run is killed is the
    /// last that counts: if it is an `end_process`, it no longer ends the run. [`TestedRun::killed`] is then true,
    /// and the status is [`Interrupted`](crate::RunStatus::Interrupted), which the next start of a program gives
    /// such a run. If the run makes fewer reports, nothing happens.
    ///
    /// A kill differs from a real crash in one respect: **destructors run**, because the body unwinds. A file that
    /// a destructor removes is gone after a kill in a test, but is still there after a crash. Reports of
    /// destructors are not recorded. A [`Mutex`](std::sync::Mutex) that is locked at the report is poisoned.
    ///
    /// Tasks of the run stop at their next await or report. They have stopped when [`execute`](Self::execute)
    /// returns, unless a task takes longer than a second. Threads of the run, and tasks [on the runtime of the
    /// test](Self::on_this_runtime), leave at their next report. Code that blocks on such a task or thread may find
    /// it gone, as after a panic; a body that awaits it does not get to see that.
    pub fn kill_at(mut self, step: u64) -> Self {
        self.interrupt_at = Some((step, Interruption::Killed));
        self
    }

    /// Makes the body use the timers, sockets and spawned tasks of the test's runtime, including the paused clock
    /// of the test. The body still has its own thread.
    pub fn on_this_runtime(mut self) -> Self {
        self.here = true;
        self
    }

    /// Executes the process and returns what it did and reported. A failed run is not an error.
    ///
    /// This works on any executor. If you drop the future, the body is stopped.
    ///
    /// # Errors
    ///
    /// Returns an error if the run could not begin: the process did not accept the input, a state is missing, or
    /// the system could not start a thread. The message names the field or the type.
    pub async fn execute(self) -> Result<TestedRun, TestError> {
        let input = self.checked()?;
        let runtime = Arc::new(self.runtime()?);
        let cursor = self.cursor.map_err(TestError::Cursor)?;
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
        let mut abandoned = Abandoned(Some(&progress));
        let end = body::start(self.process, invocation, 1, Arc::clone(&runtime)).await;
        abandoned.0 = None;
        let mut recording = progress.recorded();
        let end = end.map(|end| {
            let (end, left_out) = fitting::fit(end, &Limits::DEFAULT);
            recording.lines.extend(left_out.map(|text| {
                let seq = recording.lines.back().map_or(0, |line| line.seq) + 1;
                LogLine { seq, at: Timestamp::now(), level: Level::Warn, text, styles: Vec::new() }
            }));
            end
        });
        let (outcome, killed) = match end {
            Ok(End::Outcome(outcome)) => (outcome, false),
            Ok(End::Error(error)) => (Outcome::Failed(error), false),
            // Only `kill_at` takes away a test's run, and nothing asks it to pause.
            Ok(End::LeaseLost | End::Yielded) => (Outcome::Interrupted(INTERRUPTED.into()), true),
            Err(_) => (Outcome::Failed("the process ended unexpectedly".into()), false),
        };
        let runtime = if killed { stop(runtime).await } else { Some(runtime) };
        Ok(TestedRun::new(outcome, killed, recording, place, folder, runtime))
    }

    /// The checks that a real start and the builder make before there is a run.
    fn checked(&self) -> Result<Map<String, Value>, TestError> {
        if let Some((0, _)) = self.interrupt_at {
            return Err(TestError::StepZero);
        }
        let missing = (self.process.parameters)().into_iter().filter_map(|parameter| match parameter {
            ParameterInfo::State { id, type_name } if !self.states.contains(id) => {
                let in_arc = self.states.contains_arc_of(type_name);
                Some(MissingState { type_name, processes: vec![self.process], in_arc })
            }
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
        // Two threads on every machine, because a test may make hundreds of runs.
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.map(Background::of).map_err(TestError::Machine)
    }
}

/// The input as the body receives it.
fn checked(process: &Process, given: &Map<String, Value>) -> Result<Map<String, Value>, TestError> {
    check(process, &process.fields(), given, Default::default())
        .map(|checked| checked.revealed)
        .map_err(TestError::Input)
}

/// Without the input, which may contain a secret.
impl std::fmt::Debug for TestRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { process, interrupt_at, .. } = self;
        let mut shown = f.debug_struct("TestRun");
        shown.field("process", process).field("interrupt_at", interrupt_at).finish_non_exhaustive()
    }
}

/// Stops the body if the future of `execute` is dropped.
struct Abandoned<'a>(Option<&'a Progress>);

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(progress) = self.0 {
            progress.stop(Stop::LeaseLost);
        }
    }
}

/// Waits until the tasks of the runtime have stopped, on a thread that may block.
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
