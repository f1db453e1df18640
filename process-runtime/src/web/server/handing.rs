//! The handover of a stream from its HTTP connection to a hub: what is recorded at the response, and the head of the
//! stream.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::response::Parts;
use axum::http::{Version, header};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::web::stream::watching::Watching;

/// A stream that was answered, and waits to be taken out of its connection.
pub(super) struct Answered {
    pub(super) head: Bytes,
    /// False for an HTTP/1.0 client, which reads until the connection is closed.
    pub(super) chunked: bool,
    pub(super) watching: Watching,
}

impl Answered {
    pub(super) fn new(version: Version, response: &Parts, watching: Watching) -> Self {
        let chunked = version == Version::HTTP_11;
        Self { head: head(chunked, response), chunked, watching }
    }
}

/// The head of a response without an end, after which the connection is closed.
fn head(chunked: bool, response: &Parts) -> Bytes {
    let mut head = Vec::with_capacity(1024);
    head.extend_from_slice(if chunked { b"HTTP/1.1 " } else { b"HTTP/1.0 " });
    head.extend_from_slice(response.status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(response.status.canonical_reason().unwrap_or_default().as_bytes());
    let mut line = |name: &str, value: &[u8]| {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
    };
    for (name, value) in &response.headers {
        line(name.as_str(), value.as_bytes());
    }
    if chunked {
        line(header::TRANSFER_ENCODING.as_str(), b"chunked");
    }
    line(header::CONNECTION.as_str(), b"close");
    let now = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    line(header::DATE.as_str(), now.as_bytes());
    head.extend_from_slice(b"\r\n\r\n");
    head.into()
}

/// State that a connection shares with the response to its request.
#[derive(Default)]
pub(super) struct Handing {
    answered: Mutex<Option<Answered>>,
    /// An earlier response has not been written completely: the client pipelined another request.
    blocked: AtomicBool,
}

impl Handing {
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked.load(Ordering::Relaxed)
    }

    pub(super) fn put(&self, answered: Answered) {
        *self.answered.lock() = Some(answered);
    }

    pub(super) fn take(&self) -> Option<Answered> {
        self.answered.lock().take()
    }
}

/// A socket that records whether its last write was accepted, and fails if none is for too long.
pub(super) struct Noted {
    pub(super) socket: TcpStream,
    handing: Arc<Handing>,
    /// How long a client may read nothing.
    patience: Duration,
    /// The deadline, set once a write was not accepted immediately.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Noted {
    pub(super) fn new(socket: TcpStream, handing: Arc<Handing>, patience: Duration) -> Self {
        Self { socket, handing, patience, alarm: None }
    }
}

impl AsyncRead for Noted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, into)
    }
}

impl AsyncWrite for Noted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.handing.blocked.store(written.is_pending(), Ordering::Relaxed);
        if written.is_ready() {
            self.alarm = None;
            return written;
        }
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(patience)));
        alarm.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
