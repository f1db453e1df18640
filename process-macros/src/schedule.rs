//! The key `schedule` of `#[process(…)]`: a cron expression, and the errors for an invalid one.

use croner::parser::{CronParser, Year};
use syn::LitStr;

use crate::errors::Errors;

/// What each field holds. A sixth one in front of them holds seconds.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0 to 59"),
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, or L for the last"),
    ("month", "1 to 12, or JAN to DEC"),
    ("day of the week", "0 to 7, or SUN to SAT"),
];
const EXAMPLE: &str = "write `schedule = \"0 3 * * *\"`, which is every day at 03:00 UTC";

/// Reports an invalid schedule.
pub(crate) fn check(text: &LitStr, errors: &mut Errors) {
    let schedule = text.value();
    if is_schedule(&schedule) {
        return;
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let named = FIELDS.iter().skip(FIELDS.len().saturating_sub(fields.len()));
    let message = match fields.len() {
        5 | 6 => fields.iter().zip(named).find(|(field, named)| !fits(field, named.0)).map_or_else(
            || format!("this is not a schedule: {EXAMPLE}"),
            |(field, (name, range))| format!("`{field}` is not a valid {name} ({range}): {EXAMPLE}"),
        ),
        _ => format!(
            "a schedule has five fields (minute, hour, day of the month, month, day of the week): {EXAMPLE}"
        ),
    };
    errors.push(text, message);
}

fn is_schedule(text: &str) -> bool {
    // As the runtime reads it.
    CronParser::builder().year(Year::Disallowed).build().parse(text).is_ok()
}

/// True if the field is valid at this position of a schedule.
fn fits(field: &str, name: &str) -> bool {
    let all = FIELDS.map(|(known, _)| if known == name { field } else { "*" });
    is_schedule(&all.join(" "))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn said(schedule: &str) -> Option<String> {
        let mut errors = Errors::of_no_process();
        check(&LitStr::new(schedule, Span::call_site()), &mut errors);
        let is_good = errors.is_empty();
        (!is_good).then(|| errors.into_tokens().to_string())
    }

    #[test]
    fn cron_fields_and_nicknames_parse() {
        for schedule in ["0 3 * * *", "*/15 8-17 * * MON-FRI", "0 0 L * *", "*/2 * * * * *", "@daily"] {
            assert_eq!(said(schedule), None, "{schedule}");
        }
    }

    #[test]
    fn invalid_cron_field_is_named() {
        let wrong = [
            ("0 24 * * *", "`24` is not a valid hour"),
            ("60 3 * * *", "`60` is not a valid minute"),
            ("0 3 0 * *", "`0` is not a valid day of the month"),
            ("0 3 * 13 *", "`13` is not a valid month"),
            ("0 3 * * 8", "`8` is not a valid day of the week"),
            ("61 0 3 * * *", "`61` is not a valid second"),
            ("0 three * * *", "`three` is not a valid hour"),
            ("at three", "five fields"),
            ("", "five fields"),
            ("@nightly", "five fields"),
            ("0 3 * * * * 2030", "five fields"),
        ];
        for (schedule, part) in wrong {
            let said = said(schedule).unwrap_or_default();
            assert!(said.contains(part) && said.contains("0 3 * * *"), "{schedule}: {said}");
        }
    }
}
