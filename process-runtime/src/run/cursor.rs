//! A stored cursor: its value, the list it refers to, and the run's counts at the time of the save.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Counts, PastStage, ProgressState, Run, Stage, wide};

/// A stored cursor. Only its value decides whether a run can resume from it: the name of the Rust type is not stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedCursor {
    /// The value as JSON.
    pub value: Value,
    /// The list that it refers to, if a loop saved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<SavedList>,
    /// The progress of the run at the time of the save.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<SavedFacts>,
}

/// What is known of the list whose first items are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub struct SavedList {
    /// How many items it had; `None` if unknown.
    #[serde(with = "wide", skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// A CRC-32 over the keys of the done items, if the loop has keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<u32>,
}

/// The part of a run's progress that is stored with a cursor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedFacts {
    /// The percentage, 0 to 100; `None` if unknown.
    pub percent: Option<f64>,
    /// The step that the run had reached.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps.
    #[serde(with = "wide")]
    pub total: Option<u64>,
    /// The current stage.
    pub stage: Option<Stage>,
    /// The finished stages.
    pub stages: Vec<PastStage>,
    /// The counts of its outcomes, by name.
    pub counts: Counts,
    /// How many of the kept failed items it had by then.
    pub failed_items: usize,
}

impl SavedCursor {
    /// Creates a cursor with nothing but a value.
    pub fn new(value: Value) -> Self {
        Self { value, list: None, facts: None }
    }
}

impl Run {
    /// Resets the progress of the run to the state at its cursor, from which it resumes. The log is kept, and with it
    /// the counts of warnings and omitted lines.
    pub(crate) fn go_back_to_cursor(&mut self) {
        let facts = self.bookkeeping.cursor.as_ref().and_then(|cursor| cursor.facts.clone());
        let Some(SavedFacts { percent, current, total, stage, stages, counts, failed_items }) = facts else {
            return;
        };
        let ProgressState { title, text, warnings, omitted_lines, stage_weights, .. } =
            std::mem::take(&mut self.progress);
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
            stage_weights,
            ..ProgressState::default()
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
