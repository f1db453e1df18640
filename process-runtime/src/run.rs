//! A run as plain data: its record and its files, and in the submodules its id, its statuses and its log lines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod counts;
mod cursor;
mod estimate;
mod failure;
mod id;
mod line;
mod outcome;
mod progress;
mod status;
mod style;
mod wide;

pub use counts::Counts;
pub use cursor::{SavedCursor, SavedFacts, SavedList};
pub use estimate::Estimate;
pub use failure::Failure;
pub(crate) use failure::{Panic, chain};
pub use id::{InvalidRunId, RunId};
pub(crate) use line::Omitted;
pub use line::{Level, LogLine, UnknownLevel};
pub use outcome::Outcome;
pub use progress::{FailedItem, InnerBar, PastStage, ProgressState, Stage};
pub use status::{RunStatus, UnknownStatus};
pub(crate) use style::pieces;
pub use style::{Color, Style, StyledSpan};

use crate::identity::HomeId;
use crate::media_type::{UNKNOWN, View};

/// A file that a run offers for download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// The name that the download has.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// The media type, such as `text/csv`, derived from the name.
    #[serde(default = "unknown_type")]
    pub media_type: String,
    /// The file name in the run's own folder. The runtime generates it; it never comes from input.
    pub stored: String,
}

impl RunFile {
    /// True if a browser can show it.
    pub(crate) fn is_viewable(&self) -> bool {
        View::of(&self.media_type).is_some()
    }
}

fn unknown_type() -> String {
    UNKNOWN.into()
}

/// One run, as stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Run {
    /// The id.
    pub id: RunId,
    /// The route of its process, such as `admin/backup-system`.
    pub process: String,
    /// The number of the run among those of its process, beginning with 1. The store assigns it when the run is started,
    /// and never again, even if the run is removed. 0 for a run that is not stored.
    #[serde(default)]
    pub number: u64,
    /// The status.
    pub status: RunStatus,
    /// True if a pause was requested and the run has not reached a save yet.
    #[serde(default)]
    pub pausing: bool,
    /// True if the run is executing but has not reported for a long time.
    #[serde(default)]
    pub stalled: bool,
    /// The progress as last reported.
    #[serde(flatten)]
    pub progress: ProgressState,
    /// When its start was accepted.
    pub created_at: Timestamp,
    /// When its body was first called.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The earliest time at which a queued run may execute: after a failed attempt, the end of the backoff.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// How long it has run, in milliseconds, measured with a monotonic clock.
    pub elapsed_ms: u64,
    /// How many times its body was started.
    pub attempt: u32,
    /// The priority in the queue. Higher priorities start first; runs with equal priority start oldest first.
    #[serde(default)]
    pub priority: i16,
    /// The actor that started it, if known.
    pub actor: Option<String>,
    /// The name of the node that executes it or executed it last, if several nodes share the store. Of a run that no node
    /// has executed yet, the node that has its files or secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The ended run that this run is a retry of.
    #[serde(default)]
    pub retry_of: Option<RunId>,
    /// The inputs, one entry for each field.
    pub input: Map<String, Value>,
    /// The return value of a run that succeeded; `None` if it is null.
    pub result: Option<Value>,
    /// Why it failed, as text for people.
    pub error: Option<String>,
    /// The errors that caused it, from the nearest to the root.
    #[serde(default)]
    pub causes: Vec<String>,
    /// The files that it offers for download.
    pub files: Vec<RunFile>,
    /// The first 100 failed items; [`Counts::FAILED`] counts all of them.
    #[serde(default)]
    pub failed_items: Vec<FailedItem>,
    /// What the runtime needs in order to resume it. Not shown to viewers.
    // Hidden rather than private as long as the conformance suite is a separate crate.
    #[doc(hidden)]
    #[serde(default, rename = "books")]
    pub bookkeeping: Bookkeeping,
}

/// What the runtime stores about a run in order to resume it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bookkeeping {
    /// Whether its process took a cursor when the run was claimed, so that the run can resume. `None` before the
    /// first claim, and for runs that were stored without it. A body without a cursor is called only once, even if a
    /// later version of the process takes one.
    pub resumable: Option<bool>,
    /// Runs of one process with the same key share one concurrency limit.
    pub concurrency_key: Option<String>,
    /// The cursor as last saved by its process.
    pub cursor: Option<SavedCursor>,
    /// How many times in a row its holder died without progress of the cursor.
    pub crashes: u32,
    /// How many times its body returned an error.
    pub failures: u32,
    /// When its holder claimed it, and for how many milliseconds it had run before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed: Option<(Timestamp, u64)>,
    /// The data folder of the node that holds it, or held it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<HomeId>,
    /// True if it has files or secrets there, so that no other node can execute it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
}

impl Bookkeeping {
    /// False if its body is known to have no cursor, even if a later version of its process takes one.
    pub(crate) fn may_resume(&self) -> bool {
        self.resumable != Some(false) || self.cursor.is_some()
    }
}

impl Run {
    /// Returns the key that limits its concurrency: runs of one process with the same key count towards one limit, and
    /// runs with another key do not wait for them. It is the value of the field that `concurrency_key` of `#[process]`
    /// names, fixed when the run is started. `None` if the process names no field: then all of its runs count towards one
    /// limit. A [`Store`](crate::store::Store) needs it to decide which run it gives to a claim.
    pub fn concurrency_key(&self) -> Option<&str> {
        self.bookkeeping.concurrency_key.as_deref()
    }

    /// Returns the data folder without which it cannot be executed: its files or secrets are there. A
    /// [`Store`](crate::store::Store) gives such a run only to a claim of a node with this folder. `None` for other runs.
    pub fn pinned_to(&self) -> Option<HomeId> {
        self.bookkeeping.home.filter(|_| self.bookkeeping.pinned)
    }

    /// Creates a queued run of the process at route `process`, with the current time as its start.
    pub fn queued(process: &str, title: &str, input: Map<String, Value>) -> Self {
        Self {
            id: RunId::new(),
            process: process.to_owned(),
            number: 0,
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
            node: None,
            retry_of: None,
            input,
            result: None,
            error: None,
            causes: Vec::new(),
            files: Vec::new(),
            failed_items: Vec::new(),
            bookkeeping: Bookkeeping::default(),
        }
    }
}
