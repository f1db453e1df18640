//! Owns what a run *is*: its id, its states, its record and its log lines, as plain data.
//! Refuses to know who executes a run, who stores it and who looks at it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The id of one run: a UUID v7, so that ids sort by the time of their start.
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
    /// Makes a new id for a run that starts now.
    #[expect(clippy::new_without_default, reason = "two defaults would not be equal")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id as its 16 bytes, big-endian, as a store keeps it.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id behind 16 stored bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The last 32 bits, which are random: enough to tell one run's positions from another's.
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

/// A text that is not a run's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRunId;

impl fmt::Display for InvalidRunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a run's id is a UUID such as 0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f")
    }
}

impl std::error::Error for InvalidRunId {}

impl FromStr for RunId {
    type Err = InvalidRunId;

    fn from_str(text: &str) -> Result<Self, InvalidRunId> {
        // Only the hyphenated form: one run has one URL.
        if text.len() != 36 {
            return Err(InvalidRunId);
        }
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidRunId)
    }
}

/// Where a run stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Accepted and stored; waits for a place to run.
    Queued,
    /// Its body is being executed.
    Running,
    /// Stopped on request, to be taken up again.
    Paused,
    /// Asked to stop; its body has not yet ended.
    Cancelling,
    /// Ended by itself, with a result.
    Succeeded,
    /// Ended by an error or a panic.
    Failed,
    /// Ended on request.
    Cancelled,
    /// The program that executed it went away before it ended.
    Interrupted,
}

impl RunStatus {
    /// Every status, in the order of a run's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Paused,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// True for a status that never changes again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Interrupted)
    }

    /// The word used in JSON, in URLs and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RunStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A word that names no status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatus;

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status is one of ")?;
        for (index, status) in RunStatus::ALL.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{status}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownStatus {}

/// How serious a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something worth knowing.
    Info,
    /// Something a person should look at; the run goes on.
    Warn,
}

impl Level {
    /// The word used in JSON and on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// The line's number within its run, from 1. A gap means lines that were not kept.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// How serious it is.
    pub level: Level,
    /// What it says.
    pub text: String,
}

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

/// A file that a run offers for download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The name it is downloaded under.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The name it is stored under, in the run's own folder. Made by the runtime, never by input.
    pub stored: String,
}

/// One run as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The route of its process, such as `admin/backup-system`.
    pub process: String,
    /// Where it stands.
    pub status: RunStatus,
    /// How far it is.
    #[serde(flatten)]
    pub progress: ProgressState,
    /// When its start was accepted.
    pub created_at: Timestamp,
    /// When its body was first executed.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// For how long it has run, in milliseconds, by a clock that never goes back.
    pub elapsed_ms: u64,
    /// How many times its body has been started.
    pub attempt: u32,
    /// Who started it, where that is known.
    pub actor: Option<String>,
    /// What it was started with, one entry a field.
    pub input: Map<String, Value>,
    /// What it returned, once it has succeeded.
    pub result: Option<Value>,
    /// Why it failed, in words for people.
    pub error: Option<String>,
    /// The files it offers.
    pub files: Vec<RunFile>,
}

impl Run {
    /// A run of the process at `process` that has been asked for at this moment and waits.
    pub fn queued(process: &str, title: &str, input: Map<String, Value>) -> Self {
        Self {
            id: RunId::new(),
            process: process.to_owned(),
            status: RunStatus::Queued,
            progress: ProgressState { title: title.to_owned(), ..ProgressState::default() },
            created_at: Timestamp::now(),
            started_at: None,
            finished_at: None,
            elapsed_ms: 0,
            attempt: 0,
            actor: None,
            input,
            result: None,
            error: None,
            files: Vec::new(),
        }
    }
}

/// How a run's body ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// With this result.
    Succeeded(Value),
    /// With this error, in words for people.
    Failed(String),
    /// On request.
    Cancelled,
    /// With the program that executed it; the text says what became of it.
    Interrupted(String),
}

impl Outcome {
    /// Success with this data as its result; a failure that says why, if the data cannot be JSON.
    pub fn succeeded(data: &impl Serialize) -> Self {
        match serde_json::to_value(data) {
            Ok(value) => Self::Succeeded(value),
            Err(error) => Self::Failed(format!("the result could not be written as JSON: {error}")),
        }
    }

    /// The terminal status this outcome leads to.
    pub fn status(&self) -> RunStatus {
        match self {
            Self::Succeeded(_) => RunStatus::Succeeded,
            Self::Failed(_) => RunStatus::Failed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Interrupted(_) => RunStatus::Interrupted,
        }
    }
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

    #[test]
    fn only_one_spelling_names_a_run() {
        let id = RunId::new();
        assert!(id.to_string().replace('-', "").parse::<RunId>().is_err());
        assert!(format!("{{{id}}}").parse::<RunId>().is_err());
        assert_eq!(id.to_string().parse::<RunId>(), Ok(id));
    }
}
