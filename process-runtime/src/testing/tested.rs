//! What a test's run left behind: how it ended, all it reported, and its files while somebody looks.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use crate::progress::Recording;
use crate::run::{Counts, FailedItem, Level, LogLine, Outcome, Run, RunStatus, SavedCursor, Stage};
use crate::runner::Background;

/// What a run in a test did and said.
///
/// ```
/// use process_runtime::RunStatus;
/// use process_runtime::prelude::*;
/// use process_runtime::testing::TestRun;
///
/// #[process(title = "Importing")]
/// async fn import() -> Result<(), String> {
///     stage("Reading");
///     warn("line 7 has no name");
///     Err("line 9 cannot be read".into())
/// }
///
/// # async fn test() -> Result<(), process_runtime::testing::TestError> {
/// let run = TestRun::of::<Import>().execute().await?;
/// assert_eq!(run.status, RunStatus::Failed);
/// assert_eq!(run.error.as_deref(), Some("line 9 cannot be read"));
/// assert_eq!(run.warnings(), ["line 7 has no name"]);
/// assert_eq!(run.stages[0].name, "Reading");
/// assert_eq!(run.steps, 2);
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
/// ```
///
/// Tasks that the run left behind go on for as long as this value lives, as they do in a real run, except
/// where the run was killed. What they report is not recorded any more.
#[derive(Debug)]
#[non_exhaustive]
pub struct TestedRun {
    /// How it ended: succeeded, failed, cancelled or, when it was killed, interrupted.
    pub status: RunStatus,
    /// What it returned, or ended itself with; null unless it succeeded.
    pub result: Value,
    /// Why it failed or was interrupted, in the words that viewers would read.
    pub error: Option<String>,
    /// True when it came to the step it was to be [killed at](super::TestRun::kill_at).
    pub killed: bool,
    /// How many reports it made: calls of helpers or of the same methods of a `Progress`, and saves of a cursor.
    pub steps: u64,
    /// What the bar showed, in order and each change once: 0 to 100, to two decimals, and `None` where nobody
    /// knew. A stage that begins after a percentage adds a `None`, for its bar starts anew.
    pub percents: Vec<Option<f64>>,
    /// Every text that was set, in order.
    pub texts: Vec<String>,
    /// Every title that was set, in order. The one it was declared with is not among them.
    pub titles: Vec<String>,
    /// Every stage that was begun, in order.
    pub stages: Vec<Stage>,
    /// Every line of the log, in order, warnings included.
    pub log: Vec<LogLine>,
    /// Its outcomes, counted by name; with those of the run that it [resumed](super::TestRun::resume).
    pub counts: Counts,
    /// Every item that failed, in order; those of the run that it resumed, as far as they are kept, in front.
    pub failed_items: Vec<FailedItem>,
    /// The files it offers. They are removed when this value is dropped.
    pub files: Vec<TestFile>,
    /// Where it would go on: its cursor as it was saved last, or else as it was
    /// [given](super::TestRun::cursor).
    pub cursor: Option<Value>,
    /// How many values are missing above, because there were more than 100,000 of a kind. The oldest are.
    pub dropped: u64,
    place: Option<StoredCursor>,
    _folder: Folder,
    _runtime: Option<Arc<Background>>,
}

impl TestedRun {
    pub(super) fn new(
        outcome: Outcome,
        killed: bool,
        recording: Recording,
        from: Option<StoredCursor>,
        folder: Folder,
        runtime: Option<Arc<Background>>,
    ) -> Self {
        let status = outcome.status();
        let (result, error) = match outcome {
            Outcome::Succeeded(result) => (result, None),
            Outcome::Failed(error) | Outcome::Interrupted(error) => (Value::Null, Some(error)),
            Outcome::Cancelled => (Value::Null, None),
        };
        let place = recording.cursor.map(|cursor| StoredCursor::at(cursor, &recording.failed_items)).or(from);
        let files = recording.files.into_iter().map(|file| TestFile {
            name: file.name,
            size: file.size,
            path: folder.path().join(file.stored),
        });
        Self {
            status,
            result,
            error,
            killed,
            steps: recording.steps,
            percents: recording.percents.into(),
            texts: recording.texts.into(),
            titles: recording.titles.into(),
            stages: recording.stages.into(),
            log: recording.lines.into(),
            counts: recording.counts,
            failed_items: recording.failed_items.into(),
            files: files.collect(),
            cursor: place.as_ref().map(|place| place.cursor.value.clone()),
            dropped: recording.dropped,
            place,
            _folder: folder,
            _runtime: runtime,
        }
    }

