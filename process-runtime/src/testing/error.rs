//! The error of a test run that could not begin.

use std::fmt;

use crate::field::FieldErrors;

/// The reason why a test run could not begin. The message is for the person who wrote the test.
#[non_exhaustive]
pub enum TestError {
    /// The process did not accept these inputs.
    Input(FieldErrors),
    /// The input is not an object with one entry per field.
    NotAnObject,
    /// The cursor cannot be written as JSON. The text states why.
    Cursor(String),
    /// The process takes state that the test did not provide.
    MissingStates {
        /// The name of the controller type.
        process: &'static str,
        /// The missing types, as the compiler names them.
        missing: Vec<&'static str>,
    },
    /// The run was to be interrupted at step 0. Steps are counted from 1.
    StepZero,
    /// The run was to use the runtime of the test, and the test has none.
    NoRuntime,
    /// The system could not start the threads. The text states why.
    Machine(String),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(errors) => {
                f.write_str("the input was not accepted:\n  ")?;
                errors.write(f, "\n  ")
            }
            Self::NotAnObject => f.write_str("the input must be an object with one entry a field"),
            Self::Cursor(why) => write!(f, "the cursor cannot be written as JSON: {why}"),
            Self::MissingStates { process, missing } => {
                write!(f, "{process} takes state that the test does not provide:")?;
                missing.iter().try_for_each(|name| write!(f, "\n  State<{name}>"))?;
                write!(f, "\nadd it with TestRun::of::<{process}>().state(value), one call per type")
            }
            Self::StepZero => f.write_str("steps are counted from 1: there is no step 0"),
            Self::NoRuntime => f.write_str(
                "on_this_runtime was called where there is no tokio runtime: annotate the test with \
                 #[tokio::test]",
            ),
            Self::Machine(why) => write!(f, "could not start the threads of the run: {why}"),
        }
    }
}

/// Prints the message itself, so that `unwrap` in a test shows it to people.
impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for TestError {}
