//! Tests of the estimator: what it says of simple runs, that it is never absurd, and how it compares with others.

mod compared;
mod rivals;
mod traces;

use proptest::prelude::*;

use super::{Estimator, StageProgress, Weights, time_left};
use crate::run::Estimate;

/// Steps of a total, `each` ms apart, from the first to the last of these; gives the last estimate.
fn steps(estimator: &mut Estimator, from: (u64, u64), to: u64, each: u64, total: u64) -> Option<Estimate> {
    let (mut at, first) = from;
    for step in first..=to {
        estimator.observe(at, step, Some(total));
        at += each;
    }
    estimator.estimate()
}

/// This number, give or take a percentage.
#[track_caller]
fn assert_near(number: f64, expected: f64, percent: f64) {
    let off = (number - expected).abs();
    assert!(off <= expected * percent / 100.0, "{number} is not within {percent} % of {expected}");
}

#[test]
fn steady_run_has_exact_estimate() {
    let estimate = steps(&mut Estimator::new(0), (0, 0), 450, 100, 1_000).unwrap();
    assert_near(estimate.rate.unwrap(), 10.0, 0.5);
    assert_near(estimate.left_ms.unwrap() as f64, 55_000.0, 0.5);
    assert_eq!(estimate.at_ms, 45_000);
    let later = estimate.left_at(47_000).unwrap();
    assert_eq!(later, estimate.left_ms.unwrap() - 2_000);
}

#[test]
fn no_estimate_before_three_seconds() {
    let mut estimator = Estimator::new(0);
    assert_eq!(estimator.estimate(), None);
    assert_eq!(steps(&mut estimator, (0, 0), 5, 500, 100), None);
    assert!(steps(&mut estimator, (3_000, 6), 8, 500, 100).is_some());
    // One step says little, however long it took.
    let mut slow = Estimator::new(0);
    assert_eq!(steps(&mut slow, (0, 0), 1, 60_000, 100), None);
    assert_near(slow.observe(120_000, 2, Some(100)).unwrap().left_ms.unwrap() as f64, 98.0 * 60_000.0, 2.0);
}

#[test]
fn no_estimate_without_recent_progress() {
    let mut estimator = Estimator::new(0);
    let estimate = steps(&mut estimator, (0, 0), 20, 1_000, 100).unwrap();
    assert!(estimate.left_at(20_000 + estimate.good_for_ms).is_some());
    assert_eq!(estimate.left_at(20_001 + estimate.good_for_ms), None);
    assert!((5_000..15_000).contains(&estimate.good_for_ms), "{estimate:?}");
    // A report without progress changes nothing.
    assert_eq!(estimator.observe(27_000, 20, Some(100)), Some(estimate));
    // Steps of a minute may take a minute.
    let slow = steps(&mut Estimator::new(0), (0, 0), 20, 60_000, 100).unwrap();
    assert!(slow.holds_at(slow.at_ms + 120_000) && !slow.holds_at(slow.at_ms + 600_000), "{slow:?}");
}

#[test]
fn unknown_total_has_rate_only() {
    let mut estimator = Estimator::new(0);
    steps(&mut estimator, (0, 0), 100, 100, 200);
    let estimate = estimator.observe(10_100, 101, None).unwrap();
    assert_eq!(estimate.left_ms, None);
    assert_near(estimate.rate.unwrap(), 10.0, 2.0);
}

#[test]
fn resumed_run_has_estimate_at_once() {
    let mut estimator = Estimator::resumed(0, 600, 60_000);
    let estimate = estimator.observe(60_000, 600, Some(1_000)).unwrap();
    assert_near(estimate.rate.unwrap(), 10.0, 0.1);
    assert_near(estimate.left_ms.unwrap() as f64, 40_000.0, 0.1);
    // The new attempt is twice as slow: ten seconds later that is known.
    let estimate = steps(&mut estimator, (60_200, 601), 650, 200, 1_000).unwrap();
    assert_near(estimate.left_ms.unwrap() as f64, 70_000.0, 15.0);
}

