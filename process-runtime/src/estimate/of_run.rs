//! The estimate of a whole run from its progress, stage by stage.

use super::{Estimator, MIN_GOOD_FOR_MS, StageProgress, Weights, time_left, whole};
use crate::run::{Estimate, ProgressState, Stage};

/// A bar without steps is observed as if it had so many.
const PARTS: u64 = 10_000;
/// Of more stages than this, only the current one is estimated.
const MAX_STAGES: u64 = 1_000;

/// Estimates the rate and the time left of one run.
#[derive(Debug)]
pub(crate) struct RunEstimator {
    of_stage: Estimator,
    /// The stage that it observes.
    stage: Option<(String, Option<u64>)>,
    counts_steps: bool,
}

impl RunEstimator {
    /// For an execution that begins with this progress, at this elapsed time of the run. One that resumes has an estimate
    /// at once.
    pub(crate) fn new(progress: &ProgressState, elapsed_ms: u64) -> Self {
        let began_ms = progress.stage.as_ref().map_or(0, |stage| stage.started_ms);
        let (of_stage, counts_steps) = match bar(progress) {
            Some(Bar { current, counts_steps, .. }) => {
                (Estimator::resumed(began_ms, current, elapsed_ms), counts_steps)
            }
            None => (Estimator::new(elapsed_ms), false),
        };
        Self { of_stage, stage: progress.stage.as_ref().map(key), counts_steps }
    }

    /// Takes the progress at this elapsed time of the run, and returns the estimate; `None` if too little is known.
    pub(crate) fn observe(&mut self, progress: &ProgressState, elapsed_ms: u64) -> Option<Estimate> {
        let stage = progress.stage.as_ref();
        let is_same = match (&self.stage, stage) {
            (Some((name, index)), Some(stage)) => (name, index) == (&stage.name, &stage.index),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            self.stage = stage.map(key);
            self.of_stage.reset(stage.map_or(elapsed_ms, |stage| stage.started_ms));
        }
        let own = bar(progress).and_then(|Bar { current, total, counts_steps }| {
            if counts_steps != self.counts_steps {
                self.counts_steps = counts_steps;
                self.of_stage.reset(elapsed_ms);
            }
            self.of_stage.observe(elapsed_ms, current, total)
        });
        let own = own.map(|own| Estimate { rate: own.rate.filter(|_| self.counts_steps), ..own });
        match stage {
            Some(stage) => of_stages(progress, stage, own, elapsed_ms),
            None => own,
        }
    }
}

fn key(stage: &Stage) -> (String, Option<u64>) {
    (stage.name.clone(), stage.index)
}

/// What a bar shows, as steps.
struct Bar {
    current: u64,
    total: Option<u64>,
    counts_steps: bool,
}

fn bar(progress: &ProgressState) -> Option<Bar> {
    match (progress.current, progress.bar_percent()) {
        (Some(current), _) => Some(Bar { current, total: progress.total, counts_steps: true }),
        (None, Some(percent)) => {
            let current = whole(percent / 100.0 * PARTS as f64);
            Some(Bar { current, total: Some(PARTS), counts_steps: false })
        }
        (None, None) => None,
    }
}

/// The estimate of a run with stages. The rate is that of the current stage, the time left that of the run: unknown if
/// nothing is known of the stages to come.
fn of_stages(
    progress: &ProgressState,
    stage: &Stage,
    own: Option<Estimate>,
    elapsed_ms: u64,
) -> Option<Estimate> {
    let left_ms = left_of_stages(progress, stage, own, elapsed_ms);
    let good_for_ms = match own {
        Some(own) => own.good_for_ms.saturating_sub(elapsed_ms.saturating_sub(own.at_ms)),
        // Known from earlier runs only.
        None => left_ms?.saturating_add(whole(MIN_GOOD_FOR_MS)),
    };
    Some(Estimate { rate: own.and_then(|own| own.rate), left_ms, at_ms: elapsed_ms, good_for_ms })
}

