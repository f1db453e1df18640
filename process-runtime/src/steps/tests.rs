//! Bars and places of loops, without a run around them.

use std::task::Waker;

use futures_util::{Stream, StreamExt, stream};

use std::pin::Pin;
use std::task::Poll;

use super::*;
use crate::progress::Progress;

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
fn an_item_counts_once_the_next_one_is_asked_for_and_the_last_at_the_end() {
    assert_eq!(shown(|| ['a', 'b'].into_iter().progress()), [bar(0, 2), bar(1, 2), bar(2, 2)]);
}

#[test]
fn without_an_exact_length_the_total_is_unknown_unless_it_is_given() {
    let some = || (1..=4).filter(|n| n % 2 == 0);
    assert_eq!(shown(|| some().progress()), [(None, None), (Some(1), None), (Some(2), None)]);
    assert_eq!(shown(|| some().progress_of(2)), [bar(0, 2), bar(1, 2), bar(2, 2)]);
}

#[test]
fn items_that_are_passed_over_count_with_the_one_behind_them() {
    let progress = Progress::detached();
    let mut items = progress.enter(|| (0..10).progress());
    assert_eq!((items.next(), items.nth(2), items.next()), (Some(0), Some(3), Some(4)));
    assert_eq!(progress.state().current, Some(4));
    assert_eq!(items.len(), 5);
}

#[test]
fn a_bar_outside_a_run_passes_items_through_and_is_one_misuse() {
    let before = crate::context::calls_outside_a_run();
    assert_eq!((0..3).progress().collect::<Vec<_>>(), [0, 1, 2]);
    // Other tests may misuse helpers at the same time.
    assert!(crate::context::calls_outside_a_run() > before);
}

#[test]
fn the_bar_of_a_resumed_loop_begins_at_the_cursor() {
    let cursor = Cursor::at(2);
    assert_eq!(shown(|| (0..4).resume_from(&cursor).progress()), [bar(2, 4), bar(3, 4), bar(4, 4)]);
    let cursor = Cursor::at(1);
    let some = || (1..=4).filter(|n| n % 2 == 0);
    assert_eq!(shown(|| some().resume_from(&cursor).progress_of(2)), [bar(1, 2), bar(2, 2)]);
}

#[test]
fn a_loop_that_is_left_early_has_not_done_the_item_it_was_at() {
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
fn a_loop_that_comes_to_its_end_has_done_everything_and_goes_on_with_nothing() {
    let cursor = Cursor::new();
    assert_eq!((0..3).resume_from(&cursor).sum::<i32>(), 3);
    assert_eq!(cursor.get(), Some(3));
    assert_eq!((0..3).resume_from(&cursor).next(), None);
    // Fewer items than were done: somebody took some away meanwhile.
    assert_eq!((0..2).resume_from(&cursor).next(), None);
    assert_eq!(cursor.get(), Some(3));
}

#[test]
fn items_that_are_passed_over_are_done_with_the_one_behind_them() {
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
fn what_is_left_out_is_not_expected() {
    let cursor = Cursor::at(3);
    assert_eq!((0..10).resume_from(&cursor).len(), 7);
    assert_eq!((0..10).progress().resume_from(&cursor).size_hint(), (7, Some(7)));
    assert_eq!(stream::iter(0..10).resume_from(&cursor).size_hint(), (7, Some(7)));
    assert_eq!((0..2).resume_from(&cursor).size_hint(), (0, Some(0)));
}

#[tokio::test]
async fn streams_move_the_bar_and_keep_the_place_like_iterators() {
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
async fn a_stream_that_waits_for_its_next_item_reports_once() {
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
fn a_stream_waits_for_the_store_without_blocking() {
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
async fn a_stream_that_waits_for_the_store_is_woken() {
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