#[test]
fn readers_agree_on_estimate() {
    let mut first = Estimator::new(0);
    let mut second = Estimator::new(0);
    steps(&mut first, (0, 0), 300, 100, 1_000);
    steps(&mut second, (0, 0), 150, 100, 1_000);
    // Its state is all that counts.
    let stored = serde_json::to_string(&second).unwrap();
    let mut second: Estimator = serde_json::from_str(&stored).unwrap();
    steps(&mut second, (15_100, 151), 300, 100, 1_000);
    assert_eq!(first.estimate(), second.estimate());
    let json = serde_json::to_value(first.estimate()).unwrap();
    assert!(json.as_object().unwrap().values().all(serde_json::Value::is_number), "{json}");
}

#[test]
fn new_stage_forgets_last_stage() {
    let mut estimator = Estimator::new(0);
    steps(&mut estimator, (0, 0), 100, 1_000, 100);
    estimator.reset(100_000);
    assert_eq!(estimator.estimate(), None);
    let estimate = steps(&mut estimator, (100_000, 0), 100, 100, 200).unwrap();
    assert_near(estimate.left_ms.unwrap() as f64, 10_000.0, 0.5);
}

#[test]
fn pause_is_not_work() {
    let mut estimator = Estimator::new(0);
    steps(&mut estimator, (0, 0), 400, 100, 1_000);
    let after = steps(&mut estimator, (60_000, 401), 410, 100, 1_000).unwrap();
    assert_near(after.left_ms.unwrap() as f64, 59_000.0, 2.0);
    assert_near(after.rate.unwrap(), 10.0, 2.0);
    // Preparation before the first step is none either.
    let mut prepared = Estimator::new(0);
    prepared.observe(30_000, 0, Some(1_000));
    assert_near(
        steps(&mut prepared, (30_100, 1), 100, 100, 1_000).unwrap().left_ms.unwrap() as f64,
        90_000.0,
        1.0,
    );
}

#[test]
fn lost_steps_cost_their_time() {
    let mut estimator = Estimator::new(0);
    steps(&mut estimator, (0, 0), 100, 100, 200);
    let back = steps(&mut estimator, (10_000, 50), 100, 100, 200).unwrap();
    // 100 steps took 15 seconds.
    assert!((9_000..16_000).contains(&back.left_ms.unwrap()), "{back:?}");
    assert_eq!(estimator.observe(15_100, 0, Some(200)), None);
    let anew = steps(&mut estimator, (15_100, 0), 100, 50, 200).unwrap();
    assert_near(anew.left_ms.unwrap() as f64, 5_000.0, 1.0);
}

#[test]
fn step_reported_at_its_start_is_open() {
    // "Processing 1 of 10", and so on, each for a minute.
    let mut estimator = Estimator::new(0);
    let estimate = steps(&mut estimator, (10, 1), 10, 60_000, 10).unwrap();
    assert_near(estimate.left_ms.unwrap() as f64, 60_000.0, 2.0);
    let done = steps(&mut Estimator::new(0), (60_000, 1), 10, 60_000, 10).unwrap();
    assert_eq!(done.left_ms, Some(0));
}

#[test]
fn time_left_is_that_of_all_weighed_stages() {
    fn stage(index: usize, part: Option<f64>, left_ms: Option<u64>, taken_ms: &[u64]) -> StageProgress<'_> {
        StageProgress { index, part, left_ms, taken_ms }
    }
    let measured = Weights::Measured(&[10_000, 30_000, 60_000]);
    // As fast as before, in the middle of the second stage.
    let left = time_left(measured, stage(1, Some(0.5), Some(15_000), &[10_000, 15_000])).unwrap();
    assert_near(left as f64, 75_000.0, 0.1);
    // Twice as slow: so is the rest.
    let slow = time_left(measured, stage(1, Some(0.5), Some(30_000), &[20_000, 30_000])).unwrap();
    assert!((130_000..150_000).contains(&slow), "{slow}");
    // At its beginning it is as long as before.
    assert_eq!(time_left(measured, stage(0, Some(0.0), None, &[0])), Some(100_000));
    // In a stage that does not say how far it is, the time left falls until the stage takes too long.
    let silent = |taken| time_left(measured, stage(1, None, None, &[10_000, taken]));
    assert_eq!((silent(20_000), silent(40_000)), (Some(70_000), None));
    // Nothing is known of later stages, but of the last one all.
    let equal = |index| time_left(Weights::Equal(2), stage(index, Some(0.5), Some(500), &[500, 500]));
    assert_eq!((equal(0), equal(1)), (None, Some(500)));
    // More stages than there were.
    assert_eq!(time_left(measured, stage(3, Some(0.5), None, &[])), None);
}