fn left_of_stages(
    progress: &ProgressState,
    stage: &Stage,
    own: Option<Estimate>,
    elapsed_ms: u64,
) -> Option<u64> {
    let of = stage.of.filter(|of| *of <= MAX_STAGES)?;
    let index = usize::try_from(stage.index?.checked_sub(1)?).ok()?;
    let count = usize::try_from(of).ok()?;
    let mut taken_ms = vec![0; index];
    for past in &progress.stages {
        let position = past.index.and_then(|index| usize::try_from(index).ok()?.checked_sub(1));
        if let Some(taken) = position.and_then(|position| taken_ms.get_mut(position)) {
            *taken = past.elapsed_ms;
        }
    }
    taken_ms.push(elapsed_ms.saturating_sub(stage.started_ms));
    let weights = Weights::of(&progress.stage_weights, count);
    let part = stage.percent.map(|percent| percent / 100.0);
    let left_ms = own.and_then(|own| own.left_at(elapsed_ms));
    time_left(weights, StageProgress { index, part, left_ms, taken_ms: &taken_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::PastStage;

    fn counted(current: u64, total: u64) -> ProgressState {
        ProgressState { current: Some(current), total: Some(total), ..ProgressState::default() }
    }

    fn staged(index: u64, of: u64, (current, total): (u64, u64), weights: &[u64]) -> ProgressState {
        let percent = Some(current as f64 / total as f64 * 100.0);
        let stage = Stage {
            name: format!("stage {index}"),
            index: Some(index),
            of: Some(of),
            started_ms: (index - 1) * 10_000,
            percent,
            current: Some(current),
            total: Some(total),
        };
        let past = |index: u64| PastStage {
            name: format!("stage {index}"),
            index: Some(index),
            of: Some(of),
            elapsed_ms: 10_000,
        };
        ProgressState {
            stage: Some(stage),
            stages: (1..index).map(past).collect(),
            stage_weights: weights.to_vec(),
            ..counted(current, total)
        }
    }

    #[test]
    fn percentages_have_time_left_without_rate() {
        let mut estimator = RunEstimator::new(&ProgressState::default(), 0);
        let mut last = None;
        for second in 0..=40 {
            let percent = Some(second as f64);
            last = estimator.observe(&ProgressState { percent, ..ProgressState::default() }, second * 1_000);
        }
        let Estimate { rate, left_ms, .. } = last.unwrap();
        assert_eq!(rate, None);
        assert!((58_000..62_000).contains(&left_ms.unwrap()), "{last:?}");
    }

    #[test]
    fn time_left_is_that_of_all_stages() {
        // The third stage takes as long as five of the others.
        let weights = [1_000, 1_000, 5_000];
        let mut estimator = RunEstimator::new(&ProgressState::default(), 0);
        let mut last = None;
        for step in 0..=10 {
            last = estimator.observe(&staged(1, 3, (step, 10), &weights), step * 1_000);
        }
        let left = last.unwrap().left_ms.unwrap();
        assert!((50_000..70_000).contains(&left), "{left}");
        // Without earlier runs, nothing is known of the others.
        let mut unknown = RunEstimator::new(&ProgressState::default(), 0);
        for step in 0..=10 {
            last = unknown.observe(&staged(1, 3, (step, 10), &[]), step * 1_000);
        }
        assert_eq!(last.unwrap().left_ms, None);
        assert!(last.unwrap().rate.is_some());
        // Of the last stage, all is known.
        for step in 0..=8 {
            last = unknown.observe(&staged(3, 3, (step, 10), &[]), 20_000 + step * 1_000);
        }
        assert!((1_500..2_500).contains(&last.unwrap().left_ms.unwrap()), "{last:?}");
    }

    #[test]
    fn silent_stage_is_estimated_from_earlier_runs() {
        let mut estimator = RunEstimator::new(&ProgressState::default(), 0);
        let mut silent = staged(2, 2, (0, 1), &[10_000, 30_000]);
        (silent.current, silent.total) = (None, None);
        let stage = silent.stage.as_mut().unwrap();
        (stage.percent, stage.current, stage.total) = (None, None, None);
        let estimate = estimator.observe(&silent, 10_000).unwrap();
        assert_eq!((estimate.rate, estimate.left_at(20_000)), (None, Some(20_000)));
        assert_eq!(estimate.left_at(60_000), None, "it has taken longer than it should");
    }

    #[test]
    fn resumed_run_is_estimated_at_once() {
        let stored = counted(600, 1_000);
        let mut estimator = RunEstimator::new(&stored, 60_000);
        let estimate = estimator.observe(&stored, 60_100).unwrap();
        assert!((39_000..41_000).contains(&estimate.left_ms.unwrap()), "{estimate:?}");
        // A run that starts over is not.
        assert_eq!(
            RunEstimator::new(&ProgressState::default(), 60_000).observe(&counted(1, 9), 60_100),
            None
        );
    }

    #[test]
    fn next_stage_forgets_the_last() {
        let mut estimator = RunEstimator::new(&ProgressState::default(), 0);
        for step in 0..=100 {
            estimator.observe(&staged(1, 2, (step, 100), &[]), step * 100);
        }
        assert_eq!(estimator.observe(&staged(2, 2, (0, 5), &[]), 10_000), None);
    }
}
