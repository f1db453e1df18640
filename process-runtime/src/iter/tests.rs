//! Bars and cursors of loops, without a run.

use std::task::Waker;

use futures_util::{FutureExt, Stream, StreamExt, stream};

use std::pin::Pin;
use std::task::Poll;

use super::*;
use crate::progress::{Progress, Stop};
use crate::run::Outcome;

type Shown = (Option<u64>, Option<u64>);

/// What the bar shows after each item, and after the end.
fn shown<T>(of: impl FnOnce() -> WithProgress<T>) -> Vec<Shown>
where
    WithProgress<T>: Iterator,
{
    let progress = Progress::detached();
    let mut items = progress.enter(of);
    let mut shown = Vec::new();
    loop {
        let more = items.next().is_some();
        let state = progress.state();
        shown.push((state.current, state.total));
        if !more {
            return shown;
        }
    }
}

fn bar(current: u64, total: u64) -> Shown {
    (Some(current), Some(total))
}

#[test]
fn item_counts_when_next_is_requested() {
    assert_eq!(shown(|| ['a', 'b'].into_iter().progress()), [bar(0, 2), bar(1, 2), bar(2, 2)]);
}

#[test]
fn total_is_unknown_without_exact_length() {
    let some = || (1..=4).filter(|n| n % 2 == 0);
    assert_eq!(shown(|| some().progress()), [(None, None), (Some(1), None), (Some(2), None)]);
    assert_eq!(shown(|| some().progress_of(2)), [bar(0, 2), bar(1, 2), bar(2, 2)]);
}

#[test]
fn skipped_items_count_with_next() {
    let progress = Progress::detached();
    let mut items = progress.enter(|| (0..10).progress());
    assert_eq!((items.next(), items.nth(2), items.next()), (Some(0), Some(3), Some(4)));
    assert_eq!(progress.state().current, Some(4));
    assert_eq!(items.len(), 5);
}

/// The run's bar and the inner one.
fn bars(progress: &Progress) -> (Shown, Option<Shown>) {
    let state = progress.state();
    ((state.current, state.total), state.inner.map(|inner| (inner.current, inner.total)))
}

#[test]
fn nested_loop_moves_inner_bar() {
    let progress = Progress::detached();
    progress.enter(|| {
        for folder in (0..2_u64).progress() {
            for file in (0..40_u64).progress() {
                assert_eq!(bars(&progress), (bar(folder, 2), Some(bar(file, 40))));
                assert_eq!(progress.state().first_total, None, "the totals belong to two bars");
            }
            assert_eq!(bars(&progress), (bar(folder, 2), None));
        }
        assert_eq!(bars(&progress), (bar(2, 2), None));
        // A loop after another one is not inside of it, even if the first adapter is still there.
        let mut first = (0..1).progress();
        while first.next().is_some() {}
        (0..3).progress().for_each(drop);
        assert_eq!(bars(&progress), (bar(3, 3), None));
    });
}

#[test]
fn progress_bar_outside_run_passes_through() {
    let before = crate::context::orphaned_calls();
    assert_eq!((0..3).progress().collect::<Vec<_>>(), [0, 1, 2]);
    // Other tests may misuse helpers at the same time.
    assert!(crate::context::orphaned_calls() > before);
}

#[test]
fn resumed_progress_bar_starts_at_cursor() {
    let cursor = Cursor::at(2);
    assert_eq!(shown(|| (0..4).resume_from(&cursor).progress()), [bar(2, 4), bar(3, 4), bar(4, 4)]);
    let cursor = Cursor::at(1);
    let some = || (1..=4).filter(|n| n % 2 == 0);
    assert_eq!(shown(|| some().resume_from(&cursor).progress_of(2)), [bar(1, 2), bar(2, 2)]);
}

#[test]
fn early_exit_leaves_item_undone() {
    let cursor = Cursor::new();
    for item in (0..10).resume_from(&cursor) {
        if item == 4 {
            break;
        }
    }
    assert_eq!(cursor.get(), Some(4));
    assert_eq!((0..10).resume_from(&cursor).next(), Some(4));

    let keys = Cursor::new();
    let found =
        ["a", "b", "c"].into_iter().checkpoint(&keys, |key| String::from(*key)).find(|key| *key == "b");
    assert_eq!((found, keys.get().as_deref()), (Some("b"), Some("a")));
}

