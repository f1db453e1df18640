//! The part of a run that changes while it runs: its progress.

use serde::{Deserialize, Serialize};

use super::{Counts, Estimate, wide};

/// The progress of a run as last reported: the part of a run that changes while it runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProgressState {
    /// The title on the page.
    pub title: String,
    /// The percentage of the whole run, 0 to 100, with two decimals; `None` if unknown.
    ///
    /// With stages, it is the percentage of the bar weighted by [`stage_weights`](Self::stage_weights), and unknown if
    /// the process does not say how many stages there are.
    pub percent: Option<f64>,
    /// The current step of the bar, if the process counts steps. With stages, the bar is that of the stage.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps of the bar, if the process counts steps.
    #[serde(with = "wide")]
    pub total: Option<u64>,
    /// The number of steps that the process reported first, if the number has grown since. The bar may have moved back.
    #[serde(with = "wide")]
    pub first_total: Option<u64>,
    /// The bar of a loop inside of the loop that moves the bar of the run.
    pub inner: Option<InnerBar>,
    /// The rate and the time left while the run executes; `None` if too little is known.
    pub estimate: Option<Estimate>,
    /// The text under the progress bar.
    pub text: String,
    /// The current stage.
    pub stage: Option<Stage>,
    /// The finished stages, oldest first; at most the newest 20.
    pub stages: Vec<PastStage>,
    /// The counts of its outcomes, by name.
    pub counts: Counts,
    /// How many lines of its log are warnings or errors, without the last line of a run that failed.
    pub warnings: u64,
    /// How many lines its log has lost because it grew too long.
    pub omitted_lines: u64,
    /// How long each stage took in earlier runs of the process, in milliseconds, as known when the run began. Empty if
    /// there are none: then all stages have the same weight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stage_weights: Vec<u64>,
}

/// The bar of an inner loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InnerBar {
    /// The percentage, 0 to 100, with two decimals; `None` if unknown.
    pub percent: Option<f64>,
    /// The current step.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps, if it is known.
    #[serde(with = "wide")]
    pub total: Option<u64>,
}

/// A named part of a run, with its own progress bar.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stage {
    /// The name.
    pub name: String,
    /// The index of the stage, from 1, if the process gave it.
    pub index: Option<u64>,
    /// The number of stages, if the process gave it.
    pub of: Option<u64>,
    /// How long the run had run when the stage began, in milliseconds. Always 0 in a test, so that stages can be
    /// compared.
    pub started_ms: u64,
    /// The percentage of the stage, 0 to 100, with two decimals; `None` if unknown.
    pub percent: Option<f64>,
    /// The current step of the stage, if the process counts steps.
    #[serde(with = "wide")]
    pub current: Option<u64>,
    /// The number of steps of the stage, if the process counts steps.
    #[serde(with = "wide")]
    pub total: Option<u64>,
}

impl ProgressState {
    /// True if the bar has steps left.
    pub(crate) fn is_short(&self) -> bool {
        self.current.zip(self.total).is_some_and(|(current, total)| current < total)
    }

    /// The percentage of the bar: that of the stage, if there is one, and otherwise that of the run.
    pub fn bar_percent(&self) -> Option<f64> {
        self.stage.as_ref().map_or(self.percent, |stage| stage.percent)
    }
}

/// A finished stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStage {
    /// The name.
    pub name: String,
    /// The index of the stage, from 1, if the process gave it.
    pub index: Option<u64>,
    /// The number of stages, if the process gave it.
    pub of: Option<u64>,
    /// How long the run was in this stage, in milliseconds.
    pub elapsed_ms: u64,
}

/// One item that failed while the run continued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedItem {
    /// The item, as text for people.
    pub item: String,
    /// The reason, as text for people.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_state_without_stages_is_read() {
        let old = r#"{"title":"A","percent":1.5,"current":null,"total":null,"text":"","stage":{"name":"x","index":1,"of":null}}"#;
        let state: ProgressState = serde_json::from_str(old).unwrap();
        let stage = Stage { name: "x".into(), index: Some(1), ..Stage::default() };
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
