//! The rules for values in JSON: those that the JSON Schema of a process states, and no others. Forms have only texts, so
//! the fields themselves also read `10` from a text, `on` as yes, and dates, durations and addresses in other spellings.

use serde_json::{Map, Value};

use super::decimal::is_multiple;
use super::secret::MARK;
use super::upload::accepted;
use super::{
    Choice, CivilKind, FieldErrors, FieldInfo, Shape, TextFormat, TextRules, expected, none_of, plain,
};
use crate::text::has_form;
use crate::texts::Message;

mod address;

pub(crate) use address::{EMAIL, LONG_LOCAL_PART, MAX_EMAIL, URL};

/// Beyond this number, JSON parsers round whole numbers.
const EXACT: u64 = 1 << 53;
/// The most digits of each number in a duration.
pub(crate) const DURATION_DIGITS: u32 = 12;

/// An error for each value that does not conform to the schema of its field, although the field can read it.
pub(crate) fn check(fields: &[FieldInfo], values: &Map<String, Value>) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for field in fields {
        match values.get(field.name) {
            None => {}
            Some(Value::Null) if field.is_optional() => {}
            Some(value) => {
                if let Err(wrong) = one(&field.shape, value) {
                    errors.extend_within(field.name, wrong);
                }
            }
        }
    }
    errors
}

fn one(shape: &Shape, value: &Value) -> Result<(), FieldErrors> {
    let is = |fits: bool, what: &'static str| if fits { Ok(()) } else { Err(expected(what, value)) };
    match shape {
        Shape::Text(rules) => text(rules, value),
        Shape::Duration { min, .. } => {
            let may_be_negative = min.as_ref().is_none_or(|min| min.starts_with('-'));
            let fits = value.as_str().is_some_and(|text| is_duration(text, may_be_negative));
            is(fits, "expected.iso_length")
        }
        Shape::Secret { rules, value: kind } => {
            let checked = text_rules(rules, value).and_then(|()| one(kind, value));
            match checked {
                Ok(()) if value != MARK => Ok(()),
                _ => Err(Message::new("field.secret_refused").into()),
            }
        }
        Shape::Number { integer, min, max, step } => {
            let rules = [min.as_ref(), max.as_ref(), step.as_ref()];
            let what = if *integer { "expected.whole_number" } else { "expected.number" };
            is(is_number(*integer, rules, value), what)
        }
        Shape::Checkbox => is(value.is_boolean(), "expected.yes_or_no"),
        Shape::Civil { kind, .. } => {
            let what = match kind {
                CivilKind::Date => "expected.date",
                CivilKind::Time => "expected.time",
                CivilKind::DateTime => "expected.datetime",
                CivilKind::Timestamp => "expected.moment",
            };
            is(value.as_str().is_some_and(|text| is_civil(*kind, text)), what)
        }
        Shape::Choice { choices, .. } => choice(choices, value),
        Shape::Upload { accept, .. } => upload(*accept, value),
        Shape::List { item, nullable, .. } => {
            let Value::Array(entries) = value else { return Err(expected("expected.list", value)) };
            let mut errors = FieldErrors::default();
            for (index, entry) in
                entries.iter().enumerate().filter(|(_, entry)| !(*nullable && entry.is_null()))
            {
                if let Err(wrong) = one(item, entry) {
                    errors.extend_within(index, wrong);
                }
            }
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        }
        Shape::Group(fields) => {
            let names = || fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
            let Value::Object(values) = value else {
                return Err(expected(Message::new("expected.object").with("fields", names()), value));
            };
            let errors = check(fields, values);
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        }
    }
}

fn text(rules: &TextRules, value: &Value) -> Result<(), FieldErrors> {
    let (what, fits): (_, fn(&str) -> bool) = match rules.format {
        TextFormat::Plain => ("expected.text", |_| true),
        TextFormat::Character => ("expected.character", |text| !text.is_empty()),
        TextFormat::Email => ("expected.email", address::is_email),
        TextFormat::Url => ("expected.url", address::is_url),
        TextFormat::Uuid => {
            ("expected.uuid", |text| has_form(&hexadecimal(text), "00000000-0000-0000-0000-000000000000"))
        }
    };
    if !value.as_str().is_some_and(fits) {
        return Err(expected(what, value));
    }
    text_rules(rules, value)
}

