//! Reauthorization of open streams: calls the `authorize` hook again while a stream is open, and ends streams whose
//! visitors have lost their permission.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::stream::{StreamExt as _, iter};
use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::access::{Action, Refused, Visitor};
use crate::feed::Feed;
use crate::process::Process;

/// The maximum number of concurrent calls of the hook.
const AT_ONCE: usize = 32;

/// The permission of one visitor to keep watching one run.
#[derive(Debug)]
pub(crate) struct AccessGrant {
    visitor: Visitor,
    process: Option<&'static Process>,
    feed: Weak<Feed>,
    state: AtomicU8,
}

/// Whether a grant is still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum GrantStatus {
    Valid,
    /// The hook failed, or requires a sign-in. When the client reconnects, the hook is called again.
    Unknown,
    /// The hook denied access.
    Lost,
}

impl AccessGrant {
    pub(crate) fn status(&self) -> GrantStatus {
        match self.state.load(Ordering::Acquire) {
            0 => GrantStatus::Valid,
            1 => GrantStatus::Unknown,
            _ => GrantStatus::Lost,
        }
    }

    async fn look_again(self: Arc<Self>) {
        // The last stream of this run has closed.
        let Some(run) = self.feed.upgrade().map(|feed| feed.run()) else { return };
        let worth = match self.visitor.anew().may(self.process, Some(&run), Action::View).await {
            Ok(_) => return,
            // The response to the next request asks the visitor to sign in.
            Err(Refused::SignIn(_) | Refused::Panicked | Refused::Late) => GrantStatus::Unknown,
            Err(_) => GrantStatus::Lost,
        };
        self.state.store(worth as u8, Ordering::Release);
    }
}

/// The grants of all open streams.
#[derive(Debug)]
pub(crate) struct AccessGrants {
    every: Duration,
    open: Mutex<OpenStreams>,
}

#[derive(Debug, Default)]
struct OpenStreams {
    grants: Vec<Weak<AccessGrant>>,
    /// Rechecks the grants. Runs on the runtime that serves requests, because the hook expects to be called there.
    task: Option<JoinHandle<()>>,
}

impl AccessGrants {
    pub(super) fn new(every: Duration) -> Arc<Self> {
        Arc::new(Self { every, open: Mutex::default() })
    }

    /// A grant for a visitor with permission to watch this run; `None` if the application has no `authorize` hook.
    pub(crate) fn give(
        self: &Arc<Self>,
        visitor: &Visitor,
        process: Option<&'static Process>,
        feed: &Arc<Feed>,
    ) -> Option<Arc<AccessGrant>> {
        if !visitor.is_asked_about() {
            return None;
        }
        let (visitor, feed) = (visitor.clone(), Arc::downgrade(feed));
        let grant =
            Arc::new(AccessGrant { visitor, process, feed, state: AtomicU8::new(GrantStatus::Valid as u8) });
        let mut open = self.open.lock();
        open.grants.push(Arc::downgrade(&grant));
        if open.task.as_ref().is_none_or(JoinHandle::is_finished) {
            open.task = Some(tokio::spawn(keep(Arc::downgrade(self), self.every)));
        }
        Some(grant)
    }

    /// The grants that are in use and valid. `None` if no grant is in use; the task then ends.
    fn held(&self) -> Option<Vec<Arc<AccessGrant>>> {
        let mut open = self.open.lock();
        open.grants.retain(|grant| grant.strong_count() > 0);
        let held =
            open.grants.iter().filter_map(Weak::upgrade).filter(|grant| grant.status() == GrantStatus::Valid);
        let held: Vec<_> = held.collect();
        if open.grants.is_empty() {
            open.task = None;
            return None;
        }
        Some(held)
    }
}

async fn keep(grants: Weak<AccessGrants>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(held) = grants.upgrade().and_then(|grants| grants.held()) else { return };
        iter(held).for_each_concurrent(AT_ONCE, AccessGrant::look_again).await;
    }
}
