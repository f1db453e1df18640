//! Numbers as form fields: exact at every size, from text and from JSON.

use serde_json::{Number, Value};

use super::{Field, FieldErrors, NumberOptions, Shape, among, choices_of, expected, within};
use crate::texts::Message;

/// JSON parsers read whole numbers up to this one exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The text of a whole number: `1000`, and from JSON also `1000.0` and `1e3`.
fn whole(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) if number.is_f64() => {
            let number = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT)?;
            // Unsigned types have no `-0`.
            Some(format!("{:.0}", number + 0.0))
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The error for a value that is not a whole number. A JSON number beyond 64 bits has already lost its last digits
/// here.
fn not_whole(wide: bool, value: &Value, beyond: impl Fn(bool) -> FieldErrors) -> FieldErrors {
    let is_whole = |text: &str| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    match value {
        Value::Number(number) if wide && number.as_f64().is_some_and(|number| number.abs() >= EXACT) => {
            Message::new("field.loses_digits").into()
        }
        other => match whole(other).filter(|text| is_whole(text)) {
            Some(text) => beyond(text.starts_with('-')),
            None => expected("expected.whole_number", other),
        },
    }
}

/// The error of a whole number that the type cannot hold: within its own bounds, and those of the type.
fn beyond<N: ToString>(is_below: bool, options: (Option<N>, Option<N>), own: (N, N)) -> FieldErrors {
    let message = |key| Message::new(key);
    match options {
        (Some(least), Some(most)) => {
            message("field.not_between").with("least", least.to_string()).with("most", most.to_string())
        }
        (least, _) if is_below => {
            message("field.too_small").with("least", least.unwrap_or(own.0).to_string())
        }
        (_, most) => message("field.too_large").with("most", most.unwrap_or(own.1).to_string()),
    }
    .into()
}

/// The error for a number that is not a multiple of the step.
fn not_in_steps<N: ToString>(step: N, from: N) -> FieldErrors {
    let message = Message::new("field.not_in_steps").with("step", step.to_string());
    message.with("from", from.to_string()).into()
}

macro_rules! integers {
    ($($type:ty, $wide:expr, $render:expr;)*) => {$(
        impl Field for $type {
            type Options = NumberOptions<Self>;

            fn shape(options: &Self::Options) -> Shape {
                let bound = |given: Option<Self>, own: Self| Some(given.unwrap_or(own).render());
                // Steps are counted from 0 where there is no minimum.
                let least = options.step.filter(|step| *step > 0).map_or(Self::MIN, |step| Self::MIN - Self::MIN % step);
                choices_of(options.choices.as_ref(), options.radio == Some(true)).unwrap_or(Shape::Number {
                    integer: true,
                    min: bound(options.min, least),
                    max: bound(options.max, Self::MAX),
                    step: options.step.as_ref().map(Field::render),
                })
            }

            fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
                let beyond = |is_below| beyond(is_below, (options.min, options.max), (Self::MIN, Self::MAX));
                let read = whole(value).and_then(|text| text.parse::<Self>().ok());
                let read = read.ok_or_else(|| not_whole($wide, value, beyond))?;
                within(&read, options.min.as_ref(), options.max.as_ref(), ToString::to_string)?;
                let from = options.min.unwrap_or_default();
                if let Some(step) = options.step.filter(|step| *step > 0) {
                    let fits = read.rem_euclid(step) == from.rem_euclid(step);
                    if !fits {
                        return Err(not_in_steps(step, from));
                    }
                }
                among(&read, options.choices.as_ref())?;
                Ok(read)
            }

            fn render(&self) -> Value {
                ($render)(*self)
            }
        }
    )*};
}

integers! {
    u8, false, Value::from;
    u16, false, Value::from;
    u32, false, Value::from;
    u64, true, Value::from;
    usize, true, Value::from;
    i8, false, Value::from;
    i16, false, Value::from;
    i32, false, Value::from;
    i64, true, Value::from;
    isize, true, Value::from;
    // JSON has no exact numbers of this size: values beyond 64 bits are stored as text.
    u128, true, |number: u128| u64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::from);
    i128, true, |number: i128| i64::try_from(number).map_or_else(|_| Value::from(number.to_string()), Value::from);
}

macro_rules! floats {
    ($($type:ty, $most:expr;)*) => {$(
        impl Field for $type {
            type Options = NumberOptions<Self>;

            fn shape(options: &Self::Options) -> Shape {
                let most: Option<Self> = $most;
                // Steps are counted from 0 where there is no minimum.
                let least = most.filter(|_| options.step.is_none()).map(|most| -most);
                choices_of(options.choices.as_ref(), options.radio == Some(true)).unwrap_or(Shape::Number {
                    integer: false,
                    min: options.min.or(least).as_ref().map(Field::render),
                    max: options.max.or(most).as_ref().map(Field::render),
                    step: options.step.as_ref().map(Field::render),
                })
            }

            fn parse(value: &Value, options: &Self::Options) -> Result<Self, FieldErrors> {
                let read: Option<Self> = match value {
                    Value::Number(number) => number.to_string().parse().ok(),
                    Value::String(text) => text.trim().parse().ok(),
                    _ => None,
                };
                // "inf" and "NaN" parse as floats, but are not useful in a form.
                let read = read.filter(|number| number.is_finite()).ok_or_else(|| expected("expected.number", value))?;
                within(&read, options.min.as_ref(), options.max.as_ref(), ToString::to_string)?;
                if let Some(step) = options.step.filter(|step| *step > 0.0) {
                    let from = options.min.unwrap_or(0.0);
                    let steps = (read - from) / step;
                    // 0.3 is three steps of 0.1, except for the last bit.
                    if (steps - steps.round()).abs() > Self::EPSILON * 16.0 * steps.abs().max(1.0) {
                        return Err(not_in_steps(step, from));
                    }
                }
                among(&read, options.choices.as_ref())?;
                Ok(read)
            }

            /// With the shortest digits that read back as the same number.
            fn render(&self) -> Value {
                let shortest = self.to_string().parse().ok().and_then(Number::from_f64);
                shortest.map_or(Value::Null, Value::Number)
            }
        }
    )*};
}

