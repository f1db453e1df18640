//! Owns how many connections are open: that there are no more than there may be, and what one beyond that is told.
//! Refuses to know what a connection is used for.

use std::io::Write as _;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;

use crate::texts::{Message, Texts};

/// How many files the program may have open beside its connections, if the system gives it so many.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;
/// When a client may try again, in seconds.
const RETRY: u32 = 10;

/// The places for connections.
pub(super) struct Places {
    most: usize,
    taken: Arc<AtomicUsize>,
    refusal: Vec<u8>,
}

/// The place of one connection, which is given back when this is dropped.
pub(in crate::web::server) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { most, taken: Arc::default(), refusal: refusal(most) }
    }

    /// A place, if there is one.
    pub(super) fn take(&self) -> Option<Place> {
        // Before the system has none left for a file either: a program that cannot open any stands still.
        let most = self.most.min(descriptors());
        // Only whoever accepts connections takes places, so nobody comes between the two.
        if self.taken.load(Ordering::Relaxed) >= most {
            return None;
        }
        self.taken.fetch_add(1, Ordering::Relaxed);
        Some(Place(Arc::clone(&self.taken)))
    }

    /// Says that there is none, as far as that can be said without waiting for anybody.
    pub(super) fn refuse(&self, socket: TcpStream) {
        if let Ok(mut socket) = socket.into_std() {
            // Whoever cannot be told is sent away all the same.
            let _ = socket.write(&self.refusal);
            let _ = socket.shutdown(Shutdown::Write);
        }
    }
}

/// What is answered, whatever was asked: nothing of it was read.
fn refusal(most: usize) -> Vec<u8> {
    let detail = Texts::english().say(&Message::new("problem.connections").with("most", most));
    let body =
        serde_json::json!({ "status": 503, "title": "Service Unavailable", "detail": detail }).to_string();
    let length = body.len();
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
                cache-control: no-store\r\nconnection: close\r\n";
    format!("{head}retry-after: {RETRY}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// How many connections the system lets the program have, with some files left for all else.
#[cfg(unix)]
fn descriptors() -> usize {
    match rlimit::Resource::NOFILE.get_soft() {
        Ok(most) => usize::try_from(most.saturating_sub(OTHER_FILES).max(most / 2)).unwrap_or(usize::MAX),
        Err(_) => usize::MAX,
    }
}

#[cfg(not(unix))]
fn descriptors() -> usize {
    usize::MAX
}
