//! One viewer in a hub: its socket, what was not written yet, and what comes next.

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

/// How much a viewer may still say, in bytes. Browsers say nothing more.
const LAST_WORDS: usize = 64 * 1024;

/// The place of a viewer among those who watch a feed.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) feed: usize,
    pub(super) index: usize,
}

pub(super) struct ViewerConnection {
    socket: TcpStream,
    /// Its place among the connections.
    _permit: OwnedSemaphorePermit,
    waker: Waker,
    /// `None` while its snapshot is made anew.
    watching: Option<Watching>,
    /// Which of its runs it is behind in.
    behind: Option<usize>,
    /// For each of its runs; `None` when that has ended.
    pub(super) slots: SmallVec<[Option<Slot>; 1]>,
    /// What the socket has not taken yet.
    unsent: Bytes,
    stuck: Option<Instant>,
    chunked: bool,
    /// All that remains is what is unsent.
    over: bool,
    heard: usize,
}

/// How far writing came.
pub(super) enum Written {
    /// All that was due.
    All,
    /// As much as the socket takes at the moment.
    Stuck,
    /// Too much was missed: an snapshot is due.
    Behind,
    /// There is nothing more to write, or nobody to read it.
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
            heard: 0,
        }
    }

    /// False when the client has gone. What it says is not listened to.
    pub(super) fn is_there(&mut self) -> bool {
        let mut context = Context::from_waker(&self.waker);
        let mut said = [0; 1024];
        while self.socket.poll_read_ready(&mut context).is_ready() {
            match self.socket.try_read(&mut said) {
                Ok(0) => return false,
                Ok(length) => self.heard += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
            if self.heard > LAST_WORDS {
                Dropped::Flood.count();
                return false;
            }
        }
        true
    }

    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// True when it has taken nothing for so long.
    pub(super) fn is_lost(&self, patience: Duration) -> bool {
        self.stuck.is_some_and(|since| since.elapsed() > patience)
    }

    /// Writes what is due, until the socket takes no more.
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
                    Err(_) => return Written::Over,
                }
            }
            if self.over {
                return Written::Over;
            }
            // On its way to an snapshot: what comes then comes through that.
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

    /// The place that one of its runs has no more use for, since it has ended.
    pub(super) fn left(&mut self) -> Option<Slot> {
        // Who watches one run has left when it ends.
        if self.slots.len() < 2 {
            return None;
        }
        let watching = self.watching.as_ref()?;
        let mut both = self.slots.iter_mut().zip(watching.feeds());
        both.find_map(|(place, feed)| place.take_if(|_| feed.is_none()))
    }

    /// Has its snapshot made anew. `None` when it does not need one any more.
    pub(super) fn go_back(&mut self) -> Option<BoxFuture<'static, Watching>> {
        let source = self.behind?;
        Some(self.watching.take()?.reopen(source))
    }

    /// Its snapshot is made. Nothing happens if it is somebody else's, who had this connection before.
    pub(super) fn come_back(&mut self, watching: Watching) {
        if self.watching.is_none() {
            self.behind = None;
            self.watching = Some(watching);
        }
    }
}

/// What the socket of a viewer is told.
///
/// Without the first, the kernel takes megabytes for one who reads slowly, and what he sees is many seconds old;
/// with it he gets few old bytes, and then the latest. Without the second, one whose line is dead would be kept
/// for a quarter of an hour.
#[cfg(target_os = "linux")]
fn prepare(socket: &TcpStream, patience: Duration) {
    const UNSENT: u32 = 4 * 1024;
    let socket = socket2::SockRef::from(socket);
    // A kernel that cannot do it serves all the same.
    let _ = socket.set_tcp_notsent_lowat(UNSENT);
    let _ = socket.set_tcp_user_timeout(Some(patience));
}

#[cfg(not(target_os = "linux"))]
fn prepare(_: &TcpStream, _: Duration) {}