    pub(super) fn place(&self) -> Option<&StoredCursor> {
        self.place.as_ref()
    }

    /// Its result, as the type it was made from.
    ///
    /// # Errors
    ///
    /// When the result is not of this form, as the null of a run that did not succeed.
    ///
    /// ```
    /// # use process_runtime::prelude::*;
    /// # use process_runtime::testing::TestRun;
    /// #[process(title = "Counting")]
    /// async fn count() -> Result<u64, String> {
    ///     Ok(7)
    /// }
    ///
    /// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
    /// let run = TestRun::of::<Count>().execute().await?;
    /// assert_eq!(run.result_as::<u64>()?, 7);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    pub fn result_as<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        T::deserialize(&self.result)
    }

    /// What the lines of its log say, warnings included.
    pub fn log_texts(&self) -> Vec<&str> {
        self.log.iter().map(|line| line.text.as_str()).collect()
    }

    /// What its warnings say.
    pub fn warnings(&self) -> Vec<&str> {
        let warnings = self.log.iter().filter(|line| line.level == Level::Warn);
        warnings.map(|line| line.text.as_str()).collect()
    }

    /// The file it offers under this name.
    ///
    /// ```
    /// # use process_runtime::prelude::*;
    /// # use process_runtime::testing::TestRun;
    /// #[process(title = "Writing a report")]
    /// async fn write_report() -> Result<(), std::io::Error> {
    ///     let path = std::env::temp_dir().join(format!("report-{}", std::process::id()));
    ///     std::fs::write(&path, "all is well")?;
    ///     artifact("report.txt", &path)
    /// }
    ///
    /// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
    /// let run = TestRun::of::<WriteReport>().execute().await?;
    /// let report = run.file("report.txt").ok_or("there is no report")?;
    /// assert_eq!(std::fs::read_to_string(&report.path)?, "all is well");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test()).unwrap();
    /// ```
    pub fn file(&self, name: &str) -> Option<&TestFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// Where a run would go on: what a store has of it.
#[derive(Debug, Clone)]
pub(super) struct StoredCursor {
    pub(super) cursor: SavedCursor,
    /// Those of that moment.
    failed_items: Vec<FailedItem>,
}

impl StoredCursor {
    /// One of which nothing but the cursor is known.
    pub(super) fn of(cursor: SavedCursor) -> Self {
        Self { cursor, failed_items: Vec::new() }
    }

    fn at(cursor: SavedCursor, failed_items: &VecDeque<FailedItem>) -> Self {
        let kept = cursor.facts.as_ref().map_or(0, |facts| facts.failed_items);
        Self { cursor, failed_items: failed_items.iter().take(kept).cloned().collect() }
    }

    /// The run as its next attempt finds it.
    pub(super) fn run(&self, title: &str) -> Run {
        let mut run = Run::queued("", title, serde_json::Map::new());
        run.failed_items.clone_from(&self.failed_items);
        run.books.cursor = Some(self.cursor.clone());
        run.go_back_to_cursor();
        run
    }
}

/// A file that a run in a test offers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestFile {
    /// The name it would be downloaded under.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// Where it is, for as long as the [`TestedRun`] lives.
    pub path: PathBuf,
}

/// A folder of its own below the system's temporary one, made by the first file, that goes with this value.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("process-test-{}", Uuid::now_v7().simple())))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Most runs have no file, and so no folder.
        let _ = fs::remove_dir_all(&self.0);
    }
}
