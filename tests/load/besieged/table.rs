//! The table of results: measured values, bounds, and whether they hold.

use std::fmt::{self, Display};
use std::time::Duration;

/// The least, the middle, the ninety-ninth of a hundred, and the most.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quantiles {
    pub(super) count: usize,
    least: Duration,
    middle: Duration,
    pub(super) p99: Duration,
    most: Duration,
}

impl Quantiles {
    pub(super) fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let Some(last) = took.len().checked_sub(1) else { return Self::default() };
        let at = |hundredth: usize| took[(took.len() * hundredth).div_ceil(100).clamp(1, last + 1) - 1];
        Self { count: took.len(), least: took[0], middle: at(50), p99: at(99), most: took[last] }
    }
}

fn shown(took: Duration) -> String {
    if took == Duration::MAX { "never".into() } else { format!("{:.1} ms", took.as_secs_f64() * 1_000.0) }
}

impl Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, least, middle, p99, most } = *self;
        let [least, middle, p99, most] = [least, middle, p99, most].map(shown);
        write!(f, "min {least}, p50 {middle}, p99 {p99}, max {most} of {count}")
    }
}

/// The measured values.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    what: String,
    measured: String,
    /// The bound, and whether it holds.
    promised: Option<(String, bool)>,
}

impl Table {
    /// A number that nothing was promised of.
    pub(super) fn tell(&mut self, what: impl Into<String>, measured: impl Display) {
        self.0.push(Row { what: what.into(), measured: measured.to_string(), promised: None });
    }

    /// A number that something was promised of.
    pub(super) fn hold(&mut self, what: &str, measured: impl Display, promised: &str, holds: bool) {
        let promised = Some((promised.to_owned(), holds));
        self.0.push(Row { what: what.to_owned(), measured: measured.to_string(), promised });
    }

    /// The promises that do not hold.
    pub(super) fn broken(&self) -> Vec<&str> {
        let broken = self.0.iter().filter(|row| matches!(row.promised, Some((_, false))));
        broken.map(|row| row.what.as_str()).collect()
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.0.iter().map(|row| row.what.len()).max().unwrap_or_default();
        for Row { what, measured, promised } in &self.0 {
            match promised {
                None => writeln!(f, "      {what:<widest$}  {measured}")?,
                Some((promised, true)) => writeln!(f, "  ok  {what:<widest$}  {measured}  [{promised}]")?,
                Some((promised, false)) => writeln!(f, " RED  {what:<widest$}  {measured}  [{promised}]")?,
            }
        }
        Ok(())
    }
}

/// The ninety-ninth hundredth of a histogram in seconds, as Prometheus writes one: the bound of its bucket, or the
/// quantile of a summary. `None` without one.
pub(super) fn p99_of(figures: &str, name: &str, label: &str) -> Option<f64> {
    let rows = |suffix: &str| -> Vec<(&str, f64)> {
        let rows = figures.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(suffix));
        let rows = rows.filter_map(|row| row.strip_prefix('{')?.split_once("} "));
        let rows = rows.filter(|(labels, _)| labels.contains(label));
        rows.filter_map(|(labels, value)| Some((labels, value.trim().parse().ok()?))).collect()
    };
    let said = |labels: &str, key: &str| -> Option<f64> {
        labels.split(&format!("{key}=\"")).nth(1)?.split('"').next()?.parse().ok()
    };
    let summary = rows("").into_iter().find(|(labels, _)| said(labels, "quantile") == Some(0.99));
    let mut buckets: Vec<(f64, f64)> = rows("_bucket")
        .into_iter()
        .filter_map(|(labels, value)| Some((said(labels, "le").or(Some(f64::INFINITY))?, value)))
        .collect();
    buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
    let all = buckets.last().map_or(0.0, |(_, count)| *count);
    let bucket = buckets.into_iter().find(|(_, count)| all > 0.0 && *count >= all * 0.99);
    bucket.map(|(bound, _)| bound).or(summary.map(|(_, value)| value))
}

#[test]
fn quantiles_use_sorted_samples() {
    let hundred = Quantiles::of((1..=100).rev().map(Duration::from_millis).collect());
    assert_eq!(hundred.to_string(), "min 1.0 ms, p50 50.0 ms, p99 99.0 ms, max 100.0 ms of 100");
    assert_eq!(
        Quantiles::of(vec![Duration::MAX]).to_string(),
        "min never, p50 never, p99 never, max never of 1"
    );
    assert_eq!(Quantiles::of(Vec::new()).count, 0);
}

#[test]
fn histograms_and_summaries_are_read() {
    let figures = "# TYPE a histogram\na_bucket{of=\"x\",le=\"0.5\"} 98\na_bucket{of=\"x\",le=\"1\"} 99\n\
                   a_bucket{of=\"x\",le=\"+Inf\"} 100\na_bucket{of=\"y\",le=\"9\"} 1\na_sum{of=\"x\"} 3\n\
                   b{quantile=\"0.5\"} 0.1\nb{quantile=\"0.99\"} 0.25\nb_count 7\n";
    assert_eq!(p99_of(figures, "a", "of=\"x\""), Some(1.0));
    assert_eq!(p99_of(figures, "a", "of=\"y\""), Some(9.0));
    assert_eq!(p99_of(figures, "b", ""), Some(0.25));
    assert_eq!(p99_of(figures, "c", ""), None);
}

#[test]
fn report_table_names_failed_checks() {
    let mut table = Table::default();
    table.tell("seed", 7);
    table.hold("memory", "9 MiB", "at most 8", false);
    table.hold("ends", "20", "20", true);
    assert_eq!(table.broken(), ["memory"]);
    assert!(table.to_string().contains(" RED  memory  9 MiB  [at most 8]\n  ok  ends    20  [20]\n"));
}
