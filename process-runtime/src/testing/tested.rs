//! The result of a test run: how it ended, what it reported, and its files while the value lives.

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

/// What a run in a test did and reported.
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
/// Tasks that the run has left behind continue for as long as this value lives, as they do in a real run, unless
/// the run was killed. Their reports are no longer recorded.
#[derive(Debug)]
#[non_exhaustive]
pub struct TestedRun {
    /// How the run ended: succeeded, failed, cancelled or, if it was killed, interrupted.
    pub status: RunStatus,
    /// The result that the process returned or passed to `end_process`. Null unless the run succeeded.
    pub result: Value,
    /// Why the run failed or was interrupted, in the words that viewers would read.
    pub error: Option<String>,
    /// The errors that caused it, from the nearest to the root.
    pub causes: Vec<String>,
    /// True if the run reached the step at which it was to be [killed](super::TestRun::kill_at).
    pub killed: bool,
    /// The number of reports: calls of helpers or of the same methods of a `Progress`, and saves of a cursor.
    pub steps: u64,
    /// The values of the progress bar in order, without consecutive repetitions: 0 to 100, to two decimals, and
    /// `None` for unknown progress. A stage that begins after a percentage adds a `None`, because it resets the
    /// bar.
    pub percents: Vec<Option<f64>>,
    /// Every progress text, in order.
    pub texts: Vec<String>,
    /// Every title that the process set, in order. The declared title is not included.
    pub titles: Vec<String>,
    /// Every stage that the process began, in order.
    pub stages: Vec<Stage>,
    /// Every log line, in order, including warnings.
    pub log: Vec<LogLine>,
    /// The tallied outcomes, counted by name, including those of the run that it [resumed](super::TestRun::resume).
    pub counts: Counts,
    /// Every failed item, in order. The failed items of the resumed run come first, as far as they are kept.
    pub failed_items: Vec<FailedItem>,
    /// The artifacts that the run offers. Dropping this value removes them.
    pub files: Vec<TestFile>,
    /// The last saved value of the cursor, from which the next attempt would continue. If the run saved none, the
    /// value that it was [given](super::TestRun::cursor).
    pub cursor: Option<Value>,
    /// How many values the fields above omit, because there were more than 100,000 of a kind. The oldest values are
    /// omitted.
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
        let (result, error, causes) = match outcome {
            Outcome::Succeeded(result) => (result, None, Vec::new()),
            Outcome::Failed(failure) => (Value::Null, Some(failure.message), failure.causes),
            Outcome::Interrupted(error) => (Value::Null, Some(error), Vec::new()),
            Outcome::Cancelled => (Value::Null, None, Vec::new()),
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
            causes,
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

    /// Deserializes the result into the type that the process returned.
    ///
    /// # Errors
    ///
    /// Returns an error if the result does not have the form of `T`, such as the null of a run that did not
    /// succeed.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
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

    /// Returns the texts of all log lines, including warnings.
    pub fn log_texts(&self) -> Vec<&str> {
        self.log.iter().map(|line| line.text.as_str()).collect()
    }

    /// Returns the texts of the warnings.
    pub fn warnings(&self) -> Vec<&str> {
        let warnings = self.log.iter().filter(|line| line.level == Level::Warn);
        warnings.map(|line| line.text.as_str()).collect()
    }

    /// Returns the file that the run offers under this name, or `None` if there is none.
    ///
    /// ```
    /// use process_runtime::prelude::*;
    /// use process_runtime::testing::TestRun;
    ///
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

/// The stored state from which a run would resume.
#[derive(Debug, Clone)]
pub(super) struct StoredCursor {
    pub(super) cursor: SavedCursor,
    /// The failed items at the moment of the save.
    failed_items: Vec<FailedItem>,
}

impl StoredCursor {
    /// A state of which only the cursor is known.
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
        run.bookkeeping.cursor = Some(self.cursor.clone());
        run.go_back_to_cursor();
        run
    }
}

/// A file that a test run offers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestFile {
    /// The file name for downloads.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
    /// The path of the file, valid for as long as the [`TestedRun`] lives.
    pub path: PathBuf,
}

/// A folder in the system's temporary folder. The first file creates it; dropping this value removes it.
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
        // Most runs have no file, and so no folder: an error is expected.
        let _ = fs::remove_dir_all(&self.0);
    }
}