/// Small, usual and huge numbers.
fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..10, 0_u64..100_000, any::<u64>(), Just(u64::MAX), Just(0)]
}

fn check(estimate: Option<Estimate>, now: u64) {
    if let Some(estimate) = estimate {
        let rate = estimate.rate.unwrap();
        assert!(rate.is_finite() && rate >= 0.0, "{estimate:?}");
        assert!(estimate.at_ms <= now && estimate.good_for_ms >= 5_000, "{estimate:?}");
        assert!(estimate.left_ms.is_none_or(|left| left <= 1 << 53), "{estimate:?}");
        let left = estimate.left_at(estimate.at_ms);
        assert_eq!(left, estimate.left_ms);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn estimates_are_finite_for_any_numbers(
        seed in proptest::option::of((numbers(), numbers(), numbers())),
        observed in proptest::collection::vec((numbers(), numbers(), proptest::option::of(numbers())), 0..200),
    ) {
        let mut estimator = seed.map_or(Estimator::new(0), |(began, count, at)| Estimator::resumed(began, count, at));
        let mut now = seed.map_or(0, |(began, _, at)| began.max(at));
        for (at, current, total) in observed {
            now = now.max(at);
            check(estimator.observe(at, current, total), now);
        }
    }

    #[test]
    fn estimates_are_finite_for_any_walk(
        walk in proptest::collection::vec((0_u64..20_000, -50_i64..200, -100_i64..500), 1..400),
    ) {
        // The clock may stand still, the count go back, the total grow and shrink.
        let mut estimator = Estimator::new(0);
        let (mut now, mut current, mut total) = (0_u64, 0_u64, 1_000_u64);
        for (time, steps, more) in walk {
            now += time / 100 * (time % 3);
            current = current.saturating_add_signed(steps);
            total = total.saturating_add_signed(more);
            let estimate = estimator.observe(now, current, Some(total));
            check(estimate, now);
            let again = estimator.observe(now, current, Some(total));
            prop_assert_eq!(again, estimate);
            let stored: Estimator = serde_json::from_str(&serde_json::to_string(&estimator).unwrap()).unwrap();
            prop_assert_eq!(stored.estimate(), estimate);
        }
    }

    #[test]
    fn damaged_estimator_is_harmless(numbers in proptest::collection::vec(any::<f64>(), 40), len in 0_usize..80) {
        let finite = |index: usize| numbers.get(index % 40).copied().filter(|n| n.is_finite()).unwrap_or(0.0);
        let mut stored = serde_json::to_value(Estimator::new(0)).unwrap();
        let knot = |index: usize| serde_json::json!({ "at": finite(index), "count": finite(index + 1), "before": finite(index + 2) });
        stored["knots"] = (0..len).map(knot).collect();
        stored["last"] = knot(7);
        stored["resumed"] = (len % 2 == 0).into();
        for (index, name) in ["at", "now", "first_gap", "open_gap", "longest_gap", "left_out", "paused"].into_iter().enumerate() {
            stored[name] = finite(index + 20).into();
        }
        stored["weights"] = (0..6).map(|index| finite(index + 30)).collect();
        stored["steps"] = 9.into();
        let mut estimator: Estimator = serde_json::from_value(stored).unwrap();
        check(estimator.estimate(), u64::MAX);
        for step in 0..100 {
            check(estimator.observe(step * 1_000, step, Some(50)), u64::MAX);
        }
    }

    #[test]
    fn stages_are_finite_for_any_numbers(
        weights in proptest::collection::vec(numbers(), 0..6),
        index in 0_usize..8,
        part in proptest::option::of(any::<f64>()),
        left_ms in proptest::option::of(numbers()),
        taken_ms in proptest::collection::vec(numbers(), 0..8),
    ) {
        let stage = StageProgress { index, part, left_ms, taken_ms: &taken_ms };
        for weights in [Weights::Measured(&weights), Weights::Equal(weights.len())] {
            let left = time_left(weights, stage);
            prop_assert!(left.is_none_or(|left| left <= 1 << 53), "{left:?}");
        }
    }
}
