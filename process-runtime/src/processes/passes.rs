//! Owns which streams are open to visitors of whom the application is asked, and asks again while they are.
//! Refuses to know what is in a stream and how it is ended.

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
pub(crate) struct Pass {
    visitor: Visitor,
    process: Option<&'static Process>,
    feed: Weak<Feed>,
    state: AtomicU8,
}

/// What a pass is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Worth {
    Valid,
    /// The application could not be asked, or wants somebody to sign in: whoever comes back is asked about anew.
    Unknown,
    /// The right was lost.
    Lost,
}

impl Pass {
    pub(crate) fn worth(&self) -> Worth {
        match self.state.load(Ordering::Acquire) {
            0 => Worth::Valid,
            1 => Worth::Unknown,
            _ => Worth::Lost,
        }
    }

    async fn look_again(self: Arc<Self>) {
        // Nobody watches it any more.
        let Some(run) = self.feed.upgrade().map(|feed| feed.run()) else { return };
        let worth = match self.visitor.anew().may(self.process, Some(&run), Action::View).await {
            Ok(_) => return,
            // Who has to sign in again is told so by the answer to the next request.
            Err(Refused::SignIn(_) | Refused::Panicked | Refused::Late) => Worth::Unknown,
            Err(_) => Worth::Lost,
        };
        self.state.store(worth as u8, Ordering::Release);
    }
}

/// The passes of all streams that are open.
#[derive(Debug)]
pub(crate) struct Passes {
    every: Duration,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    passes: Vec<Weak<Pass>>,
    /// Looks at them. Where the requests are answered, as the application expects to be asked there.
    task: Option<JoinHandle<()>>,
}

impl Passes {
    pub(super) fn new(every: Duration) -> Arc<Self> {
        Arc::new(Self { every, open: Mutex::default() })
    }

    /// A pass for someone who may watch this run now; `None` where the application has no say.
    pub(crate) fn give(
        self: &Arc<Self>,
        visitor: &Visitor,
        process: Option<&'static Process>,
        feed: &Arc<Feed>,
    ) -> Option<Arc<Pass>> {
        if !visitor.is_asked_about() {
            return None;
        }
        let (visitor, feed) = (visitor.clone(), Arc::downgrade(feed));
        let pass = Arc::new(Pass { visitor, process, feed, state: AtomicU8::new(Worth::Valid as u8) });
        let mut open = self.open();
        open.passes.push(Arc::downgrade(&pass));
        if open.task.as_ref().is_none_or(JoinHandle::is_finished) {
            open.task = Some(tokio::spawn(keep(Arc::downgrade(self), self.every)));
        }
        Some(pass)
    }

    /// Those that somebody holds and that are worth something; `None` when there are none, and nobody looks any more.
    fn held(&self) -> Option<Vec<Arc<Pass>>> {
        let mut open = self.open();
        open.passes.retain(|pass| pass.strong_count() > 0);
        let held = open.passes.iter().filter_map(Weak::upgrade).filter(|pass| pass.worth() == Worth::Valid);
        let held: Vec<_> = held.collect();
        if open.passes.is_empty() {
            open.task = None;
            return None;
        }
        Some(held)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn keep(passes: Weak<Passes>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(held) = passes.upgrade().and_then(|passes| passes.held()) else { return };
        iter(held).for_each_concurrent(AT_ONCE, Pass::look_again).await;
    }
}
