//! Queries on the list of runs, and their answers, slice by slice.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use super::log::has;
use super::setters::setters;
use super::{Store, StoreError};
use crate::run::{Counts, Run, RunId, RunStatus};

/// Which runs to list. The conditions apply together.
///
/// The default selects the newest 100 runs. Set [`limit`](Self::limit) for more or fewer.
///
/// ```
/// use process_runtime::RunStatus;
/// use process_runtime::store::RunFilter;
///
/// assert_eq!(RunFilter::default().limit, 100);
/// let failed = RunFilter::default().process("import-users".to_owned()).statuses(vec![RunStatus::Failed]).limit(10);
/// assert_eq!(failed.limit, 10);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only runs of this process, given by its route.
    pub process: Option<String>,
    /// No runs of these processes.
    pub except: Vec<String>,
    /// Only runs with one of these statuses; an empty list means all.
    pub statuses: Vec<RunStatus>,
    /// Only runs that this actor started.
    pub actor: Option<String>,
    /// Only runs whose start was accepted at this time or later.
    pub from: Option<Timestamp>,
    /// Only runs whose start was accepted before this time.
    pub until: Option<Timestamp>,
    /// Only the runs with this number, at most one of each process.
    pub number: Option<u64>,
    /// Only runs with failed items.
    pub failed_items: bool,
    /// Only runs with this text in an input, the error or its causes; the case of ASCII letters is ignored.
    pub contains: Option<String>,
    /// The order of the runs.
    pub order: RunOrder,
    /// Only runs behind this position in that order.
    pub after: Option<RunPosition>,
    /// Return at most this many runs. Default: 100.
    pub limit: usize,
}

impl Default for RunFilter {
    /// Selects the newest 100 runs.
    fn default() -> Self {
        Self {
            process: None,
            except: Vec::new(),
            statuses: Vec::new(),
            actor: None,
            from: None,
            until: None,
            number: None,
            failed_items: false,
            contains: None,
            order: RunOrder::Newest,
            after: None,
            limit: 100,
        }
    }
}

setters!(RunFilter {
    process: impl Into<Option<String>>,
    except: Vec<String>,
    statuses: Vec<RunStatus>,
    actor: impl Into<Option<String>>,
    from: impl Into<Option<Timestamp>>,
    until: impl Into<Option<Timestamp>>,
    number: impl Into<Option<u64>>,
    failed_items: bool,
    contains: impl Into<Option<String>>,
    order: RunOrder,
    after: impl Into<Option<RunPosition>>,
    limit: usize,
});

/// The order of a list of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunOrder {
    /// Newest first, by [`created_at`](Run::created_at).
    #[default]
    Newest,
    /// By what people who look at a process want to see: first runs that execute, then paused ones, then queued ones,
    /// then ended ones; the newest first among each.
    Ranked,
}

/// The position of a run in a list. Lists are continued behind the last run that was returned, so no run is skipped or
/// repeated when others begin or are removed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunPosition {
    /// The rank of its status, for [`RunOrder::Ranked`].
    pub rank: u8,
    /// When the start of the run was accepted. Engines compare it with microsecond precision.
    pub created_at: Timestamp,
    /// The run. Of runs of the same microsecond, those that were stored later come first.
    pub id: RunId,
}

impl RunPosition {
    /// The position of this run.
    pub fn of(run: &Run) -> Self {
        let created_at =
            Timestamp::from_microsecond(run.created_at.as_microsecond()).unwrap_or(run.created_at);
        Self { rank: rank(run.status), created_at, id: run.id }
    }
}

/// The rank of a status: the lowest comes first.
pub(crate) fn rank(status: RunStatus) -> u8 {
    match status {
        RunStatus::Running | RunStatus::Cancelling => 0,
        RunStatus::Paused => 1,
        RunStatus::Queued => 2,
        _ => 3,
    }
}

impl RunFilter {
    /// Returns true if the run matches every condition, apart from the position.
    pub fn matches(&self, run: &Run) -> bool {
        let created = run.created_at.as_microsecond();
        self.process.as_ref().is_none_or(|process| run.process == *process)
            && !self.except.contains(&run.process)
            && (self.statuses.is_empty() || self.statuses.contains(&run.status))
            && self.actor.as_ref().is_none_or(|actor| run.actor.as_ref() == Some(actor))
            && self.from.is_none_or(|from| created >= from.as_microsecond())
            && self.until.is_none_or(|until| created < until.as_microsecond())
            && self.number.is_none_or(|number| run.number == number)
            && (!self.failed_items || failed_items(run) > 0)
            && self.sought().is_none_or(|text| contains(run, text))
    }

    /// The text to search for.
    pub(crate) fn sought(&self) -> Option<&str> {
        self.contains.as_deref().filter(|text| !text.is_empty())
    }

