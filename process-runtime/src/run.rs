//! What a run *is*: its record and its files, and with its modules its id, its states and its log lines, as plain
//! data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod counts;
mod cursor;
mod id;
mod line;
mod outcome;
mod progress;
mod status;
mod wide;

pub use counts::Counts;
pub use cursor::{SavedCursor, SavedFacts, SavedList};
pub use id::{InvalidRunId, RunId};
pub(crate) use line::Omitted;
pub use line::{Level, LogLine, UnknownLevel};
pub use outcome::Outcome;
pub use progress::{FailedItem, PastStage, ProgressState, Stage};
pub use status::{RunStatus, UnknownStatus};

/// A file that a run offers for download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The name it is downloaded under.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// What is in it, such as `text/csv`, found out by its name.
    #[serde(default = "unknown_type")]
    pub media_type: String,
    /// The name it is stored under, in the run's own folder. Made by the runtime, never by input.
    pub stored: String,
}

fn unknown_type() -> String {
    "application/octet-stream".into()
}

/// One run as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The route of its process, such as `admin/backup-system`.
    pub process: String,
    /// Where it stands.
    pub status: RunStatus,
    /// True when it was asked to pause and has not come to a place where it can.
    #[serde(default)]
    pub pausing: bool,
    /// True when it is executed, but has not been heard of for long.
    #[serde(default)]
    pub stalled: bool,
    /// How far it is.
    #[serde(flatten)]
    pub progress: ProgressState,
    /// When its start was accepted.
    pub created_at: Timestamp,
    /// When its body was first executed.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When a waiting run may be executed at the earliest: after a failure it is tried again a little later.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// For how long it has run, in milliseconds, by a clock that never goes back.
    pub elapsed_ms: u64,
    /// How many times its body has been started.
    pub attempt: u32,
    /// Its place in the queue: higher goes first, and of the same the oldest.
    #[serde(default)]
    pub priority: i16,
    /// Who started it, where that is known.
    pub actor: Option<String>,
    /// The ended run that this one was started to replace.
    #[serde(default)]
    pub retry_of: Option<RunId>,
    /// What it was started with, one entry a field.
    pub input: Map<String, Value>,
    /// What it returned, once it has succeeded; nothing for null.
    pub result: Option<Value>,
    /// Why it failed, in words for people.
    pub error: Option<String>,
    /// The files it offers.
    pub files: Vec<RunFile>,
    /// The first 100 items that failed; [`Counts::FAILED`] counts all of them.
    #[serde(default)]
    pub failed_items: Vec<FailedItem>,
    /// What the runtime needs to know to go on with it. Not for viewers.
    // Hidden and not private, for as long as the conformance suite is another crate.
    #[doc(hidden)]
    #[serde(default)]
    pub books: Books,
}

/// What the runtime writes down about a run, to go on with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Books {
    /// Whether its process took a cursor when it was claimed, and so can go on where it was; `None` before, and where
    /// that was not written down. A body without one is called once, even where a later version of the process takes
    /// one.
    pub resumable: Option<bool>,
    /// Runs of one process with the same key share the places of that key.
    pub concurrency_key: Option<String>,
    /// Up to where its work is done, as its process last saved it.
    pub cursor: Option<SavedCursor>,
    /// How often in a row its program went away without the cursor having moved.
    pub crashes: u32,
    /// How often its body has returned an error.
    pub failures: u32,
}

impl Books {
    /// False when it is known that its body cannot go on where it was, though a later version of its process could.
    pub(crate) fn could_go_on(&self) -> bool {
        self.resumable != Some(false) || self.cursor.is_some()
    }
}

impl Run {
    /// A run of the process at `process` that has been asked for at this moment and waits.
    pub fn queued(process: &str, title: &str, input: Map<String, Value>) -> Self {
        Self {
            id: RunId::new(),
            process: process.to_owned(),
            status: RunStatus::Queued,
            pausing: false,
            stalled: false,
            progress: ProgressState { title: title.to_owned(), ..ProgressState::default() },
            created_at: Timestamp::now(),
            started_at: None,
            finished_at: None,
            due_at: None,
            elapsed_ms: 0,
            attempt: 0,
            priority: 0,
            actor: None,
            retry_of: None,
            input,
            result: None,
            error: None,
            files: Vec::new(),
            failed_items: Vec::new(),
            books: Books::default(),
        }
    }
}
