//! Subscriptions of viewers: one wake-up for everything that is new since the last poll.
//!
//! `tokio::sync::watch` does the same. Here a waiting viewer is one entry in a list, without a separate allocation,
//! which matters with ten thousand viewers.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use super::Feed;

/// The subscriptions that wait for an event.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<List>);

#[derive(Debug, Default)]
struct List {
    /// How many times events were published. The list is empty after each time.
    published: u64,
    /// `None` for a subscription that no longer waits.
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

/// Reports that a feed has new events. Events between two polls count, too.
#[derive(Debug)]
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    /// The value of `published` at the last report.
    seen: u64,
    /// The index in the list, until something is published.
    place: Option<usize>,
}

impl Subscription {
    pub(super) fn of(feed: Arc<Feed>) -> Self {
        let seen = feed.waiting.0.lock().published;
        Self { feed, seen, place: None }
    }

    /// Ready once for everything new since the last time.
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
        // A waker may own the last reference to a task, and with it another viewer of this feed.
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
        while matches!(list.wakers.last(), Some(None)) {
            list.wakers.pop();
        }
        drop(list);
        drop(waker);
    }
}
