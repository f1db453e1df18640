//! How many saves may be pending, what wakes the waiting ones, and where a body stops.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::progress::Unwound;
use crate::run::Outcome;

fn save(progress: &Progress, value: u32) {
    progress.save_cursor(SavedCursor::new(json!(value)));
    progress.wait_for_store();
}

/// True when the saves left the body.
fn leaves(body: impl FnOnce()) -> bool {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(()) => false,
        Err(payload) => payload.is::<Unwound>() || panic!("another panic"),
    }
}

/// Saves 1, 2, 3, … on a separate thread, and reports each; the thread's result is whether the body was left.
fn saver(progress: &Progress, saves: u32) -> (JoinHandle<bool>, mpsc::Receiver<u32>) {
    let (progress, (done, said)) = (progress.clone(), mpsc::channel());
    let body = move || {
        for value in 1..=saves {
            save(&progress, value);
            done.send(value).unwrap();
        }
    };
    (thread::spawn(move || leaves(body)), said)
}

/// Waits until a save blocks, and returns the last one that did not.
fn last(progress: &Progress, said: &mpsc::Receiver<u32>) -> Option<u32> {
    while !progress.slow().is_behind() {
        thread::yield_now();
    }
    // It would be here if it did not wait.
    thread::sleep(Duration::from_millis(20));
    said.try_iter().last()
}

#[test]
fn new_cursor_is_read_once() {
    let progress = Progress::detached();
    assert_eq!((progress.read().cursor, progress.read().cursor_saves), (None, 0));
    save(&progress, 1);
    save(&progress, 2);
    let reading = progress.read();
    assert_eq!((reading.cursor.map(|cursor| cursor.value), reading.cursor_saves), (Some(json!(2)), 2));
    let reading = progress.read();
    assert_eq!((reading.cursor, reading.cursor_saves), (None, 2));
}

#[test]
fn no_store_means_no_waiting() {
    let progress = Progress::detached();
    (0..10 * REPEAT_AT_MOST).for_each(|value| save(&progress, value));
    assert_eq!(progress.cursor(), Some(json!(10 * REPEAT_AT_MOST - 1)));
}

#[test]
fn hundredth_save_waits_for_store() {
    let progress = Progress::detached().with_store();
    let (thread, said) = saver(&progress, 101);
    assert_eq!(last(&progress, &said), Some(99));
    assert_eq!(progress.read().cursor_saves, 100);
    progress.cursor_stored(1);
    assert_eq!(said.recv(), Ok(100));
    assert_eq!(last(&progress, &said), None);
    progress.cursor_stored(100);
    assert_eq!(said.recv(), Ok(101));
    assert!(!thread.join().unwrap());
}

#[test]
fn repeat_one_waits_for_every_save() {
    let progress = Progress::detached().with_store();
    // The minimum.
    progress.repeat_at_most(0);
    let (thread, said) = saver(&progress, 2);
    for value in 1..=2 {
        assert_eq!(last(&progress, &said), None);
        progress.cursor_stored(progress.read().cursor_saves);
        assert_eq!(said.recv(), Ok(value));
    }
    assert!(!thread.join().unwrap());
}

#[test]
fn stored_count_never_exceeds_saves() {
    let progress = Progress::detached().with_store();
    save(&progress, 1);
    progress.cursor_stored(7);
    progress.cursor_stored(0);
    assert_eq!(progress.slow().saves.stored, 1);
}

#[tokio::test]
async fn waiting_save_notifies_the_writer() {
    let progress = Progress::detached().with_store();
    progress.repeat_at_most(2);
    let (thread, said) = saver(&progress, 2);
    progress.save_waits().await;
    assert_eq!(said.recv(), Ok(1));
    assert_eq!(progress.read().cursor_saves, 2);
    progress.cursor_stored(2);
    assert!(!thread.join().unwrap());
}

#[test]
fn stop_wakes_waiting_save() {
    for reason in [Stop::Cancelled, Stop::LeaseLost, Stop::Ended(Outcome::Cancelled)] {
        let progress = Progress::detached().with_store();
        progress.repeat_at_most(1);
        let (thread, said) = saver(&progress, 1);
        assert_eq!(last(&progress, &said), None);
        progress.stop(reason.clone());
        assert!(thread.join().unwrap());
        assert_eq!(progress.stop_reason(), Some(reason));
    }
}

#[test]
fn yielding_body_leaves_at_save() {
    let progress = Progress::detached().with_store();
    progress.yield_asked(true);
    progress.set_progress_of(1, 2);
    assert!(!leaves(|| progress.leave_if_stopped()));
    assert!(!progress.is_stopped());
    assert!(leaves(|| save(&progress, 3)));
    assert_eq!((progress.stop_reason(), progress.cursor()), (Some(Stop::Yielded), Some(json!(3))));
}

#[test]
fn waiting_save_leaves_on_yield() {
    let progress = Progress::detached().with_store();
    progress.repeat_at_most(1);
    let (thread, said) = saver(&progress, 1);
    assert_eq!(last(&progress, &said), None);
    progress.yield_asked(true);
    assert!(thread.join().unwrap());
    assert_eq!(progress.stop_reason(), Some(Stop::Yielded));
}

#[test]
fn withdrawn_yield_lets_body_continue() {
    let progress = Progress::detached();
    progress.yield_asked(true);
    progress.yield_asked(false);
    assert!(!leaves(|| save(&progress, 1)));
}

#[test]
fn earlier_cancel_stays_the_reason() {
    let progress = Progress::detached();
    progress.stop(Stop::Cancelled);
    progress.yield_asked(true);
    assert!(leaves(|| save(&progress, 1)));
    assert_eq!(progress.stop_reason(), Some(Stop::Cancelled));
}

#[test]
fn panicking_body_does_not_yield() {
    struct Saves(Progress);
    impl Drop for Saves {
        fn drop(&mut self) {
            save(&self.0, 1);
        }
    }
    let progress = Progress::detached();
    progress.yield_asked(true);
    let saves = Saves(progress.clone());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _saves = saves;
        panic!("as it was to");
    }));
    assert!(panicked.is_err_and(|payload| !payload.is::<Unwound>()));
    assert_eq!((progress.stop_reason(), progress.cursor()), (None, Some(json!(1))));
}
