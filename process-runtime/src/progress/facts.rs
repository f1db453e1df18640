//! What a run reports besides bar, text and log: its stages, its counts, and its failed items; both the current
//! values and those at the last save of the cursor.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Instant;

use super::{Numbers, Progress, Report, share};
use crate::number::Count;
use crate::run::{Counts, FailedItem, Level, PastStage, ProgressState, Run, SavedFacts, Stage};
use crate::terminal;
use crate::text::clip;

/// How many finished stages are kept: the newest.
const MAX_STAGES: usize = 20;
/// How many failed items are kept: the first.
const MAX_FAILED_ITEMS: usize = 100;

/// What a run has reported in this attempt, apart from its log. The handle of the run keeps it in a mutex.
pub(super) struct Facts {
    /// When this attempt began, and how long earlier attempts ran.
    began: Instant,
    before_ms: u64,
    /// How long each stage took in earlier runs.
    stage_weights: Vec<u64>,
    /// The total that was reported first in this stage, if it has grown since.
    first_total: Option<u64>,
    /// Shared with marks until the next stage begins.
    stages: Arc<Stages>,
    counts: Counts,
    /// How many lines of the log are warnings or errors.
    pub(super) warnings: u64,
    failed_items: Vec<FailedItem>,
    /// True until the reader has taken the current list.
    new_failed_items: bool,
}

/// The current stage and the finished ones.
#[derive(Default, Clone)]
struct Stages {
    now: Option<Stage>,
    left: Vec<PastStage>,
}

/// The facts at some moment. One is made for every save of a cursor, so it copies no text: outcome names and failed
/// items are only ever appended, so their numbers are enough.
#[derive(Default)]
pub(super) struct Mark {
    numbers: Numbers,
    stages: Arc<Stages>,
    counts: Vec<u64>,
    failed_items: usize,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            before_ms: 0,
            stage_weights: Vec::new(),
            first_total: None,
            stages: Arc::default(),
            counts: Counts::default(),
            warnings: 0,
            failed_items: Vec::new(),
            new_failed_items: false,
        }
    }
}

impl Facts {
    /// Continues with the facts of an earlier attempt, or resets them. The count of warnings always continues,
    /// because the log does.
    pub(super) fn restore(&mut self, run: &Run, goes_on: bool) {
        self.before_ms = run.elapsed_ms;
        self.warnings = run.progress.warnings;
        self.stage_weights.clone_from(&run.progress.stage_weights);
        if goes_on {
            self.first_total = run.progress.first_total;
            let ProgressState { stage, stages, .. } = &run.progress;
            self.stages = Arc::new(Stages { now: stage.clone(), left: stages.clone() });
            self.counts.clone_from(&run.progress.counts);
            self.failed_items.clone_from(&run.failed_items);
        } else {
            self.new_failed_items = !run.failed_items.is_empty();
        }
    }

    /// The progress with the bar at these numbers, except for its texts.
    pub(super) fn state(&self, numbers: Numbers) -> ProgressState {
        let Self { stages, counts, warnings, .. } = self;
        let (percent, current, total) = numbers.shown();
        ProgressState {
            percent: self.percent(percent),
            current,
            total,
            first_total: self.first_total,
            stage: stages.now.clone().map(|stage| Stage { percent, current, total, ..stage }),
            stages: stages.left.clone(),
            stage_weights: self.stage_weights.clone(),
            counts: counts.clone(),
            warnings: *warnings,
            ..ProgressState::default()
        }
    }

    /// The percentage of the run when the bar shows this one.
    pub(super) fn percent(&self, bar: Option<f64>) -> Option<f64> {
        share::of_run(self.stages.now.as_ref(), bar, &self.stage_weights)
    }

    /// How long each stage took in earlier runs. Set before the body starts.
    pub(super) fn weigh(&mut self, weights: Vec<u64>) {
        self.stage_weights = weights;
    }

    /// The bar changes its total.
    pub(super) fn total_changes(&mut self, from: Numbers, to: Numbers) {
        match (from.steps_in_all(), to.steps_in_all()) {
            (Some(from), Some(to)) if to > from => _ = self.first_total.get_or_insert(from),
            (Some(_), Some(_)) => {}
            _ => self.first_total = None,
        }
    }

