//! The feeds that are alive on this node. Feeds of runs that are queued or executed elsewhere follow the store.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep};

use crate::feed::Feed;
use crate::run::{Run, RunId};
use crate::store::{LogFilter, LogSlice, Notification, Store, StoreError};
use crate::text::OneLine;
use crate::throttle::Throttle;

/// A stream that has been silent for this long gets a ping.
pub(crate) const SILENCE: Duration = Duration::from_secs(15);
/// How long a follower waits for a notification before it polls the store.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

static NOT_FOLLOWED: Throttle = Throttle::every(Duration::from_secs(10));

/// The feeds of this node. A feed lives as long as it has a publisher or a viewer.
pub(crate) struct Feeds {
    store: Arc<dyn Store>,
    /// Where followers run.
    handle: Handle,
    alive: Mutex<HashMap<RunId, Weak<Feed>>>,
}

impl Feeds {
    pub(crate) fn new(store: Arc<dyn Store>, handle: Handle) -> Arc<Self> {
        Arc::new(Self { store, handle, alive: Mutex::default() })
    }

    /// The feed of a run: the live one, a new one that follows the store, or one that has ended.
    pub(crate) async fn open(self: &Arc<Self>, id: RunId) -> Result<Option<Arc<Feed>>, StoreError> {
        if let Some(feed) = self.alive.lock().get(&id).and_then(Weak::upgrade) {
            return Ok(Some(feed));
        }
        let Some(run) = self.store.run(id).await? else { return Ok(None) };
        let last_seq = self.store.log_tail(id, 1).await?.last().map_or(0, |line| line.seq);
        if run.status.is_terminal() {
            return Ok(Some(Feed::new(run, last_seq)));
        }
        let (feed, new) = self.insert(run, last_seq);
        if new {
            self.follow(&feed);
        }
        Ok(Some(feed))
    }

    /// The feed of a run that is executed here from now on.
    pub(crate) fn execute_here(&self, run: Run, last_seq: u64) -> Arc<Feed> {
        let (feed, _) = self.insert(run.clone(), last_seq);
        feed.execute_here(run, last_seq);
        feed
    }

    /// Updates a feed from the store for as long as it has viewers.
    pub(crate) fn follow(self: &Arc<Self>, feed: &Arc<Feed>) {
        let (store, feed) = (Arc::clone(&self.store), Arc::downgrade(feed));
        self.handle.spawn(async move { Follower::of(&*store, feed).follow().await });
    }

    /// Brings runs that are executed here from what was stored last to what is published: so lists say the same as streams.
    pub(crate) fn refresh(&self, runs: &mut [Run]) {
        for run in runs.iter_mut().filter(|run| !run.status.is_terminal()) {
            let feed = self.alive.lock().get(&run.id).and_then(Weak::upgrade);
            let Some(live) = feed.filter(|feed| feed.is_executed_here()).map(|feed| feed.run()) else {
                continue;
            };
            if (live.status, live.attempt) == (run.status, run.attempt) {
                (run.progress, run.elapsed_ms) = (live.progress, live.elapsed_ms);
            }
        }
    }

    /// Stops or restarts the clock of a run, if it has a feed here.
    pub(crate) fn stop_clock(&self, id: RunId, stands: bool) {
        let feed = self.alive.lock().get(&id).and_then(Weak::upgrade);
        if let Some(feed) = feed {
            feed.stop_clock(stands);
        }
    }

    /// Ends every stream, because the server is going away.
    pub(crate) fn close(&self) {
        let feeds: Vec<_> = self.alive.lock().values().filter_map(Weak::upgrade).collect();
        feeds.iter().for_each(|feed| feed.close());
    }

    fn insert(&self, run: Run, last_seq: u64) -> (Arc<Feed>, bool) {
        let mut alive = self.alive.lock();
        if let Some(feed) = alive.get(&run.id).and_then(Weak::upgrade) {
            return (feed, false);
        }
        alive.retain(|_, feed| feed.strong_count() > 0);
        let feed = Feed::new(run, last_seq);
        alive.insert(feed.id(), Arc::downgrade(&feed));
        (feed, true)
    }
}

impl std::fmt::Debug for Feeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feeds({} alive)", self.alive.lock().len())
    }
}

/// Keeps one feed up to date from the store.
struct Follower<'a> {
    store: &'a dyn Store,
    feed: Weak<Feed>,
    /// When viewers last received an event.
    last_event: Instant,
    /// The last line that was read.
    seq: Option<u64>,
}

impl<'a> Follower<'a> {
    fn of(store: &'a dyn Store, feed: Weak<Feed>) -> Self {
        Self { store, feed, last_event: Instant::now(), seq: None }
    }

    /// Polls the store, at each notification or once a second, until the run ends or the last viewer leaves. After an
    /// error it tries again, because the viewers have no other source.
    async fn follow(mut self) {
        let mut hints = self.store.notifications();
        // Not held while waiting, so that the feed goes when its last viewer goes.
        while let Some(feed) = self.feed.upgrade() {
            match self.read(&feed).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    if let Some(left_out) = NOT_FOLLOWED.admit() {
                        tracing::error!(
                            run = %feed.id(),
                            "the run could not be read, trying again: {}{left_out}",
                            OneLine(&error)
                        );
                    }
                }
            }
            if self.last_event.elapsed() >= SILENCE {
                feed.ping();
                self.last_event = Instant::now();
            }
            let id = feed.id();
            drop(feed);
            wait_for_hint(&mut hints, id).await;
        }
    }

    /// Publishes what is new. Returns false if there is nothing more to follow here.
    async fn read(&mut self, feed: &Feed) -> Result<bool, StoreError> {
        // The runner of this node took it over: it publishes now.
        if feed.is_executed_here() {
            return Ok(false);
        }
        let Some(run) = self.store.run(feed.id()).await? else { return Ok(false) };
        let mut after = *self.seq.get_or_insert_with(|| feed.last_seq());
        loop {
            let filter = LogFilter::after(after, usize::MAX);
            let LogSlice { lines, next } = self.store.log_slice(feed.id(), filter).await?;
            if feed.is_executed_here() {
                return Ok(false);
            }
            after = next.or(lines.last().map(|line| line.seq)).unwrap_or(after);
            self.seq = Some(after);
            if feed.publish(|live| live.clone_from(&run), lines) {
                self.last_event = Instant::now();
            }
            if next.is_none() {
                break;
            }
        }
        let has_ended = run.status.is_terminal();
        if has_ended {
            feed.end(run);
        }
        Ok(!has_ended)
    }
}

/// Waits until the run may have changed, and at most a second.
async fn wait_for_hint(hints: &mut broadcast::Receiver<Notification>, id: RunId) {
    let poll_timer = sleep(POLL_INTERVAL);
    tokio::pin!(poll_timer);
    loop {
        tokio::select! {
            () = &mut poll_timer => return,
            hint = hints.recv() => match hint {
                Ok(Notification::Changed(changed) | Notification::Requested(changed)) if changed == id => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return poll_timer.await,
            },
        }
    }
}
