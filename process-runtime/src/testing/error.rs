//! The error of a test run that could not begin.

use std::{fmt, io};

use crate::field::FieldErrors;
use crate::registry::MissingState;

/// The reason why a test run could not begin. The message is for the person who wrote the test.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// The process did not accept these inputs.
    #[error("the input was not accepted:\n  {}", Lines(.0))]
    Input(#[source] FieldErrors),
    /// The input is not an object with one entry per field.
    #[error("the input must be an object with one entry a field")]
    NotAnObject,
    /// The cursor cannot be written as JSON.
    #[error("the cursor cannot be written as JSON: {0}")]
    Cursor(#[source] serde_json::Error),
    /// The process takes state that the test did not provide.
    #[error(
        "{process} takes state that the test does not provide:{}\nadd it with TestRun::of::<{process}>().state(value), one call per type",
        States(missing)
    )]
    MissingStates {
        /// The name of the controller type.
        process: &'static str,
        /// The missing types.
        missing: Vec<MissingState>,
    },
    /// The run was to be interrupted at step 0. Steps are counted from 1.
    #[error("steps are counted from 1: there is no step 0")]
    StepZero,
    /// The run was to use the runtime of the test, and the test has none.
    #[error(
        "on_this_runtime was called where there is no tokio runtime: annotate the test with #[tokio::test]"
    )]
    NoRuntime,
    /// The system could not start the threads.
    #[error("could not start the threads of the run: {0}")]
    Machine(#[source] io::Error),
}

/// One error a line.
struct Lines<'a>(&'a FieldErrors);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, "\n  ")
    }
}

/// One missing type a line.
struct States<'a>(&'a [MissingState]);

impl fmt::Display for States<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|state| {
            write!(f, "\n  State<{}>", state.type_name())?;
            state.write_hint(f)
        })
    }
}

/// Prints the message itself, so that `unwrap` in a test shows it to people.
impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
