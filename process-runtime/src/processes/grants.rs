//! Open streams of visitors whose permissions the application decides: asks again while they are open, and ends those
//! that lost them.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::stream::{StreamExt as _, iter};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::access::{Action, Refused, Visitor};
use crate::feed::Feed;
use crate::process::Process;

/// How many questions wait for an answer at the same time.
const AT_ONCE: usize = 32;

/// The right of one visitor to go on watching one run.
#[derive(Debug)]
pub(crate) struct AccessGrant {
    visitor: Visitor,
    process: Option<&'static Process>,
    feed: Weak<Feed>,
    state: AtomicU8,
}

/// What a pass is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum GrantStatus {
    Valid,
    /// The application could not be asked, or wants somebody to sign in: whoever comes back is asked about anew.
    Unknown,
    /// The right was lost.
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
        // Nobody watches it any more.
        let Some(run) = self.feed.upgrade().map(|feed| feed.run()) else { return };
        let worth = match self.visitor.anew().may(self.process, Some(&run), Action::View).await {
            Ok(_) => return,
            // Who has to sign in again is told so by the answer to the next request.
            Err(Refused::SignIn(_) | Refused::Panicked | Refused::Late) => GrantStatus::Unknown,
            Err(_) => GrantStatus::Lost,
        };
        self.state.store(worth as u8, Ordering::Release);
    }
}

/// The grants of all streams that are open.
#[derive(Debug)]
pub(crate) struct AccessGrants {
    every: Duration,
    open: Mutex<OpenStreams>,
}

#[derive(Debug, Default)]
struct OpenStreams {
    grants: Vec<Weak<AccessGrant>>,
    /// Looks at them. Where the requests are answered, as the application expects to be asked there.
    task: Option<JoinHandle<()>>,
}

impl AccessGrants {
    pub(super) fn new(every: Duration) -> Arc<Self> {
        Arc::new(Self { every, open: Mutex::default() })
    }

    /// A pass for someone who may watch this run now; `None` where the application has no say.
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
        let mut open = self.open();
        open.grants.push(Arc::downgrade(&grant));
        if open.task.as_ref().is_none_or(JoinHandle::is_finished) {
            open.task = Some(tokio::spawn(keep(Arc::downgrade(self), self.every)));
        }
        Some(grant)
    }

    /// Those that somebody holds and that are worth something; `None` when there are none, and nobody looks any more.
    fn held(&self) -> Option<Vec<Arc<AccessGrant>>> {
        let mut open = self.open();
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

    fn open(&self) -> std::sync::MutexGuard<'_, OpenStreams> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(grants: Weak<AccessGrants>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(held) = grants.upgrade().and_then(|grants| grants.held()) else { return };
        iter(held).for_each_concurrent(AT_ONCE, AccessGrant::look_again).await;
    }
}
