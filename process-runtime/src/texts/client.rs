//! What of a language goes to the browser: the texts that a script names. Figures are its own matter there.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Texts;

impl Texts {
    /// The texts whose keys a script contains: complete, as in `"log.earlier"`, or as a prefix, as in `` `status.${…}`
    /// ``.
    pub(crate) fn client(&self, script: &str) -> Value {
        // Everything between two quotation marks, looked up for each key: each script is read once.
        let words: HashSet<&str> = script.split('"').collect();
        let groups: HashSet<&str> =
            script.split('`').filter_map(|text| text.split_once(".${").map(|(group, _)| group)).collect();
        let is_named = |key: &str| {
            words.contains(key) || key.rsplit_once('.').is_some_and(|(group, _)| groups.contains(group))
        };
        let mut named: Vec<_> = self.texts.iter().filter(|(key, _)| is_named(key)).collect();
        // The same texts are the same bytes.
        named.sort_by_key(|(key, _)| key.as_str());
        Value::Object(named.into_iter().map(|(key, text)| (key.clone(), text.json())).collect::<Map<_, _>>())
    }
}
