//! The rate and the time left of a run, as texts. `estimate.js` writes the same; change both together.

use crate::run::{Estimate, Run, RunStatus};
use crate::texts::Texts;

/// The elapsed time after which a missing estimate is explained, in milliseconds.
const EXPLAINED_AFTER: u64 = 10_000;

/// True while there is something to estimate.
fn moves(run: &Run) -> bool {
    run.status == RunStatus::Running && run.progress.percent.is_none_or(|percent| percent < 100.0)
}

/// The rate of a run: `12/s`, `6/min` or nothing.
pub(super) fn rate(texts: &Texts, run: &Run) -> String {
    let estimate = run.progress.estimate.filter(|estimate| estimate.holds_at(run.elapsed_ms));
    let Some(each) = estimate.and_then(|estimate| estimate.rate).filter(|_| moves(run)) else {
        return String::new();
    };
    let (key, value) = if each >= 0.995 { ("rate.second", each) } else { ("rate.minute", each * 60.0) };
    texts.with(key, &[("n", &texts.grouped(&rounded(value).to_string()))])
}

/// The time left of a run: `about 3 m left`, why it is unknown, or nothing.
pub(super) fn left(texts: &Texts, run: &Run) -> String {
    if !moves(run) {
        return String::new();
    }
    let elapsed = run.elapsed_ms;
    let seconds = match run.progress.estimate {
        Some(estimate) if !estimate.holds_at(elapsed) => return texts.text("left.unknown").to_owned(),
        Some(Estimate { left_ms: Some(_), .. }) => {
            let left_ms = run.progress.estimate.and_then(|estimate| estimate.left_at(elapsed));
            left_ms.unwrap_or_default() as f64 / 1_000.0
        }
        _ if run.progress.percent.is_none() && elapsed > EXPLAINED_AFTER => {
            return texts.text("left.no_total").to_owned();
        }
        _ => return String::new(),
    };
    let about = match seconds {
        86_400.0.. => return texts.text("left.day").to_owned(),
        ..10.0 => return texts.text("left.seconds").to_owned(),
        ..55.0 => (seconds / 10.0).ceil() * 10.0,
        ..5_400.0 => (seconds / 60.0 + 0.5).floor().max(1.0) * 60.0,
        _ => (seconds / 3_600.0 + 0.5).floor() * 3_600.0,
    };
    texts.with("left.about", &[("time", &texts.duration((about * 1_000.0) as u64, false))])
}

/// Two or three digits.
fn rounded(value: f64) -> f64 {
    if value < 9.95 {
        return (value * 10.0 + 0.5).floor() / 10.0;
    }
    let mut unit = 1.0;
    while value / unit >= 999.5 {
        unit *= 10.0;
    }
    (value / unit + 0.5).floor() * unit
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn running(estimate: Option<Estimate>, elapsed_ms: u64) -> Run {
        let mut run = Run::queued("a", "A", Map::new());
        run.status = RunStatus::Running;
        run.elapsed_ms = elapsed_ms;
        run.progress.estimate = estimate;
        run
    }

    fn estimate(rate: Option<f64>, left_ms: Option<u64>) -> Option<Estimate> {
        Some(Estimate { rate, left_ms, at_ms: 20_000, good_for_ms: 8_000 })
    }

    #[test]
    fn time_left_is_rounded() {
        let said = |left_ms| left(Texts::english(), &running(estimate(None, Some(left_ms)), 20_000));
        for (left_ms, expected) in [
            (9_999, "a few seconds left"),
            (10_000, "about 10 s left"),
            (34_001, "about 40 s left"),
            (54_999, "about 1 m left"),
            (55_000, "about 1 m left"),
            (540_000, "about 9 m left"),
            (36_000_000, "about 10 h left"),
            (86_400_000, "more than a day left"),
        ] {
            assert_eq!(said(left_ms), expected, "{left_ms}");
        }
    }

    #[test]
    fn time_left_falls_and_ends_with_its_estimate() {
        let said = |elapsed| left(Texts::english(), &running(estimate(None, Some(44_000)), elapsed));
        assert_eq!(said(20_000), "about 50 s left");
        assert_eq!(said(27_000), "about 40 s left");
        assert_eq!(said(28_001), "no estimate: no recent progress");
    }

    #[test]
    fn missing_estimate_is_explained() {
        let said = |estimate, elapsed| left(Texts::english(), &running(estimate, elapsed));
        assert_eq!(said(None, 9_000), "");
        assert_eq!(said(None, 11_000), "no estimate: total unknown");
        assert_eq!(said(estimate(Some(1.0), None), 21_000), "no estimate: total unknown");
        let mut counted = running(None, 11_000);
        counted.progress.percent = Some(12.0);
        assert_eq!(left(Texts::english(), &counted), "");
        counted.status = RunStatus::Paused;
        assert_eq!(left(Texts::english(), &counted), "");
    }

    #[test]
    fn rates_have_few_digits() {
        let said = |each| rate(Texts::english(), &running(estimate(Some(each), None), 20_000));
        for (each, expected) in [
            (0.1, "6/min"),
            (0.99, "59/min"),
            (1.25, "1.3/s"),
            (9.96, "10/s"),
            (123.4, "123/s"),
            (12_345.0, "12,300/s"),
        ] {
            assert_eq!(said(each), expected);
        }
        assert_eq!(rate(Texts::english(), &running(estimate(Some(1.0), None), 30_000)), "");
    }
}
