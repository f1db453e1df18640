//! How far a whole run is: the bar of its stage, weighted by how long each stage took in earlier runs.

use crate::estimate::Weights;
use crate::run::{PastStage, ProgressState, Stage};

/// The percentage of the run, rounded down to two decimals, when the bar of `stage` shows `bar`.
///
/// Without a stage, the bar is that of the run. A stage without a number, or of an unknown number of stages, says
/// nothing about the whole run.
pub(super) fn of_run(stage: Option<&Stage>, bar: Option<f64>, weights: &[u64]) -> Option<f64> {
    let Some(stage) = stage else { return bar };
    let index = usize::try_from(stage.index?.checked_sub(1)?).ok()?;
    let weights = Weights::of(weights, usize::try_from(stage.of?).ok()?);
    let percent = weights.done(index, bar.unwrap_or(0.0) / 100.0)? * 100.0;
    // Floating point may put 45 % a hair below itself.
    Some(((percent * 100.0 + 1e-6).floor() / 100.0).clamp(0.0, 100.0))
}

/// How long each of its stages took a run, in milliseconds, at the end of the run or later; `None` if the run did not
/// have all of its numbered stages exactly once. No stage weighs nothing.
pub(crate) fn weights(progress: &ProgressState, elapsed_ms: u64) -> Option<Vec<u64>> {
    let last = progress.stage.as_ref()?;
    let took = elapsed_ms.saturating_sub(last.started_ms);
    let last = PastStage { name: String::new(), index: last.index, of: last.of, elapsed_ms: took };
    let of = last.of?;
    let stages = progress.stages.iter().chain([&last]);
    let is_complete = stages.clone().map(|stage| stage.index).eq((1..=of).map(Some));
    (of > 1 && is_complete).then(|| stages.map(|stage| stage.elapsed_ms.max(1)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(index: u64, of: u64) -> Stage {
        Stage { index: Some(index), of: Some(of), ..Stage::default() }
    }

    #[test]
    fn run_percent_weighs_stages() {
        let at = |index, bar, weights: &[u64]| of_run(Some(&stage(index, 4)), bar, weights);
        assert_eq!(of_run(None, Some(12.5), &[]), Some(12.5));
        assert_eq!(at(1, None, &[]), Some(0.0));
        assert_eq!(at(1, Some(50.0), &[]), Some(12.5));
        assert_eq!(at(4, Some(100.0), &[]), Some(100.0));
        assert_eq!(at(3, Some(90.0), &[10, 20, 60, 10]), Some(84.0));
        assert_eq!(
            at(2, Some(50.0), &[10, 20]),
            Some(37.5),
            "the weights are those of another number of stages"
        );
        assert_eq!(of_run(Some(&Stage::default()), Some(50.0), &[]), None);
        assert_eq!(of_run(Some(&stage(0, 0)), Some(50.0), &[]), None);
        assert_eq!(of_run(Some(&stage(u64::MAX, u64::MAX)), Some(100.0), &[]), Some(100.0));
    }

    #[test]
    fn percent_rises_through_all_stages() {
        let mut last = 0.0;
        for index in 1..=6 {
            for bar in 0..=100 {
                let percent =
                    of_run(Some(&stage(index, 6)), Some(f64::from(bar)), &[5, 1, 700, 30, 2, 9]).unwrap();
                assert!(percent >= last, "{percent} after {last}");
                last = percent;
            }
        }
        assert_eq!(last, 100.0);
    }

    #[test]
    fn weights_need_every_stage_once() {
        let past = |index, elapsed_ms| PastStage {
            name: String::new(),
            index: Some(index),
            of: Some(3),
            elapsed_ms,
        };
        let now = Stage { started_ms: 100, ..stage(3, 3) };
        let state = |stages| ProgressState { stages, stage: Some(now.clone()), ..ProgressState::default() };
        assert_eq!(weights(&state(vec![past(1, 40), past(2, 0)]), 130), Some(vec![40, 1, 30]));
        assert_eq!(weights(&state(vec![past(2, 40)]), 130), None);
        assert_eq!(weights(&state(vec![past(1, 1), past(2, 1), past(2, 1)]), 130), None);
        assert_eq!(weights(&ProgressState::default(), 130), None);
    }
}