    /// One slice of runs with one number, each with its row number, in the order of the list. `after` is the rank and
    /// the place of the position.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(super) fn numbered(&self, mut found: Vec<(i64, Run)>, after: Option<(u8, (i64, i64))>) -> RunSlice {
        let ranked = |of: u8| if self.order == RunOrder::Ranked { 3_u8.saturating_sub(of) } else { 0 };
        let place = |run: &Run, n: i64| (ranked(rank(run.status)), (run.created_at.as_microsecond(), n));
        found.sort_by_key(|(n, run)| std::cmp::Reverse(place(run, *n)));
        if let Some((of, behind)) = after {
            found.retain(|(n, run)| place(run, *n) < (ranked(of), behind));
        }
        let mut runs: Vec<Run> = found.into_iter().map(|(_, run)| run).collect();
        let next = if runs.len() > self.limit { runs.get(self.limit.wrapping_sub(1)) } else { None };
        let next = next.map(RunPosition::of);
        runs.truncate(self.limit);
        RunSlice { runs, next }
    }
}

/// The groups of statuses that are listed one after the other.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn groups(filter: &RunFilter) -> Vec<Vec<RunStatus>> {
    let is_wanted = |status: &RunStatus| filter.statuses.is_empty() || filter.statuses.contains(status);
    let wanted: Vec<_> = RunStatus::ALL.into_iter().filter(is_wanted).collect();
    let groups = match filter.order {
        RunOrder::Newest => vec![wanted],
        RunOrder::Ranked => {
            let of = |group: u8| wanted.iter().copied().filter(|status| rank(*status) == group).collect();
            (0..=rank(RunStatus::Succeeded)).map(of).collect()
        }
    };
    groups.into_iter().filter(|group: &Vec<_>| !group.is_empty()).collect()
}

/// How many items of the run failed.
pub(crate) fn failed_items(run: &Run) -> u64 {
    run.progress.counts.get(Counts::FAILED).max(run.failed_items.len() as u64)
}

fn contains(run: &Run, sought: &str) -> bool {
    run.error.iter().chain(&run.causes).any(|error| has(error, sought))
        || run.input.values().any(|value| is_in(value, sought))
}

fn is_in(value: &Value, sought: &str) -> bool {
    let text = match value {
        Value::Array(entries) => return entries.iter().any(|entry| is_in(entry, sought)),
        Value::Object(fields) => return fields.values().any(|value| is_in(value, sought)),
        Value::String(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(other.to_string()),
    };
    has(&text, sought)
}

/// A part of a list of runs.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct RunSlice {
    /// The matching runs, in order. It may be empty even if matching runs follow.
    pub runs: Vec<Run>,
    /// The position behind which to continue; `None` at the end of the list.
    pub next: Option<RunPosition>,
}

impl RunSlice {
    /// Creates a part of a list.
    pub fn new(runs: Vec<Run>, next: impl Into<Option<RunPosition>>) -> Self {
        Self { runs, next: next.into() }
    }
}

/// Reads slices until the limit of the filter is reached or the list ends.
pub(super) async fn all<S: Store + ?Sized>(store: &S, mut filter: RunFilter) -> Result<Vec<Run>, StoreError> {
    let mut runs: Vec<Run> = Vec::new();
    while filter.limit > 0 {
        let slice = store.run_slice(filter.clone()).await?;
        filter.limit = filter.limit.saturating_sub(slice.runs.len());
        runs.extend(slice.runs);
        if slice.next.is_none() {
            break;
        }
        filter.after = slice.next;
    }
    Ok(runs)
}

/// How many runs of each status match a filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunCounts {
    counts: Vec<(RunStatus, u64)>,
    /// False if counting ended at a bound: there may be more.
    pub is_complete: bool,
}

impl RunCounts {
    /// Returns the number of runs with this status.
    pub fn of(&self, status: RunStatus) -> u64 {
        self.counts.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count)
    }

    /// Returns the number of runs with any status.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Adds this many runs with this status.
    pub fn add(&mut self, status: RunStatus, count: u64) {
        match self.counts.iter_mut().find(|(known, _)| *known == status) {
            Some((_, known)) => *known += count,
            None => self.counts.push((status, count)),
        }
    }
}

/// How many slices are read for a count.
const SLICES: usize = 10;
/// How many runs of a slice are read at once.
const AT_ONCE: usize = 1_000;

/// Counts by reading the runs.
pub(super) async fn count<S: Store + ?Sized>(store: &S, filter: RunFilter) -> Result<RunCounts, StoreError> {
    let order = RunOrder::Newest;
    let mut filter = RunFilter { statuses: Vec::new(), order, after: None, limit: AT_ONCE, ..filter };
    let mut counts = RunCounts::default();
    for _ in 0..SLICES {
        let slice = store.run_slice(filter.clone()).await?;
        slice.runs.iter().for_each(|run| counts.add(run.status, 1));
        filter.after = slice.next;
        if slice.next.is_none() {
            counts.is_complete = true;
            break;
        }
    }
    Ok(counts)
}