floats! {
    // JSON has numbers beyond it.
    f32, Some(f32::MAX);
    f64, None;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: Field<Options = NumberOptions<T>>>(value: &Value) -> Result<T, String> {
        T::parse(value, &NumberOptions::default()).map_err(|errors| errors.to_string())
    }

    #[test]
    fn form_and_json_numbers_agree() {
        assert_eq!(read::<f64>(&json!("2.5")), read::<f64>(&json!(2.5)));
        assert_eq!(read::<u8>(&json!(" 7 ")), Ok(7));
        assert_eq!(read::<i32>(&json!(1e3)), Ok(1000));
        assert_eq!(read::<i32>(&json!(-0.0)), Ok(0));
        assert_eq!(read::<u64>(&json!(-0.0)), Ok(0));
    }

    #[test]
    fn integers_above_2_53_are_exact() {
        let odd = 9_007_199_254_740_993_u64;
        assert_eq!(read::<u64>(&json!(odd)), Ok(odd));
        assert_eq!(read::<u64>(&serde_json::from_str("18446744073709551615").unwrap()), Ok(u64::MAX));
        assert_eq!(read::<u128>(&json!("340282366920938463463374607431768211455")), Ok(u128::MAX));
        assert_eq!(read::<u128>(&u128::MAX.render()), Ok(u128::MAX));
        assert_eq!(read::<i128>(&i128::MIN.render()), Ok(i128::MIN));
        // serde_json rounds this number while it parses.
        let rounded: Value = serde_json::from_str("18446744073709551617").unwrap();
        let error = "Send this number as a string: JSON numbers of this size lose digits";
        assert_eq!(read::<u64>(&rounded), Err(error.into()));
        assert_eq!(read::<u128>(&rounded), Err(error.into()));
        let error = "Must be 18446744073709551615 or less";
        assert_eq!(read::<u64>(&json!("18446744073709551617")), Err(error.into()));
    }

    #[test]
    fn invalid_number_error_explains_format() {
        assert_eq!(read::<u8>(&json!(300)), Err("Must be 255 or less".into()));
        assert_eq!(read::<u8>(&json!("-1")), Err("Must be 0 or more".into()));
        assert_eq!(read::<u8>(&json!("x")), Err("Enter a whole number, not \"x\"".into()));
        let some = NumberOptions { min: Some(1), max: Some(500), ..NumberOptions::default() };
        let error = u16::parse(&json!("99999999"), &some).unwrap_err();
        assert_eq!(error.to_string(), "Must be between 1 and 500");
        assert_eq!(read::<f64>(&json!("ten")), Err("Enter a number, not \"ten\"".into()));
        assert_eq!(read::<f64>(&json!("NaN")), Err("Enter a number, not \"NaN\"".into()));
        assert!(read::<i64>(&json!(1.5)).is_err());
        assert!(read::<i64>(&json!([1])).is_err());
    }

    #[test]
    fn bounds_and_steps_hold() {
        let even = NumberOptions { min: Some(-4), max: Some(10), step: Some(2), ..NumberOptions::default() };
        assert_eq!(i8::parse(&json!(6), &even), Ok(6));
        assert_eq!(i8::parse(&json!(5), &even), Err("Must be in steps of 2, starting at -4".into()));
        assert_eq!(i8::parse(&json!(12), &even), Err("Must be between -4 and 10".into()));
        let wide = NumberOptions { min: Some(i8::MIN), step: Some(5), ..NumberOptions::default() };
        assert_eq!(i8::parse(&json!(127), &wide), Ok(127));
        let tenth = NumberOptions { step: Some(0.1), max: Some(1.0), ..NumberOptions::default() };
        assert_eq!(f64::parse(&json!(0.3), &tenth), Ok(0.3));
        assert!(f64::parse(&json!(0.35), &tenth).is_err());
        assert_eq!(f64::parse(&json!(2), &tenth), Err("Must be 1 or less".into()));
        let few = NumberOptions { choices: Some(vec![10, 20]), ..NumberOptions::default() };
        assert_eq!(u16::parse(&json!("30"), &few), Err("Choose one of: 10, 20 (not 30)".into()));
    }

    #[test]
    fn floats_render_for_people() {
        assert_eq!(0.1_f32.render(), json!(0.1));
        assert_eq!(read::<f32>(&0.1_f32.render()), Ok(0.1));
    }
}
