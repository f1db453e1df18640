//! Writes pending events to the sockets of thousands of viewers, in one task, each as fast as it reads.
//!
//! Sources of work wake the task: a socket that became readable or writable, a feed with new events, a viewer that
//! connects. The task handles only those.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use slab::Slab;
use tokio::time::{Interval, interval};
use tokio_util::task::TaskTracker;

use crate::feed::{Feed, Subscription};
use crate::meters::Dropped;
use crate::web::stream::watching::{Taken, Watching};

mod inbox;
mod viewer_connection;

pub(super) use inbox::{HubSender, Viewer};
use inbox::{Inbox, WakeReason};
use viewer_connection::{Slot, ViewerConnection, Written};

/// How many viewers are written to before the task yields.
const TURN: usize = 128;
/// How many times per timeout the task searches for viewers that do not read.
const SWEEPS: u32 = 6;
/// The resolution of timers.
const TICK: Duration = Duration::from_millis(1);

/// One hub for each worker of the runtime.
pub(super) struct Hubs {
    senders: Vec<HubSender>,
    next: AtomicUsize,
}

impl Hubs {
    pub(super) fn start(tasks: &TaskTracker, patience: Duration) -> Self {
        let workers = tokio::runtime::Handle::current().metrics().num_workers().max(1);
        let senders = (0..workers).map(|_| {
            let inbox = Arc::new(Inbox::default());
            let mut hub = Hub::new(Arc::clone(&inbox), patience);
            // The hub yields by itself, after a number of writes rather than polls.
            tasks.spawn(tokio::task::unconstrained(poll_fn(move |context| hub.poll(context))));
            HubSender::of(inbox)
        });
        Self { senders: senders.collect(), next: AtomicUsize::new(0) }
    }

    /// The sender of the next hub.
    pub(super) fn next(&self) -> HubSender {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.senders.len();
        self.senders[next].clone()
    }
}

/// The subscribers of one feed.
struct Subscribers {
    subscription: Subscription,
    waker: Waker,
    members: Vec<Member>,
    /// How many of them, counted from the first, have not been sent the new events; `None` if all have.
    left: Option<usize>,
    /// More events arrived in the meantime.
    again: bool,
}

#[derive(Clone, Copy)]
struct Member {
    connection: usize,
    /// The index of the feed among the runs that it watches.
    source: usize,
}

impl Subscribers {
    /// True if there are new events; otherwise the next event wakes the hub.
    fn has_news(&mut self) -> bool {
        let mut any = false;
        while self.subscription.poll(&mut Context::from_waker(&self.waker)).is_ready() {
            any = true;
        }
        any
    }
}

