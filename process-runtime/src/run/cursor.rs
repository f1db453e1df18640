//! A cursor as it is stored: its value, of what list it is, and what the run had counted when it was saved.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Counts, PastStage, ProgressState, Run, Stage, wide};

/// A cursor as it is stored. It is judged by its value: no name of a Rust type is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedCursor {
    /// Its value as JSON.
    pub value: Value,
    /// Of what list it is, where a loop has saved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<SavedList>,
    /// What the run said of itself when it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<SavedFacts>,
}

/// What is known of the list whose first items are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct SavedList {
    /// How many items it had; `None` where nobody knew.
    #[serde(with = "wide", skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// A CRC-32 over the keys of the items that are done, where the loop has keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<u32>,
}

/// The part of a run's progress that belongs to the place that was saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedFacts {
    /// 0 to 100; `None` when it was not known.
    pub percent: Option<f64>,
    /// The step the run was at.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps.
    #[serde(with = "wide")]
    pub total: Option<u64>,
    /// The stage it was in.
    pub stage: Option<Stage>,
    /// The stages it had left.
    pub stages: Vec<PastStage>,
    /// Its outcomes, counted by name.
    pub counts: Counts,
    /// How many of the failed items that are kept it had by then.
    pub failed_items: usize,
}

impl SavedCursor {
    /// A cursor of which nothing but its value is known.
    pub fn new(value: Value) -> Self {
        Self { value, list: None, facts: None }
    }
}

impl Run {
    /// Puts what the run says of itself back to where its cursor is: from there it goes on. The log stays, and with it
    /// the warnings and the omitted lines that are counted in it.
    pub(crate) fn go_back_to_cursor(&mut self) {
        let facts = self.books.cursor.as_ref().and_then(|cursor| cursor.facts.clone());
        let Some(SavedFacts { percent, current, total, stage, stages, counts, failed_items }) = facts else {
            return;
        };
        let ProgressState { title, text, warnings, omitted_lines, .. } = std::mem::take(&mut self.progress);
        self.progress = ProgressState {
            title,
            percent,
            current,
            total,
            text,
            stage,
            stages,
            counts,
            warnings,
            omitted_lines,
        };
        self.failed_items.truncate(failed_items);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cursor_with_type_name_is_read() {
        let old: SavedCursor =
            serde_json::from_value(json!({ "type": "shop::Place", "value": { "line": 3 } })).unwrap();
        assert_eq!(old, SavedCursor::new(json!({ "line": 3 })));
        assert_eq!(serde_json::to_value(&old).unwrap(), json!({ "value": { "line": 3 } }));
    }

    #[test]
    fn cursor_metadata_round_trips() {
        let facts = SavedFacts { total: Some(u64::MAX), failed_items: 7, ..SavedFacts::default() };
        let list = Some(SavedList { total: Some(u64::MAX), digest: Some(u32::MAX) });
        let saved = SavedCursor { list, facts: Some(facts), ..SavedCursor::new(json!(1)) };
        let text = serde_json::to_string(&saved).unwrap();
        assert_eq!(serde_json::from_str::<SavedCursor>(&text).unwrap(), saved);
        let unknown = serde_json::from_value::<SavedList>(json!({})).unwrap();
        assert_eq!(unknown, SavedList::default());
    }
}
