//! JSON Schema of numbers.

use serde_json::{Map, Number, Value, json};

use super::range::integers;
use crate::field::json::{multiple_of, takes_text};

/// How many numbers a list of them has at most.
const MOST: usize = 100;

pub(super) fn schema(integer: bool, rules: [Option<&Value>; 3]) -> Map<String, Value> {
    let [min, max, step] = rules;
    let kind = if integer { "integer" } else { "number" };
    let mut schema = Map::new();
    let mut set = |key: &str, value: Value| drop(schema.insert(key.to_owned(), value));
    set("type", json!(kind));
    if takes_text(integer, rules) {
        set("type", json!([kind, "string"]));
        set("pattern", json!(format!("^{}$", integers(&text(min, "0"), &text(max, "0")))));
        set(
            "$comment",
            json!(
                "JSON parsers round numbers beyond 2^53. Send those as strings, or without a fraction and an exponent."
            ),
        );
    }
    // Numbers beyond 64 bits are texts.
    let own = [min.map(|_| Number::from(i64::MIN)), max.map(|_| Number::from(u64::MAX))];
    for (key, (bound, own)) in [("minimum", (min, &own[0])), ("maximum", (max, &own[1]))] {
        match (bound, own) {
            (Some(Value::Number(bound)), _) => set(key, json!(bound)),
            (Some(_), Some(own)) if integer => set(key, json!(own)),
            _ => {}
        }
    }
    if let Some(step) = step.filter(|step| step.as_f64().is_some_and(|step| step > 0.0)) {
        match (multiple_of(min, Some(step)), listed(integer, min, max, step)) {
            (Some(step), _) => set("multipleOf", json!(step)),
            (None, Some(numbers)) => set("enum", json!(numbers)),
            (None, None) => {
                set("$comment", json!(format!("In steps of {step}, starting at {}.", text(min, "0"))));
            }
        }
    }
    schema
}

fn text(bound: Option<&Value>, otherwise: &str) -> String {
    match bound {
        Some(Value::String(bound)) => bound.clone(),
        Some(bound) => bound.to_string(),
        None => otherwise.to_owned(),
    }
}

/// The whole numbers in these steps, if there are few.
fn listed(integer: bool, min: Option<&Value>, max: Option<&Value>, step: &Value) -> Option<Vec<i128>> {
    let whole = |value: &Value| text(Some(value), "").parse::<i128>().ok();
    let (min, max, step) = (whole(min?)?, whole(max?)?, whole(step)?);
    let count = usize::try_from(max.checked_sub(min)? / step).ok()?;
    let numbers = (0..).map(|index| min + index * step).take_while(|number| *number <= max);
    (integer && count < MOST).then(|| numbers.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_multiples_a_list_or_a_comment() {
        let of = |integer, min: Value, max: Value, step: Value| {
            Value::Object(schema(integer, [Some(&min), Some(&max), Some(&step)]))
        };
        assert_eq!(of(true, json!(-4), json!(10), json!(2))["multipleOf"], 2);
        assert_eq!(of(false, json!(-1.0), json!(1.0), json!(0.1))["multipleOf"], 0.1);
        assert_eq!(of(true, json!(1), json!(8), json!(3))["enum"], json!([1, 4, 7]));
        let odd = of(true, json!(1), json!(u32::MAX), json!(2));
        assert_eq!(
            (&odd["multipleOf"], &odd["$comment"]),
            (&Value::Null, &json!("In steps of 2, starting at 1."))
        );
    }

    #[test]
    fn wide_numbers_are_texts_too() {
        let max = json!(u128::MAX.to_string());
        let wide = Value::Object(schema(true, [Some(&json!(0)), Some(&max), None]));
        assert_eq!(wide["type"], json!(["integer", "string"]));
        assert_eq!((&wide["minimum"], &wide["maximum"]), (&json!(0), &json!(u64::MAX)));
        let small = Value::Object(schema(true, [Some(&json!(1)), Some(&json!(500)), None]));
        assert_eq!(small, json!({ "type": "integer", "minimum": 1, "maximum": 500 }));
    }
}