/// An empty text counts as missing where it is no error, so nothing has checked its rules.
fn text_rules(rules: &TextRules, value: &Value) -> Result<(), FieldErrors> {
    if value == "" { rules.check("") } else { Ok(()) }
}

/// The text with `0` for each hexadecimal digit.
fn hexadecimal(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect()
}

/// True if JSON takes a number with these rules as a text, too: JavaScript cannot write those beyond 2^53. A text with steps
/// has no JSON Schema.
pub(crate) fn takes_text(integer: bool, [min, max, step]: [Option<&Value>; 3]) -> bool {
    let beyond = |bound: Option<&Value>| {
        bound.is_some_and(|bound| bound.as_f64().is_none_or(|bound| bound.abs() > EXACT as f64))
    };
    integer && step.is_none() && (beyond(min) || beyond(max))
}

fn is_number(integer: bool, rules: [Option<&Value>; 3], value: &Value) -> bool {
    let number = match value {
        Value::Number(number) => number,
        Value::String(text) => return takes_text(integer, rules) && is_canonical(text),
        _ => return false,
    };
    // The fields themselves check whole numbers exactly.
    if integer {
        return true;
    }
    let [min, max, step] = rules;
    let bound = |bound: Option<&Value>| bound.and_then(Value::as_f64);
    let is_within = number.as_f64().is_some_and(|number| {
        bound(min).is_none_or(|min| number >= min) && bound(max).is_none_or(|max| number <= max)
    });
    is_within && multiple_of(min, step).is_none_or(|step| is_multiple(number, step))
}

/// The step of numbers that are multiples of it. Those that are not, because the first of them is not, have no JSON
/// Schema.
pub(crate) fn multiple_of<'a>(
    min: Option<&Value>,
    step: Option<&'a Value>,
) -> Option<&'a serde_json::Number> {
    let Some(Value::Number(step)) = step else { return None };
    match min {
        None => Some(step),
        Some(Value::Number(min)) if is_multiple(min, step) => Some(step),
        Some(_) => None,
    }
    .filter(|step| step.as_f64().is_some_and(|step| step > 0.0))
}

/// True for a whole number without a plus and leading zeros.
fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && (text == "0" || !digits.starts_with('0'))
}

/// Checks the form only: the fields themselves know which days and times exist.
fn is_civil(kind: CivilKind, text: &str) -> bool {
    let after_date = |text: &str| {
        let (date, time) = text.split_at_checked(11)?;
        has_form(date, "0000-00-00T").then(|| time.to_owned())
    };
    match kind {
        CivilKind::Date => has_form(text, "0000-00-00"),
        CivilKind::Time => is_time(text),
        CivilKind::DateTime => after_date(text).is_some_and(|time| is_time(&time)),
        CivilKind::Timestamp => {
            // The last days of 9999 are beyond the type in some time zones.
            let time = after_date(text).filter(|_| !text.starts_with("9999-12-3"));
            time.is_some_and(|time| {
                let offset = time.find(['Z', '+', '-']).map(|index| time.split_at(index));
                offset.is_some_and(|(time, offset)| time.len() >= 8 && is_time(time) && is_offset(offset))
            })
        }
    }
}

/// With seconds or without, and up to nine decimal places.
fn is_time(text: &str) -> bool {
    let (time, places) = text.split_once('.').map_or((text, None), |(time, places)| (time, Some(places)));
    match places {
        None if time.len() == 5 => has_form(time, "00:00"),
        // A leap second is not a time of its own.
        _ if !has_form(time, "00:00:00") || time.ends_with("60") => false,
        None => true,
        Some(places) => has_places(places),
    }
}