    /// Marks the current facts, with the bar at these numbers.
    pub(super) fn mark(&self, mark: &mut Mark, numbers: Numbers) {
        mark.numbers = numbers;
        if !Arc::ptr_eq(&mark.stages, &self.stages) {
            mark.stages = Arc::clone(&self.stages);
        }
        self.counts.numbers(&mut mark.counts);
        mark.failed_items = self.failed_items.len();
    }

    /// The facts at the time of the mark.
    pub(super) fn at(&self, mark: &Mark) -> SavedFacts {
        let Mark { numbers, stages, counts, failed_items } = mark;
        let (percent, current, total) = numbers.shown();
        SavedFacts {
            percent: share::of_run(stages.now.as_ref(), percent, &self.stage_weights),
            current,
            total,
            stage: stages.now.clone().map(|stage| Stage { percent, current, total, ..stage }),
            stages: stages.left.clone(),
            counts: self.counts.as_of(counts),
            failed_items: *failed_items,
        }
    }

    /// The counts so far, and the failed items.
    pub(super) fn counted(&self) -> (Counts, VecDeque<FailedItem>) {
        (self.counts.clone(), self.failed_items.iter().cloned().collect())
    }

    /// The failed items, if there are new ones since the last call.
    pub(super) fn new_failed_items(&mut self) -> Option<Vec<FailedItem>> {
        std::mem::take(&mut self.new_failed_items).then(|| self.failed_items.clone())
    }

    fn begin(&mut self, mut stage: Stage) {
        let now = self.before_ms.saturating_add(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(0));
        stage.started_ms = now;
        self.first_total = None;
        let stages = Arc::make_mut(&mut self.stages);
        if let Some(Stage { name, index, of, started_ms, .. }) = stages.now.take() {
            if (&name, index) == (&stage.name, stage.index) {
                // The stage continues.
                stage.started_ms = started_ms;
            } else {
                if stages.left.len() == MAX_STAGES {
                    stages.left.remove(0);
                }
                stages.left.push(PastStage { name, index, of, elapsed_ms: now.saturating_sub(started_ms) });
            }
        }
        stages.now = Some(stage);
    }

    pub(super) fn fail(&mut self, failed: FailedItem) {
        self.counts.add(Counts::FAILED, 1);
        if self.failed_items.len() < MAX_FAILED_ITEMS {
            self.failed_items.push(failed);
            self.new_failed_items = true;
        }
    }
}

impl Progress {
    /// Begins a named stage and resets the progress bar. The previous stage becomes a finished one.
    pub fn stage(&self, name: impl Into<String>) {
        self.begin_stage(self.short(&name.into()), None, None);
    }

    /// Begins the named stage `index` of `of`, counted from 1, and resets the progress bar. The previous stage
    /// becomes a finished one.
    pub fn stage_of(&self, index: impl Count, of: impl Count, name: impl Into<String>) {
        let of = of.to_count();
        let index = index.to_count().min(of);
        self.begin_stage(self.short(&name.into()), Some(index), Some(of));
    }

    fn begin_stage(&self, name: String, index: Option<u64>, of: Option<u64>) {
        let stage = Stage { name, index, of, ..Stage::default() };
        let mut slow = self.slow();
        slow.record(Report::Stage(&stage));
        slow.facts.begin(stage);
        self.store(&slow, Numbers::UNKNOWN);
        self.set_inner(Numbers::UNKNOWN);
        drop(slow);
        self.touched();
    }

    /// Adds one to the count of this outcome.
    pub fn tally(&self, outcome: impl AsRef<str>) {
        self.tally_of(outcome, 1_u64);
    }

    /// Adds `n` to the count of this outcome. Names are cut at 80 characters. After 20 different names, further names
    /// count under `other`.
    pub fn tally_of(&self, outcome: impl AsRef<str>, n: impl Count) {
        let (outcome, n) = (terminal::name(outcome.as_ref()), n.to_count());
        let mut slow = self.slow();
        slow.record(Report::Count(&outcome, n));
        slow.facts.counts.add(&outcome, n);
        drop(slow);
        self.touched();
    }

