//! Values that a JSON Schema accepts, made from nothing but the schema.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use jsonschema::Validator;
use process_tests::Chance;
use serde_json::{Map, Value, json};

use crate::texts;

/// A value for this schema: nearly always one that it accepts.
pub(crate) fn value(chance: &mut Chance, schema: &Value) -> Value {
    for key in ["oneOf", "anyOf"] {
        if let Some(schemas) = schema[key].as_array() {
            let Some(one) = chance.choose(schemas) else { return Value::Null };
            // Cases that state rules beside a type.
            return if schema["type"].is_string() {
                of_type(chance, schema, "object")
            } else {
                value(chance, one)
            };
        }
    }
    if let Some(one) = schema.get("const") {
        return one.clone();
    }
    if let Some(one) = schema["enum"].as_array().and_then(|values| chance.choose(values)) {
        return one.clone();
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = chance.choose(&kinds).copied().unwrap_or("null");
    of_type(chance, schema, kind)
}

fn of_type(chance: &mut Chance, schema: &Value, kind: &str) -> Value {
    match kind {
        "object" => object(chance, schema).into(),
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or(0);
            let length = chance.of(least, schema["maxItems"].as_u64().unwrap_or(least + 2));
            (0..length).map(|_| value(chance, &schema["items"])).collect()
        }
        "boolean" => chance.one_in(2).into(),
        "integer" => integer(chance, schema),
        "number" => number(chance, schema),
        "string" => text(chance, schema).into(),
        _ => Value::Null,
    }
}

fn object(chance: &mut Chance, schema: &Value) -> Map<String, Value> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut object = Map::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if required.contains(&name.as_str()) || chance.one_in(2) {
            object.insert(name.clone(), value(chance, property));
        }
    }
    object
}

fn integer(chance: &mut Chance, schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_i64().map(i128::from).or(schema[key].as_u64().map(i128::from));
    let (least, most) =
        (bound("minimum").unwrap_or(i64::MIN.into()), bound("maximum").unwrap_or(u64::MAX.into()));
    let near = i128::from(chance.of(0, 20)) - 10;
    let number = match chance.of(0, 4) {
        0 => least,
        1 => most,
        2 => near,
        _ => least + i128::from(chance.number()) % (most - least + 1),
    };
    let step = bound("multipleOf").unwrap_or(1);
    let number = (number.clamp(least, most) / step * step).clamp(least, most);
    let is_small = number.unsigned_abs() < 1 << 53;
    match (i64::try_from(number), u64::try_from(number)) {
        // The same number in other spellings of JSON.
        (Ok(number), _) if is_small && chance.one_in(6) => json!(number as f64),
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => Value::Null,
    }
}

fn number(chance: &mut Chance, schema: &Value) -> Value {
    let (least, most) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
    if let Some(step) = schema["multipleOf"].as_f64() {
        let (least, most) = (least.unwrap_or(-50.0 * step), most.unwrap_or(50.0 * step));
        let steps =
            (least / step).round() as i64 + chance.of(0, ((most - least) / step).round() as u64) as i64;
        // The shortest decimal number of so many steps.
        return format!("{:.6}", steps as f64 * step).parse::<f64>().unwrap().into();
    }
    let (low, high) = (least.unwrap_or(-1e9), most.unwrap_or(1e9));
    let part = chance.of(0, 1_000_000) as f64 / 1e6;
    let inside = (low + (high / 2.0 - low / 2.0) * 2.0 * part).clamp(low, high);
    match chance.of(0, 5) {
        0 => least.unwrap_or(-1e300).into(),
        1 => most.unwrap_or(1e300).into(),
        2 if low <= 0.0 && high >= 0.0 => (-0.0).into(),
        3 => (inside.round().clamp(low, high) as i64 as f64).clamp(low, high).into(),
        _ => inside.into(),
    }
}

fn text(chance: &mut Chance, schema: &Value) -> String {
    let least = schema["minLength"].as_u64().unwrap_or(0);
    let most = schema["maxLength"].as_u64().unwrap_or(least + 12);
    let patterns: Vec<&str> =
        [&schema["pattern"], &schema["allOf"][0]["pattern"]].into_iter().filter_map(Value::as_str).collect();
    let format = schema["format"].as_str().unwrap_or_default();
    let is_good = |text: &str| {
        let length = text.chars().count() as u64;
        let not = schema["not"]["const"].as_str();
        length >= least && length <= most && not != Some(text) && is_accepted(schema, text)
    };
    let mut made = String::new();
    // A text of one rule that meets the others, too.
    for attempt in 0..12 {
        made = match (texts::of_format(chance, format), patterns.get(attempt % patterns.len().max(1))) {
            (Some(text), Some(pattern)) => {
                if chance.one_in(2) {
                    text
                } else {
                    texts::matching(chance, pattern)
                }
            }
            (Some(text), None) => text,
            (None, Some(pattern)) => texts::matching(chance, pattern),
            (None, None) => {
                let length = chance.of(least, most.min(least + 300));
                texts::any(chance, length)
            }
        };
        if is_good(&made) {
            break;
        }
    }
    made
}

/// Asks a validator, which is built once for each schema.
fn is_accepted(schema: &Value, text: &str) -> bool {
    thread_local! {
        static BUILT: RefCell<HashMap<String, Rc<Validator>>> = RefCell::default();
    }
    let built = BUILT.with_borrow_mut(|built| {
        Rc::clone(built.entry(schema.to_string()).or_insert_with(|| Rc::new(crate::validator(schema))))
    });
    built.is_valid(&json!(text))
}
