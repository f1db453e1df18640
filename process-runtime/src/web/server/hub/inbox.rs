//! How a hub is woken: by viewers that connect, by feeds with new events, by sockets that can be written.

use std::sync::Arc;
use std::task::{Wake, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::web::stream::watching::Watching;

/// A viewer whose stream begins.
pub(in crate::web::server) struct Viewer {
    pub(in crate::web::server) socket: TcpStream,
    pub(in crate::web::server) permit: OwnedSemaphorePermit,
    /// Written before anything else.
    pub(in crate::web::server) head: Bytes,
    /// False for an HTTP/1.0 client.
    pub(in crate::web::server) chunked: bool,
    pub(in crate::web::server) watching: Watching,
}

/// Hands viewers to a hub. The hub ends when no sender is left and the last viewer has disconnected.
#[derive(Clone)]
pub(in crate::web::server) struct HubSender(Arc<CloseOnDrop>);

struct CloseOnDrop(Arc<Inbox>);

impl HubSender {
    pub(super) fn of(inbox: Arc<Inbox>) -> Self {
        Self(Arc::new(CloseOnDrop(inbox)))
    }

    pub(in crate::web::server) fn send(&self, viewer: Viewer) {
        self.0.0.push(|waiting| waiting.arrived.push(viewer));
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.push(|waiting| waiting.closed = true);
    }
}

/// Why the hub was woken.
#[derive(Clone, Copy)]
pub(super) enum WakeReason {
    /// The socket of the viewer in this connection became readable or writable.
    Socket(usize),
    /// This feed has new events.
    Feed(usize),
    /// The snapshot in progress can continue.
    Snapshot,
}

/// What has happened since the hub last ran.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) arrived: Vec<Viewer>,
    pub(super) wakes: Vec<WakeReason>,
    /// No more viewers can connect.
    pub(super) closed: bool,
}

#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    /// Wakes the hub.
    pub(super) hub: AtomicWaker,
}

impl Inbox {
    fn push(&self, what: impl FnOnce(&mut Waiting)) {
        what(&mut self.waiting.lock());
        self.hub.wake();
    }

    pub(super) fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// A waker that wakes the hub for this reason.
    pub(super) fn waker(self: &Arc<Self>, reason: WakeReason) -> Waker {
        Waker::from(Arc::new(InboxWaker { inbox: Arc::clone(self), reason }))
    }
}

struct InboxWaker {
    inbox: Arc<Inbox>,
    reason: WakeReason,
}

impl Wake for InboxWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.inbox.push(|waiting| waiting.wakes.push(self.reason));
    }
}
