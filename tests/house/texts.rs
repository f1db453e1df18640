//! The catalogs: every text is used, and exists in every language with the same placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Map, Value};

use super::{root, sources};

/// Each language and the plural forms that CLDR has for its whole numbers.
const LANGUAGES: [(&str, &[&str]); 6] = [
    ("en", &["one", "other"]),
    ("es", &["many", "one", "other"]),
    ("de", &["one", "other"]),
    ("fr", &["many", "one", "other"]),
    ("zh", &["other"]),
    ("ar", &["few", "many", "one", "other", "two", "zero"]),
];

fn catalog(language: &str) -> Map<String, Value> {
    let path = root().join("process-runtime/texts").join(language).with_extension("json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// The plural forms of one text; "other" if it has none.
fn forms(text: &Value) -> BTreeMap<&str, &str> {
    match text {
        Value::String(text) => BTreeMap::from([("other", text.as_str())]),
        Value::Object(forms) => {
            forms.iter().map(|(form, text)| (form.as_str(), text.as_str().unwrap())).collect()
        }
        other => panic!("{other} is no text"),
    }
}

fn places(text: &str) -> BTreeSet<&str> {
    let names = text.split('{').skip(1).filter_map(|behind| behind.split_once('}')).map(|(name, _)| name);
    names.collect()
}

/// The sources of the server and the scripts, without tests and comments.
fn code() -> (String, String) {
    let mut server = String::new();
    for (path, text) in sources("process-runtime/src") {
        if !path.ends_with("tests.rs") {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines();
            server.extend(
                code.filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]),
            );
        }
    }
    let scripts = fs::read_dir(root().join("process-runtime/assets")).unwrap();
    let scripts = scripts.map(|entry| entry.unwrap().path());
    let scripts = scripts.filter(|path| path.extension().is_some_and(|extension| extension == "js"));
    (server, scripts.map(|path| fs::read_to_string(path).unwrap()).collect())
}

/// Quoted strings that look like keys.
fn quoted(code: &str) -> BTreeSet<&str> {
    let is_key = |text: &&str| {
        text.contains('.')
            && !text.starts_with('.')
            && !text.ends_with('.')
            && ![".js", ".css"].iter().any(|extension| text.ends_with(extension))
            && text.bytes().all(|byte| {
                byte == b'.' || byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit()
            })
    };
    code.split('"').filter(is_key).collect()
}

#[test]
fn used_text_keys_exist() {
    let english = catalog("en");
    let groups: BTreeSet<&str> = english.keys().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    let (server, scripts) = code();
    let named: Vec<&str> = quoted(&server).into_iter().chain(quoted(&scripts)).collect();
    assert!(named.len() > 200, "only {} were seen", named.len());
    for key in named {
        let group = key.split_once('.').unwrap().0;
        assert!(!groups.contains(group) || english.contains_key(key), "{key} is not in en.json");
    }
}

#[test]
fn every_text_key_is_used() {
    let (server, scripts) = code();
    for key in catalog("en").keys() {
        let is_quoted = [&server, &scripts].iter().any(|code| code.contains(&format!("\"{key}\"")));
        let is_made = key.rsplit_once('.').is_some_and(|(group, _)| {
            server.contains(&format!("\"{group}.{{")) || scripts.contains(&format!("`{group}.${{"))
        });
        assert!(is_quoted || is_made, "nothing says {key}");
    }
}

#[test]
fn languages_have_all_texts_and_plurals() {
    let english = catalog("en");
    for (language, plurals) in LANGUAGES {
        let texts = catalog(language);
        let keys: Vec<&String> = texts.keys().collect();
        assert_eq!(keys, english.keys().collect::<Vec<_>>(), "{language}");
        for (key, original) in &english {
            let (text, original) = (forms(&texts[key]), forms(original));
            if texts[key].is_object() || english[key].is_object() {
                assert_eq!(text.keys().copied().collect::<Vec<_>>(), plurals, "{language}: {key}");
            }
            for (form, said) in text {
                // The forms for one and two may be words: "a line".
                let is_word = matches!(form, "zero" | "one" | "two") && places(said).is_empty();
                assert!(is_word || places(said) == places(original["other"]), "{language}: {key}: {said}");
                assert!(
                    !said.is_empty() && said.trim() == said || key == "number.group",
                    "{language}: {key}"
                );
            }
        }
    }
}
