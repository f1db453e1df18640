//! Owns which feeds are alive on this node, and follows runs that are executed elsewhere or still wait.
//! Refuses to know how a run is executed and who views it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use crate::feed::Feed;
use crate::run::{Run, RunId};
use crate::store::{Hint, LogFilter, LogSlice, Store, StoreError};
use crate::text::OneLine;

/// A stream that has been silent for this long gets a ping.
pub(crate) const SILENCE: Duration = Duration::from_secs(15);
/// How long a follower waits for a hint before it looks by itself.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The feeds of this node. A feed lives as long as somebody publishes to it or views it.
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
        if let Some(feed) = self.alive().get(&id).and_then(Weak::upgrade) {
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

    /// Keeps a feed up to date from the store, as long as anybody views it.
    pub(crate) fn follow(self: &Arc<Self>, feed: &Arc<Feed>) {
        let (store, feed) = (Arc::clone(&self.store), Arc::downgrade(feed));
        self.handle.spawn(async move {
            if let Err(error) = follow(&*store, feed).await {
                tracing::error!("a run could no longer be followed: {}", OneLine(&error));
            }
        });
    }

    /// Ends every stream, because the server is going away.
    pub(crate) fn close(&self) {
        let feeds: Vec<_> = self.alive().values().filter_map(Weak::upgrade).collect();
        feeds.iter().for_each(|feed| feed.close());
    }

    fn insert(&self, run: Run, last_seq: u64) -> (Arc<Feed>, bool) {
        let mut alive = self.alive();
        if let Some(feed) = alive.get(&run.id).and_then(Weak::upgrade) {
            return (feed, false);
        }
        alive.retain(|_, feed| feed.strong_count() > 0);
        let feed = Feed::new(run, last_seq);
        alive.insert(feed.id(), Arc::downgrade(&feed));
        (feed, true)
    }

    fn alive(&self) -> MutexGuard<'_, HashMap<RunId, Weak<Feed>>> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Feeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feeds({} alive)", self.alive().len())
    }
}

/// Reads, waits for a hint or a second, and reads again, until the run ends or nobody looks any more.
async fn follow(store: &dyn Store, feed: Weak<Feed>) -> Result<(), StoreError> {
    let mut hints = store.hints();
    let mut last_news = Instant::now();
    let mut seq = None;
    loop {
        let Some(feed) = feed.upgrade() else { return Ok(()) };
        // The runner of this node took it over: it publishes now.
        if feed.is_executed_here() {
            return Ok(());
        }
        let id = feed.id();
        let Some(run) = store.run(id).await? else { return Ok(()) };
        let mut after = *seq.get_or_insert_with(|| feed.last_seq());
        loop {
            let LogSlice { lines, next } = store.log_slice(id, LogFilter::after(after, usize::MAX)).await?;
            if feed.is_executed_here() {
                return Ok(());
            }
            after = next.or(lines.last().map(|line| line.seq)).unwrap_or(after);
            if feed.publish(|live| live.clone_from(&run), lines) {
                last_news = Instant::now();
            }
            if next.is_none() {
                break;
            }
        }
        seq = Some(after);
        if run.status.is_terminal() {
            feed.end(run);
            return Ok(());
        }
        if last_news.elapsed() >= SILENCE {
            feed.ping();
            last_news = Instant::now();
        }
        // Not held while waiting, so that the feed goes when its last viewer goes.
        drop(feed);
        let look_again = tokio::time::sleep(LOOK_AGAIN);
        tokio::pin!(look_again);
        loop {
            tokio::select! {
                () = &mut look_again => break,
                hint = hints.recv() => match hint {
                    Ok(Hint::Changed(changed) | Hint::Requested(changed)) if changed == id => break,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => {
                        look_again.as_mut().await;
                        break;
                    }
                },
            }
        }
    }
}
