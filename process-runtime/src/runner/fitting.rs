//! Limits the size of a run's end: an error or result that is too long is cut or left out.

use serde_json::Value;

use super::body::End;
use crate::limits::Limits;
use crate::measure::{Measured, measure};
use crate::process::left_out;
use crate::run::{Failure, Outcome};
use crate::terminal;
use crate::text::clip;

/// The end to store, and a warning for the log if a result was left out.
pub(crate) fn fit(end: End, limits: &Limits) -> (End, Option<String>) {
    match end {
        End::Error(failure) => (End::Error(fit_failure(failure, limits)), None),
        End::Outcome(outcome) => {
            let (outcome, left_out) = fit_outcome(outcome, limits);
            (End::Outcome(outcome), left_out)
        }
        end @ (End::LeaseLost | End::Yielded) => (end, None),
    }
}

/// The message and its causes, all of which together are at most as long again.
fn fit_failure(mut failure: Failure, limits: &Limits) -> Failure {
    let most = limits.max_error_bytes;
    failure.message = clip(terminal::plain(failure.message), most);
    let mut left = most;
    failure.causes = std::mem::take(&mut failure.causes).into_iter().map(terminal::plain).collect();
    failure.causes.retain_mut(|cause| {
        let fits = left > 0;
        let size = cause.len();
        *cause = clip(std::mem::take(cause), left);
        left = left.saturating_sub(size);
        fits
    });
    failure
}

/// A text that people read: tools write some of them. All other strings of a result are data, which stay as they are.
fn fit_words(result: &mut Value) {
    let words = match result {
        Value::String(text) => Some(text),
        Value::Object(fields) => match fields.get_mut("message") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    words.into_iter().for_each(|text| *text = terminal::plain(std::mem::take(text)));
}

fn fit_outcome(mut outcome: Outcome, limits: &Limits) -> (Outcome, Option<String>) {
    let most = limits.max_result_bytes;
    if let Outcome::Succeeded(result) = &mut outcome {
        fit_words(result);
    }
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
        Outcome::Failed(failure) => (Outcome::Failed(fit_failure(failure, limits)), None),
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
        let failed = Failure::from(cut);
        assert_eq!(fitted(Outcome::Failed("123456".into())), (Outcome::Failed(failed.clone()), false));
        assert_eq!(fit(End::Error("123456".into()), &limits), (End::Error(failed), None));
        assert_eq!(fit(End::Yielded, &limits), (End::Yielded, None));
    }

    #[test]
    fn causes_share_one_limit() {
        let limits = Limits::default().max_error_bytes(5);
        let failure = Failure::from("a").caused_by(["bc", "\u{1b}[31mdefg\u{1b}[m", "h"]);
        let (End::Error(fitted), None) = fit(End::Error(failure), &limits) else { panic!("it is no error") };
        assert_eq!(fitted, Failure::from("a").caused_by(["bc", "def… [cut: 4 bytes in all]"]));
    }

    #[test]
    fn result_for_people_is_plain() {
        let said = |result| match fit(End::Outcome(Outcome::Succeeded(result)), &Limits::default()) {
            (End::Outcome(Outcome::Succeeded(result)), None) => result,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(json!("\u{1b}[32mok\u{1b}[m\r\n")), "ok");
        let data = json!({ "message": "1%\r2%", "csv": "a\r\nb", "list": ["\u{1b}[1m"] });
        assert_eq!(said(data), json!({ "message": "2%", "csv": "a\r\nb", "list": ["\u{1b}[1m"] }));
    }
}
