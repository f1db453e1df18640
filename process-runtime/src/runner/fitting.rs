//! Limits the size of a run's end: an error or result that is too long is cut or left out.

use serde_json::Value;

use super::body::End;
use crate::limits::Limits;
use crate::measure::{Measured, measure};
use crate::process::left_out;
use crate::run::Outcome;
use crate::text::clip;

/// The end to store, and a warning for the log if a result was left out.
pub(crate) fn fit(end: End, limits: &Limits) -> (End, Option<String>) {
    match end {
        End::Error(error) => (End::Error(clip(error, limits.max_error_bytes)), None),
        End::Outcome(outcome) => {
            let (outcome, left_out) = fit_outcome(outcome, limits);
            (End::Outcome(outcome), left_out)
        }
        end @ (End::LeaseLost | End::Yielded) => (end, None),
    }
}

fn fit_outcome(outcome: Outcome, limits: &Limits) -> (Outcome, Option<String>) {
    let most = limits.max_result_bytes;
    match outcome {
        Outcome::Succeeded(Value::String(text)) => {
            let size = text.len();
            let warning = (size > most).then(|| {
                format!("the result was truncated: it has {size} bytes (the limit is {most}); offer a file with artifact instead")
            });
            (Outcome::Succeeded(Value::String(clip(text, most))), warning)
        }
        Outcome::Succeeded(result) => match measure(&result) {
            Measured::Bytes(size) if size > most => {
                let (message, warning) = left_out(&format!(
                    "it has {size} bytes (the limit is {most}); offer a file with artifact instead"
                ));
                (Outcome::Succeeded(message), Some(warning))
            }
            _ => (Outcome::Succeeded(result), None),
        },
        Outcome::Failed(error) => (Outcome::Failed(clip(error, limits.max_error_bytes)), None),
        Outcome::Interrupted(error) => (Outcome::Interrupted(clip(error, limits.max_error_bytes)), None),
        Outcome::Cancelled => (Outcome::Cancelled, None),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outcome_over_limits_is_cut() {
        let limits = Limits::default().max_result_bytes(10).max_error_bytes(5);
        let fitted = |outcome| match fit(End::Outcome(outcome), &limits) {
            (End::Outcome(outcome), left_out) => (outcome, left_out.is_some()),
            other => panic!("{other:?}"),
        };
        for whole in [json!("0123456789"), json!([1, 2, 3, 4]), Value::Null] {
            assert_eq!(fitted(Outcome::Succeeded(whole.clone())), (Outcome::Succeeded(whole), false));
        }
        let cut = json!("0123456789… [cut: 11 bytes in all]");
        assert_eq!(fitted(Outcome::Succeeded(json!("0123456789a"))), (Outcome::Succeeded(cut), true));
        let (Outcome::Succeeded(left), true) = fitted(Outcome::Succeeded(json!([1, 2, 3, 456]))) else {
            panic!("it was not left out");
        };
        assert!(left["message"].as_str().unwrap().contains("it has 11 bytes (the limit is 10)"), "{left}");
        let cut = "12345… [cut: 6 bytes in all]".to_owned();
        assert_eq!(fitted(Outcome::Failed("123456".into())), (Outcome::Failed(cut.clone()), false));
        assert_eq!(fit(End::Error("123456".into()), &limits), (End::Error(cut), None));
        assert_eq!(fit(End::Yielded, &limits), (End::Yielded, None));
    }
}
