//! The part of a run that changes while it runs: how far it is.

use serde::{Deserialize, Serialize};

use super::{Counts, wide};

/// How far a run is, as it last reported: the part of a run that changes while it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressState {
    /// The heading people see.
    pub title: String,
    /// 0 to 100, to two decimals; `None` when it cannot be known.
    pub percent: Option<f64>,
    /// The step it is at, where it counts steps.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps, where it counts steps.
    #[serde(with = "wide")]
    pub total: Option<u64>,
    /// The line under the bar.
    pub text: String,
    /// The named stage it is in.
    pub stage: Option<Stage>,
    /// The stages it has left, the oldest first; of many the newest 20.
    pub stages: Vec<PastStage>,
    /// Its outcomes, counted by name.
    pub counts: Counts,
    /// How many lines of its log are warnings or errors.
    pub warnings: u64,
    /// How many lines of its log are not kept, because it had grown too long.
    pub omitted_lines: u64,
}

/// A named part of a run, with a bar of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// What this part does.
    pub name: String,
    /// Its place among all stages, from 1, where the process said so.
    pub index: Option<u64>,
    /// How many stages there are, where the process said so.
    pub of: Option<u64>,
    /// For how long the run had run when it began, in milliseconds. In a test it is 0, so that stages can be compared.
    #[serde(default)]
    pub started_ms: u64,
}

/// A stage that a run has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStage {
    /// What this part did.
    pub name: String,
    /// Its place among all stages, from 1, where the process said so.
    pub index: Option<u64>,
    /// How many stages there are, where the process said so.
    pub of: Option<u64>,
    /// For how long the run was in it, in milliseconds.
    pub elapsed_ms: u64,
}

/// One item of a run's work that failed, while the run went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedItem {
    /// Which one, in words for people.
    pub item: String,
    /// Why, in words for people.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_state_without_stages_is_read() {
        let old = r#"{"title":"A","percent":1.5,"current":null,"total":null,"text":"","stage":{"name":"x","index":1,"of":null}}"#;
        let state: ProgressState = serde_json::from_str(old).unwrap();
        let stage = Stage { name: "x".into(), index: Some(1), of: None, started_ms: 0 };
        let (title, percent) = ("A".into(), Some(1.5));
        assert_eq!(state, ProgressState { title, percent, stage: Some(stage), ..ProgressState::default() });
    }

    #[test]
    fn counts_beyond_2_53_survive_json() {
        let state = ProgressState { current: Some(7), total: Some(u64::MAX), ..ProgressState::default() };
        let json = serde_json::to_value(&state).unwrap();
        assert_eq!(json["current"], 7);
        assert_eq!(json["total"], "18446744073709551615");
        assert_eq!(serde_json::from_value::<ProgressState>(json).unwrap(), state);
    }
}