fn has_places(places: &str) -> bool {
    (1..=9).contains(&places.len()) && places.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_offset(text: &str) -> bool {
    let at_most = |text: Option<&str>, most: u8| {
        text.and_then(|text| text.parse::<u8>().ok()).is_some_and(|number| number <= most)
    };
    text == "Z"
        || ((has_form(text, "+00:00") || has_form(text, "-00:00"))
            && at_most(text.get(1..3), 23)
            && at_most(text.get(4..6), 59))
}

/// ISO 8601 with hours, minutes and seconds, where only the first number may be 60 or more.
fn is_duration(text: &str, may_be_negative: bool) -> bool {
    let text = if may_be_negative { text.strip_prefix('-').unwrap_or(text) } else { text };
    let Some(mut rest) = text.strip_prefix("PT").filter(|rest| !rest.is_empty()) else { return false };
    let mut is_first = true;
    for unit in ['H', 'M', 'S'] {
        let Some((number, later)) = rest.split_once(unit) else { continue };
        let (whole, places) =
            number.split_once('.').map_or((number, None), |(whole, places)| (whole, Some(places)));
        let is_small = whole.parse::<u64>().is_ok_and(|whole| is_first || whole < 60);
        let fits = is_canonical(whole) && !whole.starts_with('-') && whole.len() <= DURATION_DIGITS as usize;
        if !(fits && is_small && places.is_none_or(|places| unit == 'S' && has_places(places))) {
            return false;
        }
        (rest, is_first) = (later, false);
    }
    rest.is_empty()
}

fn choice(choices: &[Choice], value: &Value) -> Result<(), FieldErrors> {
    let same = |choice: &Choice| match (&choice.value, value) {
        (Value::Number(choice), Value::Number(value)) => {
            choice == value || (value.is_f64() && choice.as_f64() == value.as_f64())
        }
        (choice, value) => choice == value,
    };
    if choices.iter().any(same) {
        return Ok(());
    }
    let offered: Vec<String> = choices.iter().map(|choice| plain(&choice.value)).collect();
    match value {
        Value::String(text) => Err(none_of(text, &offered.join(", "))),
        other => Err(expected(Message::new("expected.one_of").with("offered", offered.join(", ")), other)),
    }
}

/// A file with its content, or the address of one of an earlier run.
fn upload(accept: Option<&str>, value: &Value) -> Result<(), FieldErrors> {
    let file = match value {
        Value::String(text) if !text.is_empty() => return Ok(()),
        Value::Object(file) => file,
        _ => return Err(Message::new("field.no_content").into()),
    };
    // Whatever else is sent with a file has no meaning.
    let is_text = |key: &&str| file.get(*key).is_none_or(Value::is_string);
    let text = |key: &str| file.get(key).and_then(Value::as_str);
    let name = text("name").unwrap_or("file");
    if !["name", "type"].iter().all(is_text)
        || text("content").is_none()
        || name.chars().count() > MAX_FILE_NAME
    {
        return Err(Message::new("field.no_content").into());
    }
    match accept {
        Some(accept) if !accepted(accept).any(|one| one.fits(name, text("type"))) => {
            let message = Message::new("field.file_refused").with("accept", accept);
            Err(message.with("name", format!("{name:?}")).into())
        }
        _ => Ok(()),
    }
}

/// The most characters of the name of a file.
pub(crate) const MAX_FILE_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_balanced_or_in_one_unit() {
        for text in ["PT0S", "PT90S", "PT90M", "PT1H30M", "PT1H5S", "PT1M0.5S", "PT100H59M59.999999999S"] {
            assert!(is_duration(text, false) && is_duration(&format!("-{text}"), true), "{text}");
        }
        for text in [
            "PT", "P1D", "PT1H60M", "PT90M60S", "PT01H", "PT1.5H", "PT1.S", "PT1S1M", "1h", "PT1h", "PT1H ",
            "-PT1S",
        ] {
            assert!(!is_duration(text, false), "{text}");
        }
    }

    #[test]
    fn moments_have_an_offset() {
        for text in ["2026-11-21T14:30:00Z", "2026-11-21T14:30:00.5+02:00", "0000-01-01T00:00:00-00:00"] {
            assert!(is_civil(CivilKind::Timestamp, text), "{text}");
        }
        for text in
            ["2026-11-21T14:30:00", "2026-11-21T14:30Z", "2026-11-21 14:30:00Z", "2026-11-21T23:59:60Z", "ä"]
        {
            assert!(!is_civil(CivilKind::Timestamp, text), "{text}");
        }
    }
}