#[test]
fn finished_loop_resumes_with_nothing() {
    let cursor = Cursor::new();
    assert_eq!((0..3).resume_from(&cursor).sum::<i32>(), 3);
    assert_eq!(cursor.get(), Some(3));
    assert_eq!((0..3).resume_from(&cursor).next(), None);
    // Fewer items than were done: it is unknown which ones.
    let (_, _, why) = gone_on(&cursor, || (0..2).resume_from(&cursor).count());
    assert!(why.unwrap().starts_with("3 of 3 items were done, and there are 2 items now"));
    assert_eq!(cursor.get(), Some(3));
}

/// The log of a loop that ends or is left, and why it was left.
fn gone_on(cursor: &Cursor<u64>, run: impl FnOnce() -> usize) -> (usize, Vec<String>, Option<String>) {
    let left = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let progress = cursor.handle();
    let lines = progress.read().lines.into_iter().map(|line| line.text).collect();
    let why = match progress.stop_reason() {
        Some(Stop::Ended(Outcome::Failed(why))) if left.is_err() => Some(why.message),
        None => None,
        other => panic!("{other:?}"),
    };
    (left.unwrap_or(0), lines, why)
}

/// The cursor of a run that resumes after a loop over the first items of such a list.
fn cursor_in(rows: &[u64], batch: usize, done: usize, keyed: bool) -> Cursor<u64> {
    let first = Cursor::new();
    let key = |rows: &&[u64]| (rows[0], rows.len());
    let chunks = rows.chunks(batch);
    if keyed {
        chunks.resume_from_keyed(&first, key).take(done + 1).for_each(drop);
    } else {
        chunks.resume_from(&first).take(done + 1).for_each(drop);
    }
    let saved = first.handle().read().cursor.unwrap();
    assert_eq!(saved.value, done);
    let cursor = Cursor::of(Progress::detached());
    cursor.handle().resume_at(saved);
    cursor
}

#[test]
fn resume_refuses_larger_batches() {
    let rows: Vec<u64> = (1..=400).collect();
    let cursor = cursor_in(&rows, 10, 34, false);
    let (_, lines, why) = gone_on(&cursor, || rows.chunks(20).resume_from(&cursor).count());
    let why = why.unwrap();
    assert!(why.starts_with("34 of 40 items were done, and there are 20 items now"), "{why}");
    assert_eq!((lines.len(), cursor.get()), (0, Some(34)));
    // Where nothing is done, any list is the right one.
    let cursor = Cursor::new();
    assert_eq!(gone_on(&cursor, || rows.chunks(20).resume_from(&cursor).count()), (20, Vec::new(), None));
}

#[test]
fn resume_warns_of_grown_list() {
    let rows: Vec<u64> = (1..=400).collect();
    let cursor = cursor_in(&rows, 10, 34, false);
    assert_eq!(gone_on(&cursor, || rows.chunks(10).resume_from(&cursor).count()), (6, Vec::new(), None));
    let cursor = cursor_in(&rows, 10, 34, false);
    let (items, lines, why) = gone_on(&cursor, || rows.chunks(5).resume_from(&cursor).count());
    assert_eq!((items, why), (46, None));
    assert!(lines[0].starts_with("34 of 40 items were done, and there are 80 items now"), "{lines:?}");
    assert_eq!(lines.len(), 1);
}

