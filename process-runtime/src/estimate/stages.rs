//! Percent and time left of a run of several stages, from the durations of its stages in earlier runs.

/// The earlier runs count like this part of the run, when the two are compared.
const PRIOR: f64 = 0.05;

/// How long the stages of a run take, compared with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Weights<'a> {
    /// So many stages of which nothing is known.
    Equal(usize),
    /// The durations of earlier runs, in ms.
    Measured(&'a [u64]),
}

/// Where a run is in its stages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StageProgress<'a> {
    /// The index of the current stage.
    pub(super) index: usize,
    /// The part of the current stage that is done, from 0 to 1, if it is known.
    pub(super) fraction: Option<f64>,
    /// The time left of the current stage, as the [`Estimator`](super::Estimator) has it.
    pub(super) left_ms: Option<u64>,
    /// How long each earlier stage took in this run, and last how long the current one has taken.
    pub(super) taken_ms: &'a [u64],
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RunProgress {
    /// The part of the run that is done, from 0 to 1. It stands still in a stage whose own part is not known.
    pub(super) fraction: f64,
    /// The time left; `None` if later stages are left and nothing is known of them, or if the stage has no estimate and
    /// has taken longer than it should.
    pub(super) left_ms: Option<u64>,
}

/// The progress of a run; `None` if it has more stages than weights.
///
/// The weights of the stages to come are scaled by how this run compares so far: if it took twice as long as the earlier
/// ones for the same part, the rest does too.
pub(super) fn run_progress(weights: Weights<'_>, stage: StageProgress<'_>) -> Option<RunProgress> {
    let count = match weights {
        Weights::Equal(count) => count,
        Weights::Measured(durations) => durations.len(),
    };
    if stage.index >= count {
        return None;
    }
    // A stage that took no time still is a part of the run.
    let weight = |index: usize| match weights {
        Weights::Equal(_) => 1.0,
        Weights::Measured(durations) => durations.get(index).map_or(1.0, |&ms| (ms as f64).max(1.0)),
    };
    let sum = |range: std::ops::Range<usize>| match weights {
        Weights::Equal(_) => range.len() as f64,
        Weights::Measured(_) => range.map(weight).sum(),
    };
    let (earlier, later, own) = (sum(0..stage.index), sum(stage.index + 1..count), weight(stage.index));
    let done = stage.fraction.filter(|part| !part.is_nan()).map(|part| part.clamp(0.0, 1.0));
    let fraction = done.unwrap_or(0.0).mul_add(own, earlier) / (earlier + own + later);

    let taken_earlier = stage.taken_ms.iter().take(stage.index).map(|&ms| ms as f64).sum::<f64>();
    let taken = stage.taken_ms.get(stage.index).map_or(0.0, |&ms| ms as f64);
    let left = stage.left_ms.map(|ms| ms as f64);
    // As much of the current stage counts as is done of it.
    let part = done.unwrap_or(0.0);
    let whole = match (done, left) {
        // Nothing shows how much of it is done, so it is not compared.
        (None, _) => 0.0,
        (Some(_), None) => taken,
        (Some(part), Some(left)) => (taken + left) * part,
    };
    // How long this run takes compared with the earlier ones. What little is done at first shows less of that.
    let compared = part.mul_add(own, earlier);
    let scale = match weights {
        Weights::Equal(_) => None,
        Weights::Measured(_) if compared > 0.0 => {
            let share = compared / (earlier + own + later);
            let ratio = (taken_earlier + whole).max(1.0) / compared;
            // A great difference is no chance.
            let prior = PRIOR / (1.0 + 10.0 * ratio.ln().powi(2));
            Some(ratio.powf(share / (share + prior)))
        }
        Weights::Measured(_) => Some(1.0),
    };

    let is_known = later == 0.0 || matches!(weights, Weights::Measured(_));
    let expected = scale.map(|scale| own * scale);
    let of_stage = left.or_else(|| match done {
        Some(done) => expected.map(|expected| expected * (1.0 - done)),
        None => expected.filter(|&expected| expected > taken).map(|expected| expected - taken),
    });
    let left_ms = of_stage.filter(|_| is_known).and_then(|of_stage| {
        let of_later = if later > 0.0 { later * scale? } else { 0.0 };
        Some(super::whole(of_stage + of_later))
    });
    Some(RunProgress { fraction, left_ms })
}