struct Hub {
    inbox: Arc<Inbox>,
    closed: bool,
    connections: Slab<ViewerConnection>,
    /// By the address of the feed, which each subscriber keeps alive.
    subscribers: HashMap<usize, Subscribers>,
    /// The feeds whose new events are being sent.
    telling: VecDeque<usize>,
    /// The connections that are so far behind that they need a new snapshot.
    behind: VecDeque<usize>,
    snapshot: Option<(usize, BoxFuture<'static, Watching>)>,
    snapshot_waker: Waker,
    /// How long a viewer may read nothing while data is pending.
    patience: Duration,
    sweep: Option<Interval>,
}

impl Hub {
    fn new(inbox: Arc<Inbox>, patience: Duration) -> Self {
        Self {
            snapshot_waker: inbox.waker(WakeReason::Snapshot),
            inbox,
            closed: false,
            connections: Slab::new(),
            subscribers: HashMap::new(),
            telling: VecDeque::new(),
            behind: VecDeque::new(),
            snapshot: None,
            patience,
            sweep: None,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.inbox.hub.register(context.waker());
        let waiting = self.inbox.take();
        self.closed |= waiting.closed;
        waiting.arrived.into_iter().for_each(|viewer| self.connect(viewer));
        for reason in waiting.wakes {
            match reason {
                WakeReason::Socket(connection) => self.look_at(connection),
                WakeReason::Feed(feed) => self.on_feed_changed(feed),
                // Handled below.
                WakeReason::Snapshot => {}
            }
        }
        self.open();
        let sweep = self.sweep.get_or_insert_with(|| interval((self.patience / SWEEPS).max(TICK)));
        if sweep.poll_tick(context).is_ready() {
            // Polled once more, so that it wakes the task the next time.
            let _ = sweep.poll_tick(context);
            self.sweep_out();
        }
        if self.write_pending(TURN) {
            context.waker().wake_by_ref();
        }
        if self.closed && self.connections.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn connect(&mut self, viewer: Viewer) {
        let entry = self.connections.vacant_entry();
        let number = entry.key();
        let waker = self.inbox.waker(WakeReason::Socket(number));
        let feeds: Vec<_> = viewer.watching.feeds().map(|feed| feed.cloned()).collect();
        entry.insert(ViewerConnection::new(viewer, waker, self.patience));
        for (source, feed) in feeds.into_iter().enumerate() {
            let place = feed.map(|feed| self.join(&feed, Member { connection: number, source }));
            if let Some(connection) = self.connections.get_mut(number) {
                connection.slots.push(place);
            }
        }
        self.look_at(number);
        self.write(number);
    }

    fn join(&mut self, feed: &Arc<Feed>, member: Member) -> Slot {
        let key = Arc::as_ptr(feed) as usize;
        let subscribers = self.subscribers.entry(key).or_insert_with(|| {
            let waker = self.inbox.waker(WakeReason::Feed(key));
            let mut subscribers = Subscribers {
                subscription: feed.subscribe(),
                waker,
                members: Vec::new(),
                left: None,
                again: false,
            };
            // From here on the feed wakes the hub. Earlier events are what its first member gets next.
            subscribers.has_news();
            subscribers
        });
        subscribers.members.push(member);
        Slot { feed: key, index: subscribers.members.len() - 1 }
    }

    fn leave(&mut self, place: Slot) {
        let Some(subscribers) = self.subscribers.get_mut(&place.feed) else { return };
        subscribers.members.swap_remove(place.index);
        if let Some(moved) = subscribers.members.get(place.index) {
            let connection = self.connections.get_mut(moved.connection);
            if let Some(its) = connection.and_then(|connection| connection.slots.get_mut(moved.source)) {
                *its = Some(place);
            }
        }
        if subscribers.members.is_empty() {
            self.subscribers.remove(&place.feed);
        }
    }

    fn remove(&mut self, number: usize) {
        let Some(connection) = self.connections.try_remove(number) else { return };
        for place in connection.slots.into_iter().flatten() {
            self.leave(place);
        }
    }

    /// Handles a socket that became readable or writable.
    fn look_at(&mut self, number: usize) {
        let Some(connection) = self.connections.get_mut(number) else { return };
        if !connection.is_there() {
            self.remove(number);
        } else if connection.is_stuck() {
            self.write(number);
        }
    }

    fn on_feed_changed(&mut self, feed: usize) {
        let Some(subscribers) = self.subscribers.get_mut(&feed) else { return };
        if subscribers.has_news() {
            if subscribers.left.is_some() {
                subscribers.again = true;
            } else {
                subscribers.left = Some(subscribers.members.len());
                self.telling.push_back(feed);
            }
        }
    }

    /// Sends new events to at most this many viewers. Returns true if there are more.
    fn write_pending(&mut self, most: usize) -> bool {
        for _ in 0..most {
            let Some(feed) = self.telling.front().copied() else { return false };
            let Some(subscribers) = self.subscribers.get_mut(&feed) else {
                self.telling.pop_front();
                continue;
            };
            // From the last one down: a viewer that moves into a freed index has been served already.
            let left = subscribers.left.unwrap_or(0).min(subscribers.members.len());
            match left.checked_sub(1) {
                Some(next) => {
                    subscribers.left = Some(next);
                    let member = subscribers.members[next];
                    self.write(member.connection);
                }
                None => {
                    let again = std::mem::take(&mut subscribers.again);
                    subscribers.left = again.then_some(subscribers.members.len());
                    self.telling.pop_front();
                    if again {
                        self.telling.push_back(feed);
                    }
                }
            }
        }
        // Feeds take turns, so that no small one waits for a large one.
        self.telling.rotate_left(self.telling.len().min(1));
        !self.telling.is_empty()
    }

    /// Writes what is pending for a viewer, as far as its socket accepts it.
    fn write(&mut self, number: usize) {
        let Some(connection) = self.connections.get_mut(number) else { return };
        match connection.write() {
            Written::All | Written::Stuck => {}
            Written::Behind => self.behind.push_back(number),
            Written::Over => return self.remove(number),
        }
        // Some of several runs may have ended.
        while let Some(place) = self.connections.get_mut(number).and_then(ViewerConnection::left) {
            self.leave(place);
        }
    }

    /// Makes the snapshots for viewers that are behind.
    fn open(&mut self) {
        loop {
            if let Some((number, snapshot)) = &mut self.snapshot {
                let Poll::Ready(watching) =
                    snapshot.as_mut().poll(&mut Context::from_waker(&self.snapshot_waker))
                else {
                    return;
                };
                let number = *number;
                self.snapshot = None;
                if let Some(connection) = self.connections.get_mut(number) {
                    connection.come_back(watching);
                    self.write(number);
                }
            }
            let Some(number) = self.behind.pop_front() else { return };
            let snapshot = self.connections.get_mut(number).and_then(ViewerConnection::go_back);
            self.snapshot = snapshot.map(|snapshot| (number, snapshot));
        }
    }

    /// Disconnects viewers that have not read for too long.
    fn sweep_out(&mut self) {
        let lost: Vec<usize> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.is_lost(self.patience))
            .map(|(number, _)| number)
            .collect();
        for number in lost {
            Dropped::Timeout.count();
            self.remove(number);
        }
    }
}
