//! How a viewer waits for events: one wake-up for whatever is new since it last looked.
//!
//! A `tokio::sync::watch` does the same. Here a viewer who waits is one entry in a list, and nothing in memory that
//! is found through a pointer for each of them: with ten thousand viewers that is what costs.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::Feed;

/// Those who wait for something new in a feed.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    /// How often there was something new. The list is empty after each time.
    published: u64,
    /// `None` for one who does not wait any more.
    wakers: Vec<Option<Waker>>,
}

impl Waiting {
    /// Wakes them all.
    pub(super) fn wake(&self) {
        let mut list = self.0.lock();
        list.published += 1;
        let wakers = std::mem::take(&mut list.wakers);
        drop(list);
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Says when there is something new in a feed. What came while nobody waited counts too.
#[derive(Debug)]
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    /// How often there had been something new when it was last said so.
    seen: u64,
    /// Where it stands in the list, as long as nothing is new.
    place: Option<usize>,
}

impl Subscription {
    pub(super) fn of(feed: Arc<Feed>) -> Self {
        let seen = feed.waiting.0.lock().published;
        Self { feed, seen, place: None }
    }

    /// Ready once for all that is new since the last time.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut list = self.feed.waiting.0.lock();
        if self.seen != list.published {
            (self.seen, self.place) = (list.published, None);
            return Poll::Ready(());
        }
        let waker = context.waker();
        let replaced = match self.place.and_then(|place| list.wakers.get_mut(place)) {
            Some(Some(known)) if known.will_wake(waker) => None,
            Some(entry) => entry.replace(waker.clone()),
            None => {
                self.place = Some(list.wakers.len());
                list.wakers.push(Some(waker.clone()));
                None
            }
        };
        // A waker may be the last thing that holds a task, and with it another viewer of this feed.
        drop(list);
        drop(replaced);
        Poll::Pending
    }

    /// Waits for something new.
    pub(crate) async fn next(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut list = self.feed.waiting.0.lock();
        if self.seen != list.published {
            return;
        }
        let waker = list.wakers.get_mut(place).and_then(Option::take);
        while let Some(None) = list.wakers.last() {
            list.wakers.pop();
        }
        drop(list);
        drop(waker);
    }
}
