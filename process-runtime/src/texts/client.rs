//! Owns what of a language goes to the browser: the texts that a script names. Figures are its own matter there.
//! Refuses to know what the script does with them.

use serde_json::{Map, Value};

use super::Texts;

impl Texts {
    /// The texts that a script names: whole, as in `"log.earlier"`, or up to their last dot, as in
    /// `` `status.${…}` ``.
    pub(crate) fn client(&self, script: &str) -> Value {
        let is_named = |key: &str| {
            let group = key.rsplit_once('.').map(|(group, _)| format!("`{group}.${{"));
            script.contains(&format!("\"{key}\"")) || group.is_some_and(|group| script.contains(&group))
        };
        let mut named: Vec<_> = self.texts.iter().filter(|(key, _)| is_named(key)).collect();
        // The same texts are the same bytes.
        named.sort_by_key(|(key, _)| key.as_str());
        Value::Object(named.into_iter().map(|(key, text)| (key.clone(), text.json())).collect::<Map<_, _>>())
    }
}
