//! The end of a body as JSON and text that can be stored. A result that cannot be stored does not undo the work.

use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde_json::{Value, json};

use super::unwritten;
use crate::measure::{MAX_DEPTH, Measured, measure};
use crate::run::Outcome;
use crate::text::{OneLine, clip, panic_text};

/// The outcome of a body, and a warning for the run's log if the stored result differs from the returned one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) warning: Option<String>,
}

impl Ending {
    /// A success, even if its result cannot be stored, since the work is done. A result that cannot be kept as JSON
    /// is left out, with a warning.
    pub(crate) fn succeeded(data: impl Serialize) -> Self {
        let written =
            caught("the result", || write(&data)).unwrap_or_else(|| Err("its `Serialize` panicked".into()));
        drop_quietly("the result", data);
        let (result, warning) = match written {
            Ok((result, warning)) => (result, warning),
            Err(why) => {
                let (result, warning) = left_out(&format!(
                    "it cannot be written as JSON ({why}); return maps whose keys are texts, numbers of at most 64 \
                     bits, or a text"
                ));
                (result, Some(warning))
            }
        };
        Self { outcome: Outcome::Succeeded(result), warning }
    }

    /// A failure, with the text of the error if it has one.
    pub(crate) fn failed(error: impl fmt::Display) -> Self {
        let mut text = String::new();
        let written = caught("the error", || write!(text, "{error}"));
        drop_quietly("the error", error);
        if !matches!(written, Some(Ok(()))) {
            let rest = if text.is_empty() {
                "the process failed, and its error"
            } else {
                "… [the rest of the error"
            };
            let end = if text.is_empty() { "" } else { "]" };
            let _ = write!(text, "{rest} could not be written{end}");
        }
        Self { outcome: Outcome::Failed(text.into()), warning: None }
    }

    /// The same ending with the causes of the error, if it is a failure.
    #[must_use]
    pub fn caused_by(mut self, causes: Vec<String>) -> Self {
        if let Outcome::Failed(failure) = &mut self.outcome {
            failure.causes = causes;
        }
        self
    }
}

/// The replacement for a result that is not kept, and the warning for the log.
pub(crate) fn left_out(why: &str) -> (Value, String) {
    let why = format!("the result was left out: {why}");
    // Pages show the member `message` of a result as text.
    (json!({ "message": why }), why)
}

/// The result as JSON, with a warning about values that JSON cannot express, or the reason why there is no result.
fn write(data: &impl Serialize) -> Result<(Value, Option<String>), String> {
    // Measured first, since writing a deeply nested value could overflow the stack.
    if measure(data) == Measured::TooDeep {
        return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
    }
    let result = serde_json::to_value(data).map_err(|error| clip(error.to_string(), 1_024))?;
    let warning = has_null(&result).then(|| unwritten::numbers(data)).flatten();
    Ok((result, warning))
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

/// Calls the author's code after the work is done: a panic there does not fail the run. The details go to the
/// operator's log.
pub(super) fn caught<R>(what: &str, call: impl FnOnce() -> R) -> Option<R> {
    let payload = catch_unwind(AssertUnwindSafe(call)).map_err(|payload| {
        let details = panic_text(&*payload);
        tracing::error!(
            "{} of a run panicked while it was written or dropped: {}",
            OneLine(what),
            OneLine(details)
        );
    });
    payload.ok()
}

fn drop_quietly<T>(what: &str, value: T) {
    let _ = caught(what, || drop(value));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serializer;

    use super::*;

    /// The stored result and the warning for a body that returned this.
    fn kept(data: impl Serialize) -> (Value, Option<String>) {
        match Ending::succeeded(data) {
            Ending { outcome: Outcome::Succeeded(result), warning } => (result, warning),
            other => panic!("{other:?}"),
        }
    }

    fn warned(data: impl Serialize) -> String {
        let (result, warning) = kept(data);
        let warning = warning.unwrap();
        assert_eq!(result, json!({ "message": warning }));
        warning
    }

    #[test]
    fn unserializable_result_is_left_out() {
        assert_eq!(kept(json!({ "total": 3 })), (json!({ "total": 3 }), None));
        let why = warned(BTreeMap::from([((1, 2), 3)]));
        assert!(
            why.contains("left out") && why.contains("key must be a string") && why.contains("return"),
            "{why}"
        );
        let why = warned(u128::MAX);
        assert!(why.contains("number out of range"), "{why}");
    }

    #[test]
    fn panicking_serialize_is_caught() {
        struct Panics(&'static str);
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                assert_ne!(self.0, "write", "it was to panic");
                out.serialize_str(self.0)
            }
        }
        impl Drop for Panics {
            fn drop(&mut self) {
                assert_ne!(self.0, "drop", "it was to panic");
            }
        }
        let why = warned(Panics("write"));
        assert!(why.contains("panicked") && !why.contains("was to"), "{why}");
        assert_eq!(kept(Panics("drop")), (json!("drop"), None));
    }

    #[test]
    fn nested_results_stay_readable() {
        let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(kept(nested(MAX_DEPTH)), (nested(MAX_DEPTH), None));
        // A run surrounds the result, and a list of runs surrounds the run.
        let stored = json!({ "runs": [{ "result": nested(MAX_DEPTH) }] }).to_string();
        assert!(serde_json::from_str::<Value>(&stored).is_ok());
        assert!(warned(nested(MAX_DEPTH + 1)).contains("nested more than"));
    }

    #[test]
    fn panicking_display_is_still_error() {
        struct Odd(bool);
        impl fmt::Display for Odd {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("disk full")?;
                assert!(self.0, "it was to panic");
                Err(fmt::Error)
            }
        }
        for odd in [Odd(true), Odd(false)] {
            let said = "disk full… [the rest of the error could not be written]";
            assert_eq!(Ending::failed(odd).outcome, Outcome::Failed(said.into()));
        }
    }
}
