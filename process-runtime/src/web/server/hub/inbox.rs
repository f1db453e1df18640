//! How a hub is woken: by viewers that connect, by feeds with new events, by sockets that can be written.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use tokio::net::TcpStream;

use crate::web::server::permits::ConnectionPermit;
use crate::web::stream::watching::Watching;

/// A viewer whose stream begins.
pub(in crate::web::server) struct Viewer {
    pub(in crate::web::server) socket: TcpStream,
    pub(in crate::web::server) place: ConnectionPermit,
    /// What is written before anything else.
    pub(in crate::web::server) head: Bytes,
    /// False when it knows no chunks.
    pub(in crate::web::server) chunked: bool,
    pub(in crate::web::server) watching: Watching,
}

/// Where viewers come in. A hub ends when nobody can come in any more and the last viewer has gone.
#[derive(Clone)]
pub(in crate::web::server) struct Entrance(Arc<Open>);

struct Open(Arc<Inbox>);

impl Entrance {
    pub(super) fn of(door: Arc<Inbox>) -> Self {
        Self(Arc::new(Open(door)))
    }

    pub(in crate::web::server) fn enter(&self, viewer: Viewer) {
        self.0.0.push(|waiting| waiting.arrived.push(viewer));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.push(|waiting| waiting.closed = true);
    }
}

/// Who wants to be looked at.
#[derive(Clone, Copy)]
pub(super) enum InboxWaker {
    /// The socket of the viewer in this seat became readable or writable.
    Socket(usize),
    /// This feed has news.
    Subscription(usize),
    /// The opening that is made got on.
    Opening,
}

/// What has come since the hub last looked.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) arrived: Vec<Viewer>,
    pub(super) knocks: Vec<InboxWaker>,
    /// Nobody can come in any more.
    pub(super) closed: bool,
}

#[derive(Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    /// Woken by whatever comes.
    pub(super) hub: AtomicWaker,
}

impl Inbox {
    fn push(&self, what: impl FnOnce(&mut Waiting)) {
        what(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.hub.wake();
    }

    pub(super) fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Knocks whenever it is woken.
    pub(super) fn waker(self: &Arc<Self>, knock: InboxWaker) -> Waker {
        Waker::from(Arc::new(Knocker { door: Arc::clone(self), knock }))
    }
}

struct Knocker {
    door: Arc<Inbox>,
    knock: InboxWaker,
}

impl Wake for Knocker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.door.push(|waiting| waiting.knocks.push(self.knock));
    }
}
