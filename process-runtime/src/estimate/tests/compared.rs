//! The estimator beside those of indicatif and tqdm.
//!
//! `cargo test -p process-runtime --lib estimate -- --nocapture` prints the tables.

use std::fmt::Write as _;

use super::super::{Estimate, Estimator, StageProgress, Weights, time_left};
use super::rivals::{Indicatif, Rival, Tqdm};
use super::traces::{Chance, Trace, generated, recorded};

/// A relative error beyond it counts as this much, so that one moment does not decide.
const GREATEST: f64 = 10.0;
const SEEDS: u64 = 3;
const TOLERANCE: f64 = 0.02;

/// The estimator as the runtime uses it: it is told the latest values at most 20 times a second.
struct Ours {
    estimator: Estimator,
    estimate: Option<Estimate>,
    tick: f64,
    waiting: Option<(f64, u64, u64)>,
}

fn ms(seconds: f64) -> u64 {
    (seconds * 1_000.0) as u64
}

impl Ours {
    fn new(resumed: Option<(u64, f64)>) -> Self {
        let estimator = resumed.map_or(Estimator::new(0), |(count, at)| Estimator::resumed(0, count, ms(at)));
        Self { estimator, estimate: None, tick: -1.0, waiting: None }
    }

    fn catch_up(&mut self, now: f64) {
        if (now * 20.0).floor() > self.tick
            && let Some((at, current, total)) = self.waiting.take()
        {
            self.estimate = self.estimator.observe(ms(at), current, Some(total));
        }
    }
}

impl Rival for Ours {
    fn feed(&mut self, at: f64, current: u64, total: u64) {
        self.catch_up(at);
        self.tick = (at * 20.0).floor();
        self.waiting = Some((at, current, total));
    }

    fn left(&self, now: f64) -> Option<f64> {
        self.estimate?.left_at(ms(now)).map(|left| left as f64 / 1_000.0)
    }
}

/// The mean and the greatest relative error of the time left, and the part of the moments with an estimate.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    mean: f64,
    worst: f64,
    shown: f64,
}

/// Compares at moments from 5 % to 95 % of a run at which each shows something.
fn compare(trace: &Trace) -> [Score; 3] {
    const MOMENTS: u32 = 300;
    let (count, began) = trace.resumed.unwrap_or_default();
    let mut ours = Ours::new(trace.resumed);
    ours.estimate = ours.estimator.observe(ms(began), count, Some(trace.points[0].2));
    let (mut indicatif, mut tqdm) = (Indicatif::new(count, began), Tqdm::new(count, began));
    let mut points = trace.points.iter().peekable();
    let mut scores = [Score::default(); 3];
    let mut common = 0.0;
    for moment in 0..=MOMENTS {
        let part = 0.05 + 0.9 * f64::from(moment) / f64::from(MOMENTS);
        let now = trace.begin() + (trace.end() - trace.begin()) * part;
        while let Some(&(at, current, total)) = points.next_if(|point| point.0 <= now) {
            let all: [&mut dyn Rival; 3] = [&mut ours, &mut indicatif, &mut tqdm];
            all.into_iter().for_each(|rival| rival.feed(at, current, total));
        }
        ours.catch_up(now);
        let left = [ours.left(now), indicatif.left(now), tqdm.left(now)];
        for (score, left) in scores.iter_mut().zip(left) {
            score.shown += f64::from(u8::from(left.is_some())) / f64::from(MOMENTS + 1);
        }
        if let [Some(one), Some(two), Some(three)] = left {
            common += 1.0;
            let truth = trace.end() - now;
            for (score, left) in scores.iter_mut().zip([one, two, three]) {
                let error = ((left - truth).abs() / truth).min(GREATEST);
                score.mean += error;
                score.worst = score.worst.max(error);
            }
        }
    }
    scores.map(|score| Score { mean: score.mean / common, ..score })
}

/// The mean of scores of the same run from several seeds.
fn average(scores: &[[Score; 3]]) -> [Score; 3] {
    let mean = |of: fn(&Score) -> f64, one: usize| {
        scores.iter().map(|all| of(&all[one])).sum::<f64>() / scores.len() as f64
    };
    std::array::from_fn(|one| Score {
        mean: mean(|score| score.mean, one),
        worst: mean(|score| score.worst, one),
        shown: mean(|score| score.shown, one),
    })
}

fn row(name: &str, [ours, indicatif, tqdm]: [Score; 3]) -> String {
    let mut row = format!("{name:45}");
    for score in [ours, indicatif, tqdm] {
        write!(row, " | {:5.1} {:6.1}", score.mean * 100.0, score.worst * 100.0).unwrap();
    }
    row + &format!(" | {:3.0}", ours.shown * 100.0)
}

fn head(others: &str) -> String {
    format!("{:45} | ours         | {others} | shown\n{:45} |", "relative error in %: mean, worst", "")
}

