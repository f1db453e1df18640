//! Dates, times, timestamps and durations as form fields, with the types of jiff and the standard library.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{CivilKind, CivilOptions, Field, FieldErrors, Shape, bounded, expected, short, within};
use crate::text::has_form;
use crate::texts::Message;

/// The error for a text that has the right form but is not valid, such as `2026-02-30`.
fn unreadable(value: &Value, likeness: impl Fn(&str) -> bool, what: &'static str) -> FieldErrors {
    match value {
        Value::String(text) if likeness(text.trim()) => {
            Message::new("field.not_there").with("value", short(text.trim())).into()
        }
        other => expected(what, other),
    }
}

/// True if the text has one of these forms; people also write a space between date and time.
fn arranged(text: &str, forms: &[&str]) -> bool {
    let text = text.replace(['t', ' '], "T");
    forms.iter().any(|form| has_form(&text, form))
}

fn has_date(text: &str) -> bool {
    text.trim_start_matches(['-', '+']).contains('-')
}

fn has_time(text: &str) -> bool {
    text.contains(':')
}

macro_rules! civil {
    ($($type:ty, $kind:ident, $what:expr, $likeness:expr, $read:expr;)*) => {$(
        impl Field for $type {
            type Options = CivilOptions<Self>;

            fn shape(options: &Self::Options) -> Shape {
                let text = |bound: &Option<Self>| bound.as_ref().map(ToString::to_string);
                Shape::Civil { kind: CivilKind::$kind, min: text(&options.min), max: text(&options.max) }
            }

            fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
                let read: fn(&str) -> Option<Self> = $read;
                let read = value.as_str().and_then(|text| read(text.trim()));
                let read = read.ok_or_else(|| unreadable(value, $likeness, $what))?;
                let keys = ["field.too_early", "field.too_late"];
                bounded(&read, options.min.as_ref(), options.max.as_ref(), ToString::to_string, keys)?;
                Ok(read)
            }

            fn render(&self) -> Value {
                Value::String(self.to_string())
            }
        }
    )*};
}

civil! {
    Date, Date, "expected.date",
        |text| arranged(text, &["0000-00-00"]),
        |text| text.parse().ok().filter(|_| !has_time(text));
    Time, Time, "expected.time",
        |text| arranged(text, &["00:00", "00:00:00"]),
        |text| text.parse().ok().filter(|_| has_time(text) && !has_date(text));
    DateTime, DateTime, "expected.datetime",
        |text| arranged(text, &["0000-00-00T00:00", "0000-00-00T00:00:00"]),
        |text| text.parse().ok().filter(|_| has_time(text));
    Timestamp, Timestamp, "expected.moment",
        |text| arranged(text, &["0000-00-00T00:00", "0000-00-00T00:00:00", "0000-00-00T00:00:00Z"]),
        moment;
}

/// A timestamp with an offset. Without one, as HTML inputs send it, the time is in UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let in_utc = || {
        let civil: DateTime = text.parse().ok().filter(|_| has_time(text))?;
        civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(in_utc)
}

fn length_shape<T: Field>(options: &CivilOptions<T>) -> Shape {
    let text = |bound: &Option<T>| bound.as_ref().and_then(|bound| Some(bound.render().as_str()?.to_owned()));
    let placeholder = options.placeholder.or(Some("1h 30m"));
    Shape::Duration { min: text(&options.min), max: text(&options.max), placeholder }
}

/// A duration as people write it: `1h 30m`.
fn friendly(length: &SignedDuration) -> String {
    format!("{length:#}")
}

impl Field for SignedDuration {
    type Options = CivilOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        length_shape(options)
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        let read: Option<Self> = value.as_str().and_then(|text| text.trim().parse().ok());
        let read = read.ok_or_else(|| expected("expected.length", value))?;
        within(&read, options.min.as_ref(), options.max.as_ref(), friendly)?;
        Ok(read)
    }

    fn render(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Field for Duration {
    type Options = CivilOptions<Self>;

    fn shape(options: &Self::Options) -> Shape {
        let min = options.min.or(Some(Self::ZERO));
        length_shape(&CivilOptions { min, ..options.clone() })
    }

    fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
        let signed = SignedDuration::parse(value, &CivilOptions::default())?;
        let negative = |_| FieldErrors::from(Message::new("field.negative"));
        let read = Self::try_from(signed).map_err(negative)?;
        let show =
            |length: &Self| SignedDuration::try_from(*length).as_ref().map_or("…".to_owned(), friendly);
        within(&read, options.min.as_ref(), options.max.as_ref(), show)?;
        Ok(read)
    }

    /// A duration beyond the maximum of 292 billion years is written as that maximum.
    fn render(&self) -> Value {
        SignedDuration::try_from(*self).unwrap_or(SignedDuration::MAX).render()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: Field<Options = CivilOptions<T>>>(text: &str) -> Result<String, String> {
        let read = T::parse(&json!(text), &CivilOptions::default());
        read.map(|value| value.render().as_str().unwrap_or_default().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn html_date_inputs_are_parsed() {
        assert_eq!(read::<Date>("2024-02-29"), Ok("2024-02-29".into()));
        assert_eq!(read::<Time>("14:30"), Ok("14:30:00".into()));
        assert_eq!(read::<DateTime>("2026-11-21T14:30"), Ok("2026-11-21T14:30:00".into()));
        assert_eq!(read::<Timestamp>("2026-11-21T14:30"), Ok("2026-11-21T14:30:00Z".into()));
        assert_eq!(read::<Timestamp>("2026-11-21T14:30:00+02:00"), Ok("2026-11-21T12:30:00Z".into()));
        assert_eq!(read::<SignedDuration>("1h 30m"), Ok("PT1H30M".into()));
        assert_eq!(read::<Duration>("PT0.5S"), Ok("PT0.5S".into()));
    }

    #[test]
    fn nonexistent_date_is_named() {
        assert_eq!(
            read::<Date>("2026-02-30"),
            Err("Enter a valid date or time: 2026-02-30 does not exist".into())
        );
        assert_eq!(read::<Time>("25:00"), Err("Enter a valid date or time: 25:00 does not exist".into()));
        let error = "Enter a valid date or time: 2026-13-01 10:00 does not exist";
        assert_eq!(read::<DateTime>("2026-13-01 10:00"), Err(error.into()));
        assert_eq!(read::<Duration>("-5m"), Err("Must not be negative".into()));
        let error = "Enter a date such as 2026-11-21, not \"tomorrow\"";
        assert_eq!(read::<Date>("tomorrow"), Err(error.into()));
    }

    #[test]
    fn excess_date_parts_are_refused() {
        assert!(read::<Date>("2026-11-21T14:30").is_err());
        assert!(read::<Time>("2026-11-21T14:30").is_err());
        assert!(read::<DateTime>("2026-11-21").is_err());
        assert!(read::<Duration>("90").is_err());
    }

    #[test]
    fn date_and_time_bounds_hold() {
        let options = CivilOptions { min: "2026-01-01".parse().ok(), ..CivilOptions::default() };
        let error = "Must be 2026-01-01 or later";
        assert_eq!(Date::parse(&json!("2025-12-31"), &options), Err(error.into()));
    }
}
