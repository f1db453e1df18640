//! When reports are published, how often they are read, and in which pieces they are stored, by a paused clock.

use std::ops::RangeInclusive;

use serde_json::Map;
use tokio::time::sleep;

use super::super::omission::LogLimits;
use super::*;
use crate::limits::Limits;

/// What viewers saw from some time on.
#[derive(Debug, PartialEq)]
struct Told {
    /// In milliseconds since the run began.
    at: u128,
    step: Option<u64>,
    text: String,
    lines: u64,
}

#[derive(Debug, Default)]
struct Story {
    looks: usize,
    told: Vec<Told>,
}

impl Story {
    /// When the log first had this many lines.
    fn line(&self, lines: u64) -> u128 {
        self.told.iter().find(|told| told.lines >= lines).unwrap().at
    }

    /// When each change of the bar was published, and to which step.
    fn steps(&self) -> Vec<(u128, Option<u64>)> {
        let mut steps: Vec<_> = self.told.iter().map(|told| (told.at, told.step)).collect();
        steps.dedup_by_key(|(_, step)| *step);
        steps
    }
}

fn milliseconds(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn rate(per_second: u32) -> Settings {
    Settings { progress_every: Duration::from_secs(1) / per_second, ..Settings::default() }
}

/// Executes a body with a publisher whose store answers immediately, and returns what viewers saw until the end.
async fn story<F: Future<Output = ()>>(settings: Settings, body: impl FnOnce(Progress) -> F) -> Story {
    let run = Run::queued("count", "Counting", Map::new());
    let (progress, feed) =
        (Progress::new(run.id, "Counting", None, 0, Limits::default()), Feed::new(run.clone(), 0));
    feed.execute_here(run.clone(), 0);
    let omission = Omission::new(LogLimits::of(&settings.limits));
    let mut publisher = Publisher::new(progress.clone(), Arc::clone(&feed), omission, &run, &settings);
    let (began, mut story) = (Instant::now(), Story::default());
    let gather = async {
        loop {
            match publisher.next().await {
                Next::Look => {
                    publisher.look();
                    story.looks += 1;
                }
                Next::Save | Next::Saved(_) => {
                    (publisher.unsaved, publisher.save_at) = (Batch::default(), None);
                    feed.stored(u64::MAX);
                }
            }
            let (at, state, lines) = (began.elapsed().as_millis(), feed.run().progress, feed.last_seq());
            let told = Told { at, step: state.current, text: state.text, lines };
            if story
                .told
                .last()
                .is_none_or(|last| (&last.text, last.step, last.lines) != (&told.text, told.step, lines))
            {
                story.told.push(told);
            }
        }
    };
    tokio::select! {
        () = gather => {}
        () = body(progress) => {}
    }
    story
}

fn between<T: PartialOrd + std::fmt::Debug>(value: T, range: RangeInclusive<T>) {
    assert!(range.contains(&value), "{value:?} is not in {range:?}");
}

#[tokio::test(start_paused = true)]
async fn first_line_immediate_next_ones_batched() {
    let story = story(Settings::default(), |progress| async move {
        sleep(milliseconds(100)).await;
        progress.log("first");
        sleep(milliseconds(1)).await;
        progress.log("second");
        sleep(milliseconds(10)).await;
        progress.log("third");
        sleep(milliseconds(100)).await;
    });
    let story = story.await;
    between(story.line(1), 100..=101);
    between(story.line(2), 101..=107);
    between(story.line(3), 111..=113);
}

#[tokio::test(start_paused = true)]
async fn lines_do_not_wait_for_progress() {
    let story = story(Settings::default(), |progress| async move {
        for step in 1..=1_000_u64 {
            progress.set_progress_of(step, 1_000_u64);
            progress.log(step.to_string());
            sleep(milliseconds(1)).await;
        }
        sleep(milliseconds(100)).await;
    });
    let story = story.await;
    for lines in 1..=1_000 {
        let logged = lines as u128 - 1;
        between(story.line(lines), logged..=logged + 8);
    }
    let steps = story.steps();
    between(steps.len(), 15..=23);
    // After the bar as it was before the first report.
    assert!(steps[1..].windows(2).all(|pair| pair[1].0 - pair[0].0 >= 49), "{steps:?}");
    assert_eq!(steps.last().unwrap().1, Some(1_000));
}

#[tokio::test(start_paused = true)]
async fn held_progress_is_sent_when_due() {
    let story = story(Settings::default(), |progress| async move {
        sleep(milliseconds(100)).await;
        progress.set_progress_of(1, 9);
        sleep(milliseconds(10)).await;
        progress.set_progress_of(2, 9);
        progress.log("a line");
        sleep(milliseconds(3)).await;
        progress.set_progress_of(3, 9);
        sleep(milliseconds(200)).await;
    });
    let story = story.await;
    between(story.line(1), 110..=111);
    let steps = story.steps();
    assert_eq!(steps.iter().map(|(_, step)| *step).collect::<Vec<_>>(), [None, Some(1), Some(3)]);
    between(steps[1].0, 100..=101);
    between(steps[2].0, 150..=153);
}

#[tokio::test(start_paused = true)]
async fn hot_loop_progress_is_conflated() {
    let story = story(Settings::default(), |progress| async move {
        for step in 1..=5_000_u64 {
            progress.set_progress_of(step, 5_000_u64);
            sleep(milliseconds(1)).await;
        }
        sleep(milliseconds(100)).await;
    });
    let story = story.await;
    between(story.looks, 95..=120);
    between(story.steps().len(), 95..=105);
    let last = story.told.last().unwrap();
    assert_eq!(last.step, Some(5_000));
    between(last.at, 4_999..=5_055);
}

#[tokio::test(start_paused = true)]
async fn progress_rate_follows_settings() {
    for per_second in [1, 5, 20, 100] {
        let story = story(rate(per_second), |progress| async move {
            for step in 1..=3_000_u64 {
                progress.set_progress_of(step, 3_000_u64);
                sleep(milliseconds(1)).await;
            }
            sleep(milliseconds(1_100)).await;
        });
        let story = story.await;
        let steps = story.steps();
        // Timers have a resolution of a millisecond.
        let most = 3 * per_second as usize + 3;
        between(steps.len(), most * 3 / 4..=most);
        assert_eq!(steps.last().unwrap().1, Some(3_000), "{per_second}");
    }
}

#[tokio::test(start_paused = true)]
async fn slow_progress_rate_delays_no_lines() {
    let story = story(rate(1), |progress| async move {
        progress.set_progress_of(1, 9);
        sleep(milliseconds(100)).await;
        progress.set_progress_of(2, 9);
        progress.log("a line");
        sleep(milliseconds(300)).await;
        let cursor = crate::run::SavedCursor::new(1.into());
        progress.save_cursor(cursor);
        sleep(milliseconds(60)).await;
        assert_eq!(progress.read().cursor, None, "it was read before");
    });
    let story = story.await;
    between(story.line(1), 100..=101);
    assert_eq!(story.steps().last().unwrap().1, Some(1), "the other has to wait");
}

#[tokio::test(start_paused = true)]
async fn idle_run_sends_nothing() {
    let story = story(Settings::default(), |progress| async move {
        for _ in 0..1_000 {
            progress.set_progress_of(1, 2);
            progress.set_progress_text("the same");
            sleep(milliseconds(1)).await;
        }
        progress.log("the only line");
        sleep(Duration::from_secs(60)).await;
    });
    let story = story.await;
    // A viewer that connects before the first report sees none.
    let told = story.told.iter().map(|told| (told.step, told.lines)).skip_while(|(step, _)| step.is_none());
    assert_eq!(told.collect::<Vec<_>>(), [(Some(1), 0), (Some(1), 1)]);
    between(story.looks, 10..=45);
}

#[tokio::test(start_paused = true)]
async fn log_flood_is_read_in_batches() {
    let story = story(Settings::default(), |progress| async move {
        for _ in 0..1_000 {
            (0..100).for_each(|line| progress.log(line.to_string()));
            sleep(milliseconds(1)).await;
        }
        sleep(milliseconds(100)).await;
    });
    let story = story.await;
    assert_eq!(story.told.last().unwrap().lines, 100_000);
    let pieces = story.told.windows(2).map(|pair| pair[1].lines - pair[0].lines);
    between(pieces.max().unwrap(), 300..=8_500);
    between(story.looks, 20..=205);
}

/// The publisher of a run with this many lines of a thousand bytes, and a cursor saved after them.
fn flooded(lines: u64) -> (Progress, Publisher) {
    let run = Run::queued("count", "Counting", Map::new());
    let progress = Progress::new(run.id, "Counting", None, 0, Limits::default()).with_store();
    let feed = Feed::new(run.clone(), 0);
    feed.execute_here(run.clone(), 0);
    (0..lines).for_each(|_| progress.log("x".repeat(1_000)));
    let cursor = crate::run::SavedCursor::new(1.into());
    progress.save_cursor(cursor);
    let settings = Settings::default();
    let omission = Omission::new(LogLimits::of(&settings.limits));
    let mut publisher = Publisher::new(progress.clone(), feed, omission, &run, &settings);
    publisher.look();
    (progress, publisher)
}

fn extent(batch: &Batch) -> (u64, usize) {
    (batch.lines.last().unwrap().seq, batch.lines.iter().map(crate::run::LogLine::size).sum())
}

#[tokio::test]
async fn lines_stored_in_batches_cursor_last() {
    let (progress, mut publisher) = flooded(2_500);
    let (mut stored, mut pieces) = (0, 0);
    while let Some(piece) = publisher.next_piece() {
        let (last, size) = extent(&piece);
        assert_eq!((piece.lines[0].seq, size <= PIECE), (stored + 1, true));
        assert_eq!(piece.cursor.is_some(), last == 2_500, "with all that came before it");
        publisher.has(last, size);
        (stored, pieces) = (last, pieces + 1);
    }
    assert_eq!((stored, pieces), (2_500, 3));
    assert_eq!(publisher.feed.unstored_size(), 0);
    assert_eq!(progress.state().warnings, 0, "nothing was left out");
}

#[tokio::test]
async fn failed_batch_is_retried_without_loss() {
    let (progress, mut publisher) = flooded(2_500);
    let first = publisher.next_piece().unwrap();
    publisher.failed(&StoreError::Unavailable("full".into()));
    progress.log("later");
    publisher.take(Instant::now());
    let mut lines = Vec::new();
    let mut cursor = None;
    assert_eq!(publisher.next_piece().unwrap().lines, first.lines);
    publisher.put_back();
    while let Some(piece) = publisher.next_piece() {
        let (last, size) = extent(&piece);
        publisher.has(last, size);
        cursor = cursor.or(piece.cursor);
        lines.extend(piece.lines);
    }
    assert!(lines.iter().map(|line| line.seq).eq(1..=2_501) && cursor.is_some());
}

#[tokio::test]
async fn silent_run_stores_its_time() {
    let (_progress, mut publisher) = flooded(0);
    while let Some(piece) = publisher.next_piece() {
        let (last, size) = (piece.lines.last().map_or(0, |line| line.seq), 0);
        publisher.has(last, size);
    }
    tokio::time::sleep(milliseconds(20)).await;
    publisher.ping();
    publisher.take(Instant::now());
    let piece = publisher.next_piece().unwrap();
    assert!(piece.elapsed_ms >= 20 && piece.lines.is_empty(), "{piece:?}");
    publisher.has(0, 0);
    assert_eq!(publisher.next_piece(), None, "once");
}