    /// Reports that one item failed, and why; the run continues. This adds an error to the log and one to the count
    /// `failed`. The run keeps its first 100 failed items.
    pub fn item_failed(&self, item: impl Display, reason: impl Display) {
        let (item, reason) = (item.to_string(), reason.to_string());
        let limits = &self.0.limits;
        let text = format!("{item}: {reason}");
        let failed = FailedItem {
            item: self.short(&item),
            reason: clip(terminal::plain(reason), limits.max_text_bytes),
        };
        self.push_line(Level::Error, text, Some(failed));
        self.touched_by_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(progress: &Progress) -> Vec<(String, Option<u64>)> {
        progress.state().stages.into_iter().map(|stage| (stage.name, stage.index)).collect()
    }

    #[test]
    fn stage_closes_and_reopens_by_name() {
        let progress = Progress::detached();
        progress.stage("Reading");
        progress.stage("Reading");
        assert_eq!(left(&progress), []);
        progress.stage_of(2, 3, "Reading");
        progress.stage_of(2, 4, "Reading");
        progress.stage_of(3, 4, "Writing");
        assert_eq!(left(&progress), [("Reading".into(), None), ("Reading".into(), Some(2))]);
        assert_eq!(progress.state().stages[1].of, Some(4));
    }

    #[test]
    fn newest_twenty_stages_are_kept() {
        let progress = Progress::detached();
        (0..50).for_each(|index| progress.stage(index.to_string()));
        let names: Vec<_> = left(&progress).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, (29..49).map(|index| index.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn stage_records_start_and_duration() {
        let progress = Progress::detached();
        let mut run = Run::queued("a", "A", serde_json::Map::new());
        run.elapsed_ms = 5_000;
        progress.restore(&run);
        progress.stage("First");
        std::thread::sleep(std::time::Duration::from_millis(30));
        progress.stage("Second");
        let state = progress.state();
        let first = &state.stages[0];
        assert!((30..5_000).contains(&first.elapsed_ms), "{first:?}");
        let began = state.stage.map(|stage| stage.started_ms).unwrap();
        assert!(began >= 5_000 + first.elapsed_ms, "{began}");
    }

    #[test]
    fn first_hundred_failed_items_are_kept() {
        let progress = Progress::detached();
        assert_eq!(progress.read().failed_items, None);
        for n in 0..250 {
            progress.item_failed(n, "no".repeat(10_000));
            if n == 120 {
                assert_eq!(progress.read().failed_items.map(|items| items.len()), Some(100));
            }
        }
        let reading = progress.read();
        assert_eq!(reading.failed_items, None, "nothing was added since");
        assert_eq!((reading.state.counts.get("failed"), reading.state.warnings), (250, 250));
        let line = reading.lines.last().unwrap();
        assert_eq!((line.level, &line.text[..10]), (Level::Error, "249: nonon"));
        let kept = progress.slow().facts.failed_items[0].clone();
        assert_eq!(kept.item, "0");
        assert!(kept.reason.len() < 2_048 + 50 && kept.reason.ends_with("[cut: 20000 bytes in all]"));
    }

    #[test]
    fn only_resumed_attempt_keeps_counts() {
        let mut run = Run::queued("a", "A", serde_json::Map::new());
        let first = Progress::detached();
        first.stage("Reading");
        first.stage("Writing");
        first.tally("written");
        first.item_failed("b", "no");
        let reading = first.read();
        (run.progress, run.failed_items) = (reading.state, reading.failed_items.unwrap());

        let anew = Progress::detached();
        anew.restore(&run);
        let reading = anew.read();
        assert_eq!(reading.failed_items, Some(Vec::new()), "what was stored is cleared");
        assert_eq!(reading.state, ProgressState { warnings: 1, ..ProgressState::default() });

        run.bookkeeping.cursor = Some(crate::run::SavedCursor::new(1.into()));
        let on = Progress::detached();
        on.restore(&run);
        on.tally("written");
        on.item_failed("c", "no");
        let reading = on.read();
        assert_eq!((reading.state.counts.get("written"), reading.state.counts.get("failed")), (2, 2));
        assert_eq!(reading.failed_items.map(|items| items.len()), Some(2));
        assert_eq!((reading.state.warnings, reading.state.stages), (2, run.progress.stages));
    }
}