#[test]
fn keys_distinguish_growth_from_rebatching() {
    let rows: Vec<u64> = (1..=500).collect();
    let key = |rows: &&[u64]| (rows[0], rows.len());
    let go_on = |rows: &[u64], batch| {
        let cursor = cursor_in(&(1..=400).collect::<Vec<_>>(), 10, 34, true);
        gone_on(&cursor, || rows.chunks(batch).resume_from_keyed(&cursor, key).count())
    };
    assert_eq!(go_on(&rows[..400], 10), (6, Vec::new(), None));
    assert_eq!(go_on(&rows, 10), (16, Vec::new(), None));
    // Items that are removed after the saved position do not matter either.
    assert_eq!(go_on(&rows[..350], 10), (1, Vec::new(), None));
    let turned: Vec<u64> = rows.iter().rev().copied().collect();
    for (rows, batch) in [(&rows[..400], 5), (&rows[..400], 9), (&rows[1..401], 10), (&turned[100..], 10)] {
        let (_, lines, why) = go_on(rows, batch);
        let why = why.unwrap();
        assert!(why.starts_with("34 items were done, but the first 34 items have other keys now"), "{why}");
        assert_eq!(lines.len(), 0);
    }
    let (_, _, why) = go_on(&rows[..400], 20);
    assert!(why.unwrap().starts_with("34 of 40 items were done, and there are 20 items now"));
}

#[test]
fn resume_refuses_shrunk_unsized_list() {
    let odd = |to: u64| (0..to).filter(|n| n % 2 == 1);
    let cursor = Cursor::new();
    assert_eq!(odd(20).resume_from(&cursor).count(), 10);
    let saved = cursor.handle().read().cursor.unwrap();
    let go_on = |to| {
        let cursor = Cursor::of(Progress::detached());
        cursor.handle().resume_at(saved.clone());
        gone_on(&cursor, || odd(to).resume_from(&cursor).count())
    };
    assert_eq!(go_on(22), (1, Vec::new(), None));
    let (_, _, why) = go_on(18);
    assert!(why.unwrap().starts_with("10 items were done, and there are fewer items now"));
}

#[test]
fn resume_without_list_info_warns() {
    let cursor = Cursor::at(34);
    assert_eq!(gone_on(&cursor, || (0..40).resume_from(&cursor).count()), (6, Vec::new(), None));
    let cursor = Cursor::at(34);
    let (items, lines, why) = gone_on(&cursor, || (0..20).resume_from(&cursor).count());
    assert_eq!((items, lines.len(), why), (0, 1, None));
    assert!(lines[0].starts_with("34 items were done, and there are 20 items now"), "{lines:?}");
}

#[tokio::test]
async fn resumed_stream_checks_its_list() {
    let key = |item: &u64| *item;
    let saved = |keyed: bool| {
        let cursor = Cursor::new();
        let items = stream::iter(0..40_u64);
        let polled = if keyed {
            items.resume_from_keyed(&cursor, key).take(35).count().now_or_never()
        } else {
            items.resume_from(&cursor).take(35).count().now_or_never()
        };
        assert_eq!(polled, Some(35));
        let saved = cursor.handle().read().cursor.unwrap();
        let cursor = Cursor::of(Progress::detached());
        cursor.handle().resume_at(saved);
        cursor
    };
    let count = |items: Pin<Box<dyn Stream<Item = u64>>>| items.count().now_or_never().unwrap();
    let cursor = saved(true);
    let more = gone_on(&cursor, || count(Box::pin(stream::iter(0..50).resume_from_keyed(&cursor, key))));
    assert_eq!(more, (16, Vec::new(), None));
    let cursor = saved(true);
    let others = gone_on(&cursor, || count(Box::pin(stream::iter(1..41).resume_from_keyed(&cursor, key))));
    assert!(others.2.unwrap().starts_with("34 items were done, but the first 34"));
    for end in [20, 36] {
        let cursor = saved(false);
        let fewer = gone_on(&cursor, || count(Box::pin(stream::iter(0..end).resume_from(&cursor))));
        assert!(fewer.2.unwrap().starts_with("34 of 40 items were done"));
    }
    let cursor = saved(true);
    let short = stream::iter(0..20).filter(|_| std::future::ready(true));
    let short = gone_on(&cursor, || count(Box::pin(short.resume_from_keyed(&cursor, key))));
    assert!(short.2.unwrap().starts_with("34 of 40 items were done, and there are fewer items now"));
}

