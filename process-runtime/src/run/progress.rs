//! Owns the part of a run that changes while it runs: how far it is.
//! Refuses to know who reports it.

use serde::{Deserialize, Serialize};

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
}

/// Integers beyond 2^53 as text: JavaScript and many JSON readers would round them silently.
mod wide {
    use serde::{Deserialize, Deserializer, Serializer};

    const EXACT: u64 = 1 << 53;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(u64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(value: &Option<u64>, out: S) -> Result<S::Ok, S::Error> {
        match value {
            None => out.serialize_none(),
            Some(number) if *number <= EXACT => out.serialize_u64(*number),
            Some(number) => out.collect_str(number),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        match Option::<NumberOrText>::deserialize(from)? {
            None => Ok(None),
            Some(NumberOrText::Number(number)) => Ok(Some(number)),
            Some(NumberOrText::Text(text)) => text.parse().map(Some).map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_beyond_2_to_the_53_survive_json_as_text() {
        let state = ProgressState { current: Some(7), total: Some(u64::MAX), ..ProgressState::default() };
        let json = serde_json::to_value(&state).unwrap();
        assert_eq!(json["current"], 7);
        assert_eq!(json["total"], "18446744073709551615");
        assert_eq!(serde_json::from_value::<ProgressState>(json).unwrap(), state);
    }
}
