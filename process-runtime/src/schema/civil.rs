//! JSON Schema of dates, times and durations. Their bounds are patterns, since JSON Schema has bounds for numbers only.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::range::{Lacking, NOTHING, Part, any_of, between};
use crate::field::CivilKind;
use crate::field::json::DURATION_DIGITS;

const DATE: [Part; 3] =
    [Part::number(4, 0, 9999, "-"), Part::number(2, 1, 12, "-"), Part::number(2, 1, 31, "")];
const SECOND: Part = Part { before: ":", lacking: Lacking::WithTheRest, ..Part::number(2, 0, 59, "") };
const TIME: [Part; 4] = [Part::number(2, 0, 23, ":"), Part::number(2, 0, 59, ""), SECOND, Part::FRACTION];
/// The last days are beyond the type in some time zones.
const LAST_DAY: [u64; 3] = [9999, 12, 29];

/// The days that exist.
const DAYS: &str = "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)\
    |02-(?:0[1-9]|1[0-9]|2[0-8]))|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)";

pub(super) fn schema(kind: CivilKind, min: Option<&str>, max: Option<&str>) -> Value {
    let is_bounded = min.is_some() || max.is_some();
    match kind {
        CivilKind::Date => {
            let read = |bound: Option<&str>| bound.and_then(|bound| bound.parse().ok()).map(of_date);
            let mut schema = json!({ "type": "string", "format": "date" });
            if is_bounded {
                schema["pattern"] = pattern(&DATE, read(min), read(max)).into();
            }
            schema
        }
        // The standard formats require a time zone; these values have none.
        CivilKind::Time => {
            let read = |bound: Option<&str>| bound.and_then(|bound| bound.parse().ok()).map(of_time);
            json!({ "type": "string", "pattern": pattern(&TIME, read(min), read(max)) })
        }
        CivilKind::DateTime => {
            let read = |bound: Option<&str>| {
                let bound: DateTime = bound?.parse().ok()?;
                Some([of_date(bound.date()), of_time(bound.time())].concat())
            };
            let [year, month, day] = DATE;
            let parts = [&[year, month, Part { after: "T", ..day }][..], &TIME].concat();
            let time = between(&TIME, None, None).unwrap_or_default();
            let mut schema = json!({ "type": "string", "pattern": format!("^{DAYS}T{time}$") });
            if is_bounded {
                schema["allOf"] = json!([{ "pattern": pattern(&parts, read(min), read(max)) }]);
            }
            schema
        }
        CivilKind::Timestamp => {
            let date = between(&DATE, None, Some(&LAST_DAY)).unwrap_or_default();
            let [hour, minute, second, fraction] = TIME;
            let time = [hour, minute, Part { lacking: Lacking::Never, ..second }, fraction];
            let time = between(&time, None, None).unwrap_or_default();
            let offset = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])";
            let pattern = format!("^{date}T{time}{offset}$");
            let mut schema = json!({ "type": "string", "format": "date-time", "pattern": pattern });
            for (key, bound) in [("formatMinimum", min), ("formatMaximum", max)] {
                if let Some(bound) = bound.and_then(|bound| bound.parse::<Timestamp>().ok()) {
                    schema[key] = json!(bound.to_string());
                    // No pattern can compare times of different time zones.
                    schema["$comment"] = json!("formatMinimum and formatMaximum are those of Ajv.");
                }
            }
            schema
        }
    }
}

fn pattern<B: AsRef<[u64]>>(parts: &[Part], min: Option<B>, max: Option<B>) -> String {
    let bounds = [&min, &max].map(|bound| bound.as_ref().map(AsRef::as_ref));
    format!("^{}$", between(parts, bounds[0], bounds[1]).unwrap_or_else(|| NOTHING.to_owned()))
}

/// A year before 0 is not in JSON.
fn of_date(date: Date) -> Vec<u64> {
    match u64::try_from(date.year()) {
        Ok(year) => vec![year, date.month().unsigned_abs().into(), date.day().unsigned_abs().into()],
        Err(_) => vec![0, 0, 0],
    }
}

fn of_time(time: Time) -> Vec<u64> {
    let parts = [time.hour(), time.minute(), time.second()].map(|part| u64::from(part.unsigned_abs()));
    [&parts[..], &[u64::from(time.subsec_nanosecond().unsigned_abs())]].concat()
}

/// ISO 8601 with hours, minutes and seconds, in which only the first number may be 60 or more.
pub(super) fn duration(min: Option<&str>, max: Option<&str>) -> Value {
    let [min, max] = [min, max].map(|bound| bound.and_then(|bound| bound.parse::<SignedDuration>().ok()));
    let zero = SignedDuration::ZERO;
    let mut cases = Vec::new();
    if max.is_none_or(|max| max >= zero) {
        cases.extend(lengths(min.filter(|min| *min > zero), max).map(|lengths| format!("PT{lengths}")));
    }
    if min.is_none_or(|min| min < zero) {
        let least = max.filter(|max| *max < zero).map(length);
        cases.extend(lengths(least, min.map(length)).map(|lengths| format!("-PT{lengths}")));
    }
    let pattern = if cases.is_empty() { NOTHING.to_owned() } else { any_of(cases) };
    let description = "A duration in ISO 8601: balanced, such as PT1H30M, or in one unit, such as PT90S.";
    json!({ "type": "string", "pattern": format!("^{pattern}$"), "description": description })
}

/// The length of a duration that is negative.
fn length(duration: SignedDuration) -> SignedDuration {
    duration.checked_neg().unwrap_or(SignedDuration::MAX)
}

/// Matches what follows `PT` in durations that are not negative.
fn lengths(min: Option<SignedDuration>, max: Option<SignedDuration>) -> Option<String> {
    let most = 10_u64.pow(DURATION_DIGITS) - 1;
    let first = |unit| Part::number(0, 0, most, unit);
    let minutes = Part { lacking: Lacking::Alone, ..Part::number(0, 0, 59, "M") };
    let seconds = Part { end: "S", lacking: Lacking::WithTheRest, ..Part::number(0, 0, 59, "") };
    let only_seconds = Part { end: "S", ..first("") };
    let split = |length: SignedDuration, sizes: &[u64]| {
        let (seconds, fraction) = (length.as_secs().unsigned_abs(), length.subsec_nanos().unsigned_abs());
        let mut left = seconds;
        let mut parts: Vec<u64> = sizes
            .iter()
            .map(|size| {
                let part = left / size;
                left %= size;
                part
            })
            .collect();
        parts.push(fraction.into());
        parts
    };
    let forms: [(&[Part], &[u64]); 3] = [
        (&[first("H"), minutes, seconds, Part::FRACTION], &[3600, 60, 1]),
        (&[first("M"), seconds, Part::FRACTION], &[60, 1]),
        (&[only_seconds, Part::FRACTION], &[1]),
    ];
    let forms = forms.into_iter().filter_map(|(parts, sizes)| {
        let bounds = [min, max].map(|bound| bound.map(|bound| split(bound, sizes)));
        between(parts, bounds[0].as_deref(), bounds[1].as_deref())
    });
    let forms: Vec<_> = forms.collect();
    (!forms.is_empty()).then(|| any_of(forms))
}
