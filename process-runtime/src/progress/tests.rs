//! What the handle makes of odd values, and which lines it lets go.
//! Refuses to know who reads it.

use super::*;

fn percent(report: impl FnOnce(&Progress)) -> Option<f64> {
    let progress = Progress::detached();
    report(&progress);
    progress.state().percent
}

#[test]
fn odd_percentages_are_clamped_or_unknown() {
    assert_eq!(percent(|p| p.set_progress(50)), Some(50.0));
    assert_eq!(percent(|p| p.set_progress(33.336)), Some(33.34));
    assert_eq!(percent(|p| p.set_progress(-3)), Some(0.0));
    assert_eq!(percent(|p| p.set_progress(f64::INFINITY)), Some(100.0));
    assert_eq!(percent(|p| p.set_progress(f64::NEG_INFINITY)), Some(0.0));
    assert_eq!(percent(|p| p.set_progress(u64::MAX)), Some(100.0));
    assert_eq!(percent(|p| p.set_progress(f64::NAN)), None);
    assert_eq!(percent(|_| ()), None);
}

#[test]
fn odd_counts_are_clamped_or_indeterminate() {
    assert_eq!(percent(|p| p.set_progress_of(1, 3)), Some(33.33));
    assert_eq!(percent(|p| p.set_progress_of(5, 0)), None);
    assert_eq!(percent(|p| p.set_progress_of(5, 4)), Some(100.0));
    assert_eq!(percent(|p| p.set_progress_of(-5, 4)), Some(0.0));
    assert_eq!(percent(|p| p.set_progress_of(1, u64::MAX)), None);
    assert_eq!(percent(|p| p.set_progress_of(u128::MAX, i64::MAX)), Some(100.0));
    assert_eq!(percent(|p| p.set_progress_of(9_999_999, 10_000_000)), Some(99.99));
}

#[test]
fn lines_beyond_the_limit_leave_a_gap_and_spare_warnings() {
    let progress = Progress::detached();
    progress.warn("first");
    for index in 0..MAX_PENDING_LINES + 5 {
        progress.log(index.to_string());
    }
    let lines = progress.read().lines;
    assert_eq!(lines.len(), MAX_PENDING_LINES);
    assert_eq!((lines[0].seq, lines[0].level), (1, Level::Warn));
    assert_eq!(lines[1].seq, 8);
    assert_eq!(lines.last().map(|line| line.seq), Some(MAX_PENDING_LINES as u64 + 6));
}
