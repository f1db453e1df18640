//! Every value of every kind round-trips through JSON and through a form.

use std::fmt::Debug;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use process_runtime::{Field, Secret};
use process_tests::fields::Delivery;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{cases, given};

fn read<T: Field>(value: &Value) -> Result<T, TestCaseError> {
    let read = T::parse(value, &T::Options::default());
    read.map_err(|errors| TestCaseError::fail(format!("{value} is refused: {errors}")))
}

/// A value round-trips: in memory, and through the disk.
fn comes_back<T: Field + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    for written in [value.render(), value.reveal()] {
        let stored: Value = serde_json::from_str(&written.to_string()).unwrap();
        prop_assert_eq!(&read::<T>(&written)?, value);
        prop_assert_eq!(&read::<T>(&stored)?, value);
    }
    Ok(())
}

/// The form text of a single value round-trips, too.
fn comes_back_as_text<T: Field + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    comes_back(value)?;
    let text = match value.render() {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    prop_assert_eq!(&read::<T>(&json!(text))?, value);
    Ok(())
}

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {
        proptest! {
            #![proptest_config(cases(256))]
            $(#[test]
            fn $name(value: $type, list: Vec<Option<$type>>) {
                comes_back_as_text(&value)?;
                comes_back_as_text(&Some(value))?;
                comes_back(&list)?;
                comes_back(&list.into_iter().map(|entry| entry.into_iter().collect()).collect::<Vec<Vec<$type>>>())?;
            })*
        }
    };
}

integers!(
    u8_round_trips: u8, u16_round_trips: u16, u32_round_trips: u32, u64_round_trips: u64, u128_round_trips: u128,
    usize_round_trips: usize, i8_round_trips: i8, i16_round_trips: i16, i32_round_trips: i32, i64_round_trips: i64,
    i128_round_trips: i128, isize_round_trips: isize
);

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn f64_round_trips_exactly(value in given::floats()) {
        comes_back_as_text(&value)?;
        let again: f64 = read(&serde_json::from_str(&value.render().to_string()).unwrap())?;
        prop_assert_eq!(again.to_bits(), value.to_bits());
    }

    #[test]
    fn f32_round_trips_exactly(bits: u32) {
        let value = f32::from_bits(bits);
        prop_assume!(value.is_finite());
        comes_back_as_text(&value)?;
        let again: f32 = read(&serde_json::from_str(&value.render().to_string()).unwrap())?;
        prop_assert_eq!(again.to_bits(), bits);
    }

    #[test]
    fn text_char_and_bool_round_trip(text: String, sign: char, on: bool, maybe: Option<bool>) {
        comes_back_as_text(&text)?;
        comes_back_as_text(&sign)?;
        comes_back_as_text(&Some(sign))?;
        comes_back_as_text(&on)?;
        comes_back_as_text(&maybe)?;
        // The empty text of an optional value is `None`.
        let some = Some(text).filter(|text| !text.is_empty());
        comes_back_as_text(&some)?;
        comes_back(&vec![some, None])?;
    }

    #[test]
    fn checkbox_value_is_read(on: bool) {
        prop_assert_eq!(read::<bool>(&json!(if on { "on" } else { "off" }))?, on);
        prop_assert_eq!(read::<Option<bool>>(&json!(on.to_string()))?, Some(on));
    }

    #[test]
    fn dates_and_times_round_trip(date in given::dates(), time in given::times(), both in given::date_times(),
        moment in given::moments())
    {
        comes_back_as_text(&date)?;
        comes_back_as_text(&time)?;
        comes_back_as_text(&both)?;
        comes_back_as_text(&moment)?;
        comes_back(&vec![Some(date), None])?;
        comes_back(&Some(vec![moment]))?;
    }

    /// The inputs of HTML have no time zone, and leave out seconds that are zero.
    #[test]
    fn browser_date_formats_are_read(year in 0_i16..=9999, date in given::dates(), hour in 0_i8..24,
        minute in 0_i8..60)
    {
        let date = Date::new(year, date.month(), date.day().min(28)).unwrap();
        let time = Time::new(hour, minute, 0, 0).unwrap();
        let both = date.to_datetime(time);
        let short = format!("{date}T{hour:02}:{minute:02}");
        prop_assert_eq!(read::<Date>(&json!(date.to_string()))?, date);
        prop_assert_eq!(read::<Time>(&json!(format!("{hour:02}:{minute:02}")))?, time);
        prop_assert_eq!(read::<DateTime>(&json!(short))?, both);
        if let Ok(moment) = both.to_zoned(jiff::tz::TimeZone::UTC) {
            prop_assert_eq!(read::<Timestamp>(&json!(short))?, moment.timestamp());
        }
    }

    #[test]
    fn durations_round_trip(signed in given::signed_durations(), unsigned in given::durations()) {
        comes_back_as_text(&signed)?;
        comes_back_as_text(&unsigned)?;
        comes_back(&vec![Some(unsigned), None])?;
    }

    /// The form shows them as people write them.
    #[test]
    fn durations_from_form_round_trip(signed in given::signed_durations()) {
        prop_assert_eq!(read::<SignedDuration>(&json!(format!("{signed:#}")))?, signed);
    }

    #[test]
    fn ids_urls_and_choices_round_trip(id in given::uuids(), url in given::urls(), email in given::emails(),
        choice in given::deliveries())
    {
        comes_back_as_text(&id)?;
        comes_back_as_text(&url)?;
        comes_back_as_text(&email)?;
        comes_back_as_text(&choice)?;
        comes_back(&vec![Some(url), None])?;
        comes_back(&Some(vec![choice; 2]))?;
    }

    #[test]
    fn groups_round_trip(address in given::addresses(), lines in prop::collection::vec(given::lines(), 0..3)) {
        comes_back(&address)?;
        comes_back(&Some(address.clone()))?;
        comes_back(&vec![Some(address), None])?;
        comes_back(&lines)?;
    }

    #[test]
    fn revealed_secrets_round_trip(text: String, number: u64, choice in given::deliveries()) {
        prop_assume!(text != "••••••");
        fn same<T: Field + PartialEq + Clone + Debug>(value: &T) -> Result<(), TestCaseError> {
            let secret = Secret::new(value.clone());
            let again = read::<Secret<T>>(&secret.reveal())?;
            prop_assert_eq!(again.expose(), value);
            prop_assert_eq!(secret.render(), json!("••••••"));
            prop_assert!(read::<Secret<T>>(&secret.render()).is_err());
            Ok(())
        }
        same(&text)?;
        same(&number)?;
        same(&choice)?;
        same(&vec![number])?;
        prop_assert_eq!(Some(Secret::new(number)).reveal(), json!(number));
    }
}

#[test]
fn choice_renders_own_or_given_name() {
    let written = [Delivery::Door, Delivery::Shop, Delivery::Nothing].map(|choice| choice.render());
    assert_eq!(written, [json!("door"), json!("shop"), json!("none")]);
}
