//! Percent and time left of a run of several stages, from the durations of its stages in earlier runs.

/// The earlier runs count like this part of the run, when the two are compared.
const PRIOR: f64 = 0.05;

/// How long the stages of a run take, compared with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Weights<'a> {
    /// So many stages of which nothing is known.
    Equal(usize),
    /// The durations of earlier runs, in ms.
    Measured(&'a [u64]),
}

impl<'a> Weights<'a> {
    /// The durations of earlier runs, if these had as many stages.
    pub(crate) fn of(durations: &'a [u64], count: usize) -> Self {
        if durations.len() == count { Self::Measured(durations) } else { Self::Equal(count) }
    }

    /// The part of the run that is done, from 0 to 1, in a stage that is done to this part; `None` if there are not so
    /// many stages.
    pub(crate) fn done(self, index: usize, part: f64) -> Option<f64> {
        let Split { earlier, own, later } = self.split(index)?;
        Some(part.mul_add(own, earlier) / (earlier + own + later))
    }

    fn split(self, index: usize) -> Option<Split> {
        // A stage that took no time still is a part of the run.
        let sum = |durations: &[u64]| durations.iter().map(|&ms| (ms as f64).max(1.0)).sum();
        match self {
            Self::Equal(count) => {
                let later = count.checked_sub(index)?.checked_sub(1)?;
                Some(Split { earlier: index as f64, own: 1.0, later: later as f64 })
            }
            Self::Measured(durations) => {
                let (earlier, rest) = durations.split_at_checked(index)?;
                let (own, later) = rest.split_first()?;
                Some(Split { earlier: sum(earlier), own: (*own as f64).max(1.0), later: sum(later) })
            }
        }
    }
}

/// The weights around a stage.
struct Split {
    earlier: f64,
    own: f64,
    later: f64,
}

/// Where a run is in its stages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StageProgress<'a> {
    /// The index of the current stage.
    pub(super) index: usize,
    /// The part of the current stage that is done, from 0 to 1, if it is known.
    pub(super) part: Option<f64>,
    /// The time left of the current stage, as the [`Estimator`](super::Estimator) has it.
    pub(super) left_ms: Option<u64>,
    /// How long each earlier stage took in this run, and last how long the current one has taken.
    pub(super) taken_ms: &'a [u64],
}

/// The time left of a run. `None` if later stages are left and nothing is known of them, if the stage has no estimate
/// and has taken longer than it should, and if the run has more stages than weights.
///
/// The weights of the stages to come are scaled by how this run compares so far: if it took twice as long as the earlier
/// ones for the same part, the rest does too.
pub(super) fn time_left(weights: Weights<'_>, stage: StageProgress<'_>) -> Option<u64> {
    let Split { earlier, own, later } = weights.split(stage.index)?;
    let done = stage.part.filter(|part| !part.is_nan()).map(|part| part.clamp(0.0, 1.0));
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
    let of_later = if later > 0.0 { later * scale? } else { 0.0 };
    of_stage.filter(|_| is_known).map(|of_stage| super::whole(of_stage + of_later))
}