#[test]
fn skipped_items_save_with_next() {
    let cursor = Cursor::new();
    let mut items = (0..10).resume_from(&cursor);
    assert_eq!((items.nth(3), cursor.get()), (Some(3), None));
    assert_eq!((items.next(), cursor.get()), (Some(4), Some(4)));
    assert_eq!((items.nth(9), cursor.get()), (None, Some(5)));

    let keys = Cursor::new();
    let mut items = (10..20).checkpoint(&keys, |key| *key);
    assert_eq!((items.nth(3), items.next(), keys.get()), (Some(13), Some(14), Some(13)));
}

#[test]
fn size_hint_excludes_skipped_items() {
    let cursor = Cursor::at(3);
    assert_eq!((0..10).resume_from(&cursor).len(), 7);
    assert_eq!((0..10).progress().resume_from(&cursor).size_hint(), (7, Some(7)));
    assert_eq!(stream::iter(0..10).resume_from(&cursor).size_hint(), (7, Some(7)));
    assert_eq!((0..2).resume_from(&cursor).size_hint(), (0, Some(0)));
}

#[tokio::test]
async fn streams_keep_cursor_like_iterators() {
    let progress = Progress::detached();
    let cursor = Cursor::at(1);
    let mut items = progress.enter(|| stream::iter(0..4).resume_from(&cursor).progress());
    assert_eq!(items.next().await, Some(1));
    assert_eq!((progress.state().current, cursor.get()), (Some(1), Some(1)));
    assert_eq!(items.next().await, Some(2));
    assert_eq!((progress.state().current, cursor.get()), (Some(2), Some(2)));
    assert_eq!(items.collect::<Vec<_>>().await, [3]);
    assert_eq!((progress.state().current, progress.state().total), (Some(4), Some(4)));
    assert_eq!(cursor.get(), Some(4));

    let keys = Cursor::new();
    let mut items = stream::iter(["a", "b"]).checkpoint(&keys, |key| String::from(*key));
    assert_eq!((items.next().await, keys.get()), (Some("a"), None));
    assert_eq!((items.next().await, keys.get().as_deref()), (Some("b"), Some("a")));
}

#[tokio::test]
async fn pending_stream_reports_once() {
    let progress = Progress::detached();
    progress.watch(None);
    let slow = stream::iter(0..2).then(|item| async move {
        for _ in 0..5 {
            tokio::task::yield_now().await;
        }
        item
    });
    assert_eq!(progress.enter(|| slow.progress_of(2)).count().await, 2);
    assert_eq!(progress.recorded().steps, 3);
}

#[test]
fn stream_waits_for_store_without_blocking() {
    let progress = Progress::detached().with_store();
    let cursor = Cursor::of(progress.clone());
    cursor.repeat_at_most(2);
    let mut items = stream::iter(0..9).resume_from(&cursor);
    let mut context = std::task::Context::from_waker(Waker::noop());
    let mut poll = || Pin::new(&mut items).poll_next(&mut context);
    assert_eq!((poll(), poll()), (Poll::Ready(Some(0)), Poll::Ready(Some(1))));
    assert_eq!((poll(), poll()), (Poll::Pending, Poll::Pending));
    let reading = progress.read();
    assert_eq!((cursor.get(), reading.cursor_saves), (Some(2), 2));
    progress.cursor_stored(1);
    assert_eq!((poll(), poll()), (Poll::Ready(Some(2)), Poll::Pending));
}

#[tokio::test]
async fn stream_waiting_for_store_is_woken() {
    let progress = Progress::detached().with_store();
    let cursor = Cursor::of(progress.clone());
    cursor.repeat_at_most(1);
    let items = tokio::spawn({
        let cursor = cursor.clone();
        async move { stream::iter(0..2).resume_from(&cursor).collect::<Vec<_>>().await }
    });
    for saves in 1..=2 {
        progress.save_waits().await;
        assert!(!items.is_finished());
        assert_eq!(progress.read().cursor_saves, saves);
        progress.cursor_stored(saves);
    }
    assert_eq!(items.await.unwrap(), [0, 1]);
}
