//! Changes to inputs: mistakes that clients make, and values at the edge of a rule.

use process_tests::Chance;
use serde_json::{Value, json};

use crate::texts;

/// Texts in spellings that a form takes, or that some standard or parser takes.
const SPELLINGS: [&str; 62] = [
    "",
    " ",
    "\n",
    "0",
    "10",
    "on",
    "off",
    "true",
    "false",
    "null",
    "NaN",
    "inf",
    "1e3",
    "1.0",
    "+1",
    "007",
    "-0",
    "٣",
    "18446744073709551616",
    "2026-02-30",
    "20260101",
    "2026-11-21T14:30",
    "2026-11-21 14:30:00Z",
    "2026-11-21t14:30:00z",
    "2026-11-21T14:30:60Z",
    "2026-11-21T14:30:00+25:00",
    "9999-12-31T23:59:59Z",
    "-000001-01-01",
    "24:00",
    "14:30:60",
    "9:30",
    "17:45:30.500000001",
    "14:30:00.0000000001",
    "1h 30m",
    "PT1.5H",
    "P1D",
    "PT90M90S",
    "PT01H",
    "PT",
    "pt1h",
    "-PT0S",
    "PT1H30M0.5S",
    "urn:uuid:0198c0de-7e57-7000-8000-0123456789ab",
    "{0198c0de-7e57-7000-8000-0123456789ab}",
    "0198c0de7e57700080000123456789ab",
    "ada@localhost",
    "Ada <ada@example.org>",
    "\"a b\"@example.org",
    "ada@[127.0.0.1]",
    "jürgen@example.org",
    ".a@example.org",
    "example.org",
    "http:example.org",
    "http://exämple.org",
    "http://a b.de",
    "http://1.2.3.256",
    "http://a:70000",
    "//a/b",
    "http://example.org/[x]",
    "••••••",
    "runs/1/inputs/file",
    "YQ",
];

/// Changes the input at one place.
pub(crate) fn one(chance: &mut Chance, schema: &Value, input: &mut Value) {
    let mut places = Vec::new();
    all(input, String::new(), &mut places);
    let place = chance.choose(&places).unwrap().clone();
    let names: Vec<&String> =
        schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
    let (name, spelling) = (chance.choose(&names).copied().cloned(), any_value(chance));
    let value = input.pointer_mut(&place).unwrap();
    match value {
        Value::Object(object) => match chance.of(0, 3) {
            0 => {
                let keys: Vec<String> = object.keys().cloned().collect();
                if let Some(key) = chance.choose(&keys) {
                    object.shift_remove(key);
                }
            }
            1 => drop(object.insert("unknown".to_owned(), spelling)),
            2 if place.is_empty() => drop(name.and_then(|name| object.insert(name, spelling))),
            2 => *value = spelling,
            _ => {
                let values: Vec<Value> = object.values().cloned().collect();
                if !place.is_empty() {
                    *value = values.into();
                }
            }
        },
        Value::Array(entries) => match chance.of(0, 4) {
            0 => drop(entries.pop()),
            1 => entries.extend(entries.first().cloned()),
            2 => entries.push(spelling),
            3 => *value = entries.first().cloned().unwrap_or(spelling),
            _ => *value = spelling,
        },
        Value::String(text) if !chance.one_in(3) => *text = changed(chance, text),
        Value::Number(number) if !chance.one_in(3) => {
            let text = number.to_string();
            let number = number.as_f64().unwrap();
            let other = [
                json!(text),
                json!(number + 1.0),
                json!(number - 1.0),
                json!(number + 0.5),
                json!(number * 1.000_000_1),
                json!(-number),
                json!(number * 10.0),
                json!([number]),
                json!(format!(" {text}")),
            ];
            *value = chance.choose(&other).unwrap().clone();
        }
        _ => *value = spelling,
    }
}

/// The place of every value in an input.
fn all(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| all(value, format!("{place}/{name}"), places));
        }
        Value::Array(entries) => entries
            .iter()
            .enumerate()
            .for_each(|(index, value)| all(value, format!("{place}/{index}"), places)),
        _ => {}
    }
    places.push(place);
}

fn any_value(chance: &mut Chance) -> Value {
    let wide = 9_007_199_254_740_993_u64;
    let odd = [
        Value::Null,
        json!(true),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(1.0),
        json!(1e3),
        json!(2.5),
        json!(1e300),
        json!(wide),
        json!(wide as f64),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1 + 0.2),
        json!(256),
        json!([null]),
        json!({ "upload": 0 }),
        json!({ "name": "a.csv", "content": "YQ==" }),
        json!({ "name": "a.csv", "content": "YR==" }),
    ];
    if chance.one_in(2) {
        return chance.choose(&odd).unwrap().clone();
    }
    json!(chance.choose(&SPELLINGS).unwrap())
}

/// A text that is a little different.
fn changed(chance: &mut Chance, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = chance.of(0, characters.len() as u64) as usize;
    match chance.of(0, 9) {
        0 => return format!(" {text}"),
        1 => return format!("{text}\n"),
        2 => return format!("{text}\r\n"),
        3 => return text.to_uppercase(),
        4 => return text.repeat(2),
        5 => return (*chance.choose(&SPELLINGS).unwrap()).to_owned(),
        // Digits of another script.
        6 => return text.replace('1', "١").replace('0', "０"),
        7 => drop(characters.get(place).is_some().then(|| characters.remove(place))),
        _ => {
            let one = texts::any(chance, 1);
            characters.splice(place..place, one.chars());
        }
    }
    characters.into_iter().collect()
}