#[test]
fn estimates_beat_indicatif_and_tqdm() {
    let seeds: Vec<_> = (1..=SEEDS).map(generated).collect();
    let mut rows: Vec<_> = seeds[0]
        .iter()
        .enumerate()
        .map(|(index, trace)| {
            let scores: Vec<_> = seeds.iter().map(|traces| compare(&traces[index])).collect();
            (trace.class, trace.name, average(&scores))
        })
        .collect();
    rows.extend(recorded().iter().map(|trace| (trace.class, trace.name, compare(trace))));
    println!("{}", head("indicatif    | tqdm        "));
    let mut worse = Vec::new();
    for (class, name, scores) in rows {
        let row = row(&format!("{class}: {name}"), scores);
        println!("{row}");
        let [ours, indicatif, tqdm] = scores;
        let best = indicatif.mean.min(tqdm.mean);
        let must_be_better = ["slowing", "bursty", "resumed"].contains(&class);
        if ours.mean > best + if must_be_better { 0.0 } else { TOLERANCE.max(best / 14.0) }
            || ours.shown < 0.7
        {
            worse.push(row);
        }
    }
    assert!(worse.is_empty(), "worse than another:\n{}", worse.join("\n"));
}

/// A run of stages that take these times, in seconds; within each, 500 items or, without them, nothing is reported. Gives
/// the scores of the time left of the run: ours, and those of the others that are given the part of the run that is done,
/// in ten-thousandths, or only the steps of the stage.
fn compare_stages(
    durations: &[f64],
    weights: Weights<'_>,
    has_items: impl Fn(usize) -> bool,
) -> ([Score; 3], Score) {
    const ITEMS: u32 = 500;
    const WHOLE: u64 = 10_000;
    let end: f64 = durations.iter().sum();
    let (mut indicatif, mut tqdm) = (Indicatif::new(0, 0.0), Tqdm::new(0, 0.0));
    let (mut scores, mut of_stage) = ([Score::default(); 3], Score::default());
    let (mut began, mut moments, mut common) = (0.0, 0.0, 0.0);
    let mut taken = Vec::new();
    for (index, duration) in durations.iter().enumerate() {
        let mut estimator = Estimator::new(ms(began));
        let mut alone = Indicatif::new(0, began);
        taken.push(0);
        for item in 1..=ITEMS {
            let part = f64::from(item) / f64::from(ITEMS);
            let now = began + duration * part;
            let estimate = has_items(index)
                .then(|| estimator.observe(ms(now), item.into(), Some(ITEMS.into())))
                .flatten();
            taken[index] = ms(now - began);
            let stage = StageProgress {
                index,
                part: has_items(index).then_some(part),
                left_ms: estimate.and_then(|estimate| estimate.left_at(ms(now))),
                taken_ms: &taken,
            };
            let done = weights.done(index, if has_items(index) { part } else { 0.0 }).unwrap();
            let all: [&mut dyn Rival; 2] = [&mut indicatif, &mut tqdm];
            all.into_iter().for_each(|rival| rival.feed(now, (done * WHOLE as f64) as u64, WHOLE));
            if has_items(index) {
                alone.feed(now, item.into(), ITEMS.into());
            }
            if !(0.05..=0.95).contains(&(now / end)) {
                continue;
            }
            moments += 1.0;
            let ours = time_left(weights, stage).map(|left| left as f64 / 1_000.0);
            scores[0].shown += f64::from(u8::from(ours.is_some()));
            if let (Some(one), Some(two), Some(three)) = (ours, indicatif.left(now), tqdm.left(now)) {
                // Stages of all lengths have as many moments: they count by their time.
                common += duration;
                let add = |score: &mut Score, left: f64| {
                    let error = ((left - (end - now)).abs() / (end - now)).min(GREATEST);
                    score.mean += error * duration;
                    score.worst = score.worst.max(error);
                };
                scores.iter_mut().zip([one, two, three]).for_each(|(score, left)| add(score, left));
                add(&mut of_stage, alone.left(now).unwrap_or(0.0));
            }
        }
        began += duration;
    }
    scores[0].shown /= moments;
    let mean = |score: Score| Score { mean: score.mean / common, ..score };
    (scores.map(mean), mean(of_stage))
}

#[test]
fn stages_beat_indicatif_and_tqdm() {
    let earlier = [4_000_u64, 60_000, 20_000, 150_000, 10_000, 30_000];
    let chance = &mut Chance(1);
    let mut rows: Vec<(&str, [Score; 3], Score)> = Vec::new();
    let mut add = |name, durations: &[f64], weights, has_items: &dyn Fn(usize) -> bool| {
        let (scores, of_stage) = compare_stages(durations, weights, has_items);
        rows.push((name, scores, of_stage));
    };
    let mut scaled = |factor: f64, spread: f64| -> Vec<f64> {
        earlier.iter().map(|&ms| ms as f64 / 1_000.0 * factor * chance.about_one(spread)).collect()
    };
    add("as in earlier runs", &scaled(1.0, 0.05), Weights::Measured(&earlier), &|_| true);
    add("twice as long", &scaled(2.0, 0.2), Weights::Measured(&earlier), &|_| true);
    add("a tenth as long", &scaled(0.1, 0.2), Weights::Measured(&earlier), &|_| true);
    add("each stage up to half longer or shorter", &scaled(1.0, 0.5), Weights::Measured(&earlier), &|_| true);
    add("two stages without items", &scaled(1.3, 0.2), Weights::Measured(&earlier), &|index| index % 3 != 1);
    println!("{}", head("indicatif    | tqdm        "));
    for (name, scores, of_stage) in rows {
        println!(
            "{} | of the stage alone {:.1}",
            row(&format!("stages: {name}"), scores),
            of_stage.mean * 100.0
        );
        let [ours, indicatif, tqdm] = scores;
        assert!(
            ours.mean <= indicatif.mean.min(tqdm.mean) + TOLERANCE && ours.mean < of_stage.mean,
            "{name}"
        );
        assert!(ours.shown > 0.9, "{name}");
    }
}
