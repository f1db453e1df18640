//! The id of a run: how it is made, written and read.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of one run: a UUID v7, so that ids sort by start time.
///
/// ```
/// use process_runtime::RunId;
///
/// let id = RunId::new();
/// assert_eq!(id.to_string().parse::<RunId>().ok(), Some(id));
/// assert!("not-an-id".parse::<RunId>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// Creates a new id for a run that starts now.
    #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Returns the 16 bytes of the id, big-endian, as a store keeps them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Creates the id from 16 stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The last 32 bits, which are random: they tell apart the event ids of two runs, and spread the retries of runs
    /// that failed together.
    pub(crate) fn tag(&self) -> u32 {
        self.0.as_u128() as u32
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

/// The error for a text that is not a run id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run ID is a UUID such as 0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f")]
pub struct InvalidRunId;

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        // Only the canonical form, in lower case and with hyphens, so that a run has exactly one URL.
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidRunId)?;
        if id.to_string() == text { Ok(id) } else { Err(InvalidRunId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_id_has_one_spelling() {
        let id = RunId::new();
        assert!(id.to_string().replace('-', "").parse::<RunId>().is_err());
        assert!(format!("{{{id}}}").parse::<RunId>().is_err());
        assert!(id.to_string().to_uppercase().parse::<RunId>().is_err());
        assert_eq!(id.to_string().parse::<RunId>(), Ok(id));
    }
}
