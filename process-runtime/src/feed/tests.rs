//! What the viewers of a feed receive.

use serde_json::{Map, Value};

use super::kept::RECENT;
use super::*;
use crate::run::{Level, LogLine, Outcome};
use crate::wire::Frame;

fn run() -> Run {
    let mut run = Run::queued("count", "Counting", Map::new());
    (run.status, run.attempt) = (RunStatus::Running, 1);
    run
}

fn line(seq: u64) -> LogLine {
    LogLine {
        seq,
        at: jiff::Timestamp::now(),
        level: Level::Info,
        text: format!("line {seq}"),
        styles: Vec::new(),
    }
}

fn lines(numbers: impl IntoIterator<Item = u64>) -> Vec<LogLine> {
    numbers.into_iter().map(line).collect()
}

fn frame(feed: &Feed, seen: &mut Offset) -> Frame {
    match feed.due(seen) {
        Pending::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

fn text(feed: &Feed, seen: &mut Offset) -> String {
    String::from_utf8(frame(feed, seen).events().to_vec()).unwrap()
}

fn ended(mut run: Run) -> Run {
    run.progress.percent = Some(100.0);
    let mut record = crate::store::Record::new(run, None);
    record.finish(Outcome::Succeeded(Value::Null), jiff::Timestamp::now());
    record.run
}

#[test]
fn lines_arrive_once_progress_is_conflated() {
    let feed = Feed::new(run(), 0);
    let (opening, mut seen) = feed.snapshot(0, 0);
    assert_eq!((opening.recent.len(), opening.last_seq), (0, 0));
    let mut news = run();
    for step in 1..=3 {
        news.progress.percent = Some(f64::from(step));
        feed.publish(|run| run.clone_from(&news), &[line(step as u64)]);
    }
    let got = text(&feed, &mut seen);
    assert_eq!(got.matches("event: log").count(), 3);
    assert_eq!(got.matches("event: progress").count(), 1);
    assert!(got.contains("\"percent\":3.0"));
    assert!(matches!(feed.due(&mut seen), Pending::NotYet));
    feed.end(ended(news));
    assert!(text(&feed, &mut seen).contains("event: end"));
    assert!(matches!(feed.due(&mut seen), Pending::Nothing));
}

#[test]
fn equal_offsets_share_encoded_bytes() {
    let feed = Feed::new(run(), 0);
    let (_, seen) = feed.snapshot(0, 0);
    feed.publish(|run| run.progress.percent = Some(1.0), lines(1..=64));
    let (mut one, mut other) = (seen, seen);
    let (first, second) = (frame(&feed, &mut one), frame(&feed, &mut other));
    assert_eq!(first.chunk().as_ptr(), second.chunk().as_ptr());
    assert_eq!(one, other);
    // A viewer that polls later gets the later lines, too.
    feed.publish(|_| (), lines(65..=65));
    let mut late = seen;
    let third = frame(&feed, &mut late);
    assert_ne!(first.chunk().as_ptr(), third.chunk().as_ptr());
    assert_eq!(String::from_utf8_lossy(&third.events()).matches("event: log").count(), 65);
}

#[test]
fn late_viewer_gets_bounded_chunks() {
    let feed = Feed::new(run(), 0);
    let (_, mut seen) = feed.snapshot(0, 0);
    for hundred in 0..20 {
        let lines = lines(hundred * 100 + 1..=hundred * 100 + 100);
        feed.publish(|run| run.progress.percent = Some(hundred as f64), lines);
    }
    let first = text(&feed, &mut seen);
    // The bar is up to date, and has no position because the lines are not.
    assert!(first.starts_with("event: progress\ndata: ") && first.contains("\"percent\":19.0"));
    let (mut all, mut pieces) = (first, 1);
    while let Pending::Frame(frame) = feed.due(&mut seen) {
        assert!(frame.events().len() < 128 * 1024);
        all.push_str(std::str::from_utf8(&frame.events()).unwrap());
        pieces += 1;
    }
    assert!(pieces > 2, "{pieces}");
    let numbers = all.lines().filter_map(|line| line.strip_prefix("data: "));
    let numbers = numbers.filter_map(|data| serde_json::from_str::<Value>(data).unwrap()["seq"].as_u64());
    assert!(numbers.eq(1..=2_000));
    assert_eq!(all.matches("event: progress").count(), 1, "the latest, behind the lines");
}

#[test]
fn events_are_ordered_by_offset() {
    let feed = Feed::new(run(), 0);
    let (_, seen) = feed.snapshot(0, 0);
    feed.publish(|_| (), lines(1..=2));
    feed.publish(|run| run.progress.percent = Some(1.0), lines(3..=3));
    feed.publish(|_| (), lines(4..=5));
    for (mut seen, ids) in [(seen, "1 2 3 3 4 5"), (seen.without_lines(), "3")] {
        let given = text(&feed, &mut seen);
        let given =
            given.lines().filter_map(|line| Some(line.strip_prefix("id: ")?.rsplit('-').next().unwrap()));
        assert_eq!(given.collect::<Vec<_>>().join(" "), ids);
    }
}

#[test]
fn progress_subscription_gets_no_lines() {
    let feed = Feed::new(run(), 0);
    let (_, seen) = feed.snapshot(0, 0);
    let mut seen = seen.without_lines();
    feed.publish(|run| run.progress.percent = Some(1.0), lines(1..=10));
    assert!(text(&feed, &mut seen).contains("event: progress"));
    flood(&feed, 100, 1_000);
    assert!(matches!(feed.due(&mut seen), Pending::NotYet));
    feed.end(ended(run()));
    let end = text(&feed, &mut seen);
    assert!(end.contains("event: end") && !end.contains("event: log"));
}

#[test]
fn nothing_sent_when_nothing_changed() {
    let feed = Feed::new(run(), 0);
    let (_, mut seen) = feed.snapshot(0, 0);
    feed.publish(|_| (), &[]);
    feed.publish(|run| run.elapsed_ms += 1, &[line(0)]);
    assert!(matches!(feed.due(&mut seen), Pending::NotYet), "neither lines of before nor the clock are news");
    feed.publish(|run| run.progress.text = "new".to_owned(), &[]);
    assert!(text(&feed, &mut seen).contains("event: progress"));
}

/// Publishes lines of this size, a hundred at a time.
fn flood(feed: &Feed, hundreds: u64, bytes: usize) {
    for start in 0..hundreds {
        let mut lines = lines(start * 100 + 1..=start * 100 + 100);
        lines.iter_mut().for_each(|line| line.text = "x".repeat(bytes));
        feed.publish(|_| (), lines);
    }
}

#[test]
fn lagging_viewer_is_told() {
    let feed = Feed::new(run(), 0);
    let (_, mut seen) = feed.snapshot(0, 0);
    flood(&feed, 30, 1_000);
    assert!(matches!(feed.due(&mut seen), Pending::Behind));
    let (opening, mut seen) = feed.snapshot(usize::MAX, usize::MAX);
    let Snapshot { evicted, recent, last_seq, .. } = opening;
    let size: usize = recent.iter().map(LogLine::size).sum();
    assert_eq!((evicted + recent.len() as u64, last_seq), (3_000, 3_000));
    assert!((RECENT - 40_000..=RECENT).contains(&size), "{size}");
    feed.publish(|_| (), [line(3_001)]);
    assert_eq!(text(&feed, &mut seen).matches("event: log").count(), 1);
}

#[test]
fn unstored_line_is_not_evicted() {
    let feed = Feed::new(run(), 0);
    feed.execute_here(run(), 0);
    let (_, mut seen) = feed.snapshot(0, 0);
    flood(&feed, 30, 1_000);
    assert!(feed.unstored_size() > 3 * RECENT / 2);
    assert!(matches!(feed.next_lines(0, usize::MAX), Next::Lines(lines) if lines.len() == 3_000));
    assert!(matches!(feed.due(&mut seen), Pending::Frame(_)));
    // The store takes the pieces one after the other.
    let mut stored = 0;
    while feed.unstored_size() > 0 {
        let piece = feed.unstored(u64::MAX, 100_000);
        assert_eq!(
            (piece[0].seq, piece.iter().map(LogLine::size).sum::<usize>() <= 100_000),
            (stored + 1, true)
        );
        stored = piece.last().unwrap().seq;
        feed.stored(stored);
        let at_hand = feed.snapshot(0, 0).0.evicted;
        assert!(at_hand <= stored, "{at_hand} is evicted, and {stored} is stored");
    }
    assert_eq!(stored, 3_000);
    assert!(matches!(feed.next_lines(0, usize::MAX), Next::Stored(evicted) if evicted > 1_500));
}

#[test]
fn unstored_lines_end_at_limit() {
    let feed = Feed::new(run(), 0);
    feed.execute_here(run(), 0);
    feed.publish(|_| (), lines(1..=10));
    let numbers = |until, bytes| feed.unstored(until, bytes).iter().map(|line| line.seq).collect::<Vec<_>>();
    assert_eq!(numbers(4, usize::MAX), [1, 2, 3, 4]);
    assert_eq!(numbers(u64::MAX, 0), [1], "one at least");
    feed.stored(9);
    assert_eq!(numbers(u64::MAX, usize::MAX), [10]);
    assert_eq!(feed.unstored_size(), line(10).size());
}

#[test]
fn lost_lines_are_retracted() {
    let feed = Feed::new(run(), 0);
    feed.execute_here(run(), 0);
    feed.publish(|_| (), lines(1..=10));
    feed.stored(6);
    let (_, mut seen) = feed.snapshot(0, 0);
    // Another node now has the run, and continues after the stored lines.
    feed.executed_elsewhere();
    assert_eq!(feed.last_seq(), 6);
    assert!(matches!(feed.due(&mut seen), Pending::Behind));
    assert!(matches!(feed.next_lines(seen.seq(), 1), Next::Lost(6)));
    feed.publish(|_| (), lines(7..=8));
    let (_, mut seen) = feed.snapshot(0, 0);
    feed.publish(|_| (), lines(9..=9));
    assert_eq!(text(&feed, &mut seen).matches("event: log").count(), 1);
    assert_eq!(feed.unstored_size(), 0, "they come from the store");
}

#[tokio::test]
async fn waiting_viewer_is_woken_once() {
    let feed = Feed::new(run(), 0);
    let mut news = feed.subscribe();
    feed.publish(|_| (), lines(1..=1));
    feed.publish(|_| (), lines(2..=2));
    news.next().await;
    let again = tokio::time::timeout(std::time::Duration::from_millis(20), news.next());
    assert!(again.await.is_err());
    feed.ping();
    news.next().await;
}

#[test]
fn new_viewers_share_one_snapshot() {
    let feed = Feed::new(run(), 0);
    let (_, seen) = feed.snapshot(0, 0);
    let made = Frame::of(&[Bytes::from_static(b"event: snapshot\n\n")]);
    assert!(feed.cached_snapshot("/jobs", 1).is_none());
    feed.cache_snapshot("/jobs", 1, &made, seen);
    let (kept, at) = feed.cached_snapshot("/jobs", 1).unwrap();
    assert_eq!((kept.chunk().as_ptr(), at), (made.chunk().as_ptr(), seen));
    assert!(feed.cached_snapshot("/other", 1).is_none());
    assert!(feed.cached_snapshot("/jobs", 0).is_none());
}

#[test]
fn elapsed_time_never_goes_back() {
    let feed = Feed::new(run(), 0);
    feed.execute_here(run(), 0);
    feed.publish(|run| run.elapsed_ms = 8_000, []);
    std::thread::sleep(std::time::Duration::from_millis(30));
    // The body is silent; a pause is requested, then it stalls.
    feed.publish(|run| run.pausing = true, []);
    assert!(feed.run().elapsed_ms >= 8_030, "{}", feed.run().elapsed_ms);
    feed.publish(|run| (run.pausing, run.stalled, run.elapsed_ms) = (false, true, 200), []);
    assert!(feed.run().elapsed_ms >= 8_030, "{}", feed.run().elapsed_ms);
    let mut paused = feed.run();
    (paused.status, paused.elapsed_ms) = (RunStatus::Paused, 100);
    feed.publish(|run| *run = paused, []);
    assert!(feed.run().elapsed_ms >= 8_030, "{}", feed.run().elapsed_ms);
}
