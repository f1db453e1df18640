//! One viewer in a hub: its socket, its unsent bytes, and what comes next.

use std::io::ErrorKind;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use smallvec::SmallVec;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::{Taken, Viewer, Watching};
use crate::meters::Dropped;

/// How many bytes a viewer may still send. Browsers send nothing more.
const MAX_RECEIVED: usize = 64 * 1024;

/// The position of a viewer among the subscribers of a feed.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) feed: usize,
    pub(super) index: usize,
}

pub(super) struct ViewerConnection {
    socket: TcpStream,
    /// Its permit from the connection limit.
    _permit: OwnedSemaphorePermit,
    waker: Waker,
    /// `None` while its snapshot is being made.
    watching: Option<Watching>,
    /// The index of the run in which it is behind.
    behind: Option<usize>,
    /// For each of its runs; `None` once that has ended.
    pub(super) slots: SmallVec<[Option<Slot>; 1]>,
    /// What the socket has not accepted yet.
    unsent: Bytes,
    stuck: Option<Instant>,
    chunked: bool,
    /// Only the unsent bytes remain.
    over: bool,
    received: usize,
}

/// The result of a write.
pub(super) enum Written {
    /// Everything pending was written.
    All,
    /// The socket accepts no more at the moment.
    Stuck,
    /// Too much was missed: the viewer needs a new snapshot.
    Behind,
    /// Nothing more follows, or the client has disconnected.
    Over,
}

impl ViewerConnection {
    pub(super) fn new(viewer: Viewer, waker: Waker, patience: Duration) -> Self {
        let Viewer { socket, permit, head, chunked, watching } = viewer;
        prepare(&socket, patience);
        Self {
            socket,
            _permit: permit,
            waker,
            watching: Some(watching),
            behind: None,
            slots: SmallVec::new(),
            unsent: head,
            stuck: None,
            chunked,
            over: false,
            received: 0,
        }
    }

    /// False if the client has disconnected. What it sends is discarded.
    pub(super) fn is_there(&mut self) -> bool {
        let mut context = Context::from_waker(&self.waker);
        let mut said = [0; 1024];
        while self.socket.poll_read_ready(&mut context).is_ready() {
            match self.socket.try_read(&mut said) {
                Ok(0) => return false,
                Ok(length) => self.received += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    count_timeout(&error);
                    return false;
                }
            }
            if self.received > MAX_RECEIVED {
                Dropped::Flood.count();
                return false;
            }
        }
        true
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// True if it has read nothing for this long.
    pub(super) fn is_lost(&self, patience: Duration) -> bool {
        self.stuck.is_some_and(|since| since.elapsed() > patience)
    }

    /// Writes what is pending, until the socket accepts no more.
    pub(super) fn write(&mut self) -> Written {
        loop {
            while !self.unsent.is_empty() {
                match self.socket.try_write(&self.unsent) {
                    Ok(length) => {
                        self.unsent.advance(length);
                        self.stuck = None;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        let mut context = Context::from_waker(&self.waker);
                        if self.socket.poll_write_ready(&mut context).is_pending() {
                            self.stuck.get_or_insert_with(Instant::now);
                            return Written::Stuck;
                        }
                    }
                    Err(error) => {
                        count_timeout(&error);
                        return Written::Over;
                    }
                }
            }
            if self.over {
                return Written::Over;
            }
            // A snapshot is being made, and will contain newer events.
            let Some(watching) = &mut self.watching else { return Written::All };
            self.unsent = match watching.take() {
                Taken::Frame(frame) if self.chunked => frame.chunk(),
                Taken::Frame(frame) => frame.events(),
                Taken::NotYet => return Written::All,
                Taken::Behind(_) if self.behind.is_some() => return Written::All,
                Taken::Behind(source) => {
                    self.behind = Some(source);
                    return Written::Behind;
                }
                Taken::Over => {
                    self.over = true;
                    Bytes::from_static(if self.chunked { b"0\r\n\r\n" } else { b"" })
                }
            };
        }
    }

    /// The slot of one of its runs that has ended.
    pub(super) fn left(&mut self) -> Option<Slot> {
        // A viewer of a single run leaves when that run ends.
        if self.slots.len() < 2 {
            return None;
        }
        let watching = self.watching.as_ref()?;
        let mut both = self.slots.iter_mut().zip(watching.feeds());
        both.find_map(|(place, feed)| place.take_if(|_| feed.is_none()))
    }

    /// Requests a new snapshot. `None` if it no longer needs one.
    pub(super) fn go_back(&mut self) -> Option<BoxFuture<'static, Watching>> {
        let source = self.behind?;
        Some(self.watching.take()?.reopen(source))
    }

    /// Continues with the new snapshot. Ignored if another viewer uses this connection now.
    pub(super) fn come_back(&mut self, watching: Watching) {
        if self.watching.is_none() {
            self.behind = None;
            self.watching = Some(watching);
        }
    }
}

/// The kernel may notice that a viewer does not read before the hub does: see [`prepare`].
fn count_timeout(error: &std::io::Error) {
    if error.kind() == ErrorKind::TimedOut {
        Dropped::Timeout.count();
    }
}

/// Socket options of a viewer.
///
/// Without the first, the kernel buffers megabytes for a slow reader, who sees events many seconds late; with it, the
/// reader gets few old bytes and then the latest. Without the second, a dead connection would stay open for a quarter
/// of an hour.
#[cfg(target_os = "linux")]
fn prepare(socket: &TcpStream, patience: Duration) {
    const UNSENT: u32 = 4 * 1024;
    let socket = socket2::SockRef::from(socket);
    // Kernels without these options work, too.
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    let _ = socket.set_tcp_user_timeout(Some(patience));
}

#[cfg(not(target_os = "linux"))]
fn prepare(_: &TcpStream, _: Duration) {}
