//! How the handle treats odd values, and how often a change is read.

use super::*;
use crate::run::Run;

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
fn stages_weigh_in_run_percent() {
    let progress = Progress::detached();
    progress.weigh(vec![1_000, 3_000, 1, 5_999]);
    let shown = || (progress.state().percent, progress.state().bar_percent());
    progress.stage_of(1, 4, "Reading");
    assert_eq!(shown(), (Some(0.0), None));
    progress.set_progress_of(9, 10);
    assert_eq!(shown(), (Some(9.0), Some(90.0)));
    progress.stage_of(2, 4, "Sorting");
    assert_eq!(shown(), (Some(10.0), None));
    progress.set_progress(50);
    assert_eq!(shown(), (Some(25.0), Some(50.0)));
    assert_eq!(progress.state().stage.unwrap().current, None);
    progress.stage_of(4, 4, "Writing");
    assert_eq!(shown(), (Some(40.01), None));
    progress.stage("Something else");
    progress.set_progress(50);
    assert_eq!(shown(), (None, Some(50.0)));
}

#[test]
fn resumed_stage_shows_same_percent() {
    let progress = Progress::detached();
    progress.weigh(vec![1, 9]);
    progress.stage_of(2, 2, "Sorting");
    progress.set_progress_of(4, 8);
    let mut run = Run::queued("a", "A", serde_json::Map::new());
    run.progress = progress.state();
    run.bookkeeping.cursor = Some(crate::run::SavedCursor::new(1.into()));
    let resumed = Progress::detached();
    resumed.restore(&run);
    assert_eq!(resumed.state(), ProgressState { title: String::new(), ..run.progress });
    assert_eq!(resumed.state().percent, Some(55.0));
}

#[test]
fn growing_total_keeps_first_total() {
    let progress = Progress::detached();
    let first = || progress.state().first_total;
    progress.set_progress_of(8, 10);
    assert_eq!(first(), None);
    progress.set_progress_of(9, 500);
    progress.set_progress_of(47, 1_000);
    assert_eq!((first(), progress.state().percent), (Some(10), Some(4.7)));
    progress.set_progress_of(48, 900);
    assert_eq!(first(), Some(10));
    progress.stage("Next");
    assert_eq!(first(), None);
    progress.set_progress_of(1, 10);
    progress.set_progress(3);
    progress.set_progress_of(1, 20);
    assert_eq!(first(), None);
}

#[test]
fn file_changes_are_read_once() {
    let folder = std::env::temp_dir().join(RunId::new().to_string());
    std::fs::create_dir(&folder).unwrap();
    let progress = Progress::detached_in(folder.join("kept"));
    let (media_type, stored) = ("text/plain".into(), "stored".into());
    let mut run = Run::queued("a", "A", serde_json::Map::new());
    run.files.push(RunFile { name: "old.txt".into(), size: 1, media_type, stored });
    progress.restore(&run);
    assert_eq!(progress.read().files, None);
    std::fs::write(folder.join("new.txt"), "new").unwrap();
    progress.artifact("new.txt", folder.join("new.txt")).unwrap();
    let names = |files: Vec<RunFile>| files.into_iter().map(|file| file.name).collect::<Vec<_>>();
    assert_eq!(progress.read().files.map(names), Some(vec!["old.txt".into(), "new.txt".into()]));
    assert_eq!(progress.read().files, None);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn progress_reads_are_not_torn() {
    let progress = Progress::detached();
    progress.set_progress_of(1, 2);
    std::thread::scope(|scope| {
        let reporter = scope.spawn(|| {
            for step in 1..=100_000_u64 {
                progress.set_progress_of(step, 2 * step);
            }
        });
        while !reporter.is_finished() {
            let state = progress.state();
            assert_eq!(state.current.map(|step| 2 * step), state.total);
        }
    });
    assert_eq!(progress.state().current, Some(100_000));
}
