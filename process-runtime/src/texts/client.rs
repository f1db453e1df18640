//! Owns what of a language goes to the browser: the texts that a script names, and how figures are written.
//! Refuses to know what the script does with them.

use serde_json::{Map, Value};

use super::Texts;

/// What the client needs for figures, whether its script names it or not.
const ALWAYS: [&str; 6] =
    ["number.group", "number.decimal", "number.minus", "number.grouped_from", "percent", "direction"];

impl Texts {
    /// The texts that a script names: whole, as in `"log.earlier"`, or up to their last dot, as in
    /// `` `status.${…}` ``.
    #[cfg_attr(not(test), expect(dead_code, reason = "the script that asks for it comes with it"))]
    pub(crate) fn client(&self, script: &str) -> Value {
        let is_named = |key: &str| {
            let group = key.rsplit_once('.').map(|(group, _)| format!("`{group}.${{"));
            ALWAYS.contains(&key)
                || script.contains(&format!("\"{key}\""))
                || group.is_some_and(|group| script.contains(&group))
        };
        let mut named: Vec<_> = self.texts.iter().filter(|(key, _)| is_named(key)).collect();
        // The same texts are the same bytes.
        named.sort_by_key(|(key, _)| key.as_str());
        Value::Object(named.into_iter().map(|(key, text)| (key.clone(), text.json())).collect::<Map<_, _>>())
    }
}
