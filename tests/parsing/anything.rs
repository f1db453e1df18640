//! Any JSON is a valid value or a clear error, for every kind of field; a valid value round-trips.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use process_runtime::{Field, Secret, Upload, field::Email};
use process_tests::fields::{Address, Delivery, Document, Line, Login};
use proptest::prelude::*;
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::{cases, given};

fn holds<T: Field>(value: &Value) -> Result<(), TestCaseError> {
    let options = T::Options::default();
    match T::parse(value, &options) {
        Ok(read) => {
            let again = T::parse(&read.reveal(), &options);
            let again = again.map_err(|errors| TestCaseError::fail(format!("{value}: {errors}")))?;
            prop_assert_eq!(again.reveal(), read.reveal());
            prop_assert_eq!(again.render(), read.render());
        }
        Err(errors) => {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.message.is_empty()));
        }
    }
    Ok(())
}

macro_rules! every {
    ($value:expr; $($type:ty),*) => {
        $(
            holds::<$type>($value)?;
            holds::<Option<$type>>($value)?;
            holds::<Vec<$type>>($value)?;
            holds::<Vec<Option<$type>>>($value)?;
        )*
    };
}

fn every(value: &Value) -> Result<(), TestCaseError> {
    every!(value; u8, u64, u128, i8, i64, i128, usize, f32, f64, String, char, bool);
    every!(value; Date, Time, DateTime, Timestamp, SignedDuration, Duration);
    every!(value; Uuid, Url, Email, Delivery, Address, Line, Document, Login, Upload);
    every!(value; Secret<String>, Secret<u64>, Secret<Vec<Line>>);
    Ok(())
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn any_json_is_value_or_error(value in given::jsons()) {
        every(&value)?;
    }

    #[test]
    fn any_text_is_value_or_error(text in given::texts()) {
        every(&Value::from(text))?;
    }
}
