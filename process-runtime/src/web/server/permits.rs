//! How many connections are open, and the 503 for those beyond the limit.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::text::OneLine;
use crate::texts::{Message, Texts};

/// How many files the program may open beside its connections and those it has open when it begins to serve, if the
/// system gives it so many; and the share of all files otherwise.
#[cfg(unix)]
const OTHER_FILES: u64 = 256;
#[cfg(unix)]
const OTHER_SHARE: u64 = 4;
/// When a client may try again, in seconds.
const RETRY: u32 = 10;
/// How many of those who are refused are listened to at a time, and for how long. They have files open, too.
const HEARD: usize = 4;
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the operator is told.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// The places for connections.
pub(super) struct ConnectionPermits {
    /// How many connections there may be: no more than the system has files for, with some left for all else, because
    /// a program that can open none stands still.
    most: usize,
    free: Arc<Semaphore>,
    heard: Arc<Semaphore>,
    /// Given up to answer one more connection when the system has no file left for it.
    spare: Option<std::fs::File>,
    said: Said,
}

/// What was said to the operator of connections that were refused.
#[derive(Default)]
struct Said {
    last: Option<Instant>,
    /// How many were refused, from the beginning.
    refused: u64,
}

impl ConnectionPermits {
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(descriptors(open_files())).min(Semaphore::MAX_PERMITS);
        let [free, heard] = [most, HEARD].map(|permits| Arc::new(Semaphore::new(permits)));
        Self { most, free, heard, spare: spare(), said: Said::default() }
    }

    /// A place, if there is one.
    pub(super) fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// How many are taken.
    fn taken(&self) -> usize {
        self.most - self.free.available_permits()
    }

    /// Tells a client that there is none.
    pub(super) fn refuse(&mut self, socket: TcpStream) {
        self.say();
        let refusal = refusal(self.most);
        match Arc::clone(&self.heard).try_acquire_owned() {
            Ok(heard) => drop(tokio::spawn(drain_request(socket, refusal, heard))),
            Err(_) => send_refusal(socket, &refusal),
        }
    }

    /// Makes room to accept one more connection, which is to be [refused](Self::refuse_last), when the system has no
    /// file left for it. False if there is none to give up.
    pub(super) fn make_room(&mut self, error: &io::Error) -> bool {
        is_out_of_files(error) && self.spare.take().is_some()
    }

    /// Tells the client of the connection that was accepted in that room, if there was one, and takes the room back.
    pub(super) fn refuse_last(&mut self, socket: Option<TcpStream>) {
        if let Some(socket) = socket {
            self.say();
            send_refusal(socket, &refusal(self.taken()));
        }
        self.spare = spare();
    }

    /// Takes back the room that somebody else was faster to take.
    pub(super) fn find_room(&mut self) {
        self.spare = self.spare.take().or_else(spare);
    }

    /// Says that connections are refused, and now and then that they still are.
    fn say(&mut self) {
        self.said.refused += 1;
        if self.said.last.is_some_and(|last| last.elapsed() < SAY_AGAIN) {
            return;
        }
        let (refused, open) = (self.said.refused, self.taken());
        tracing::warn!(
            "connections are refused with 503, {} so far: {} are open, and Limits::max_connections or the number of files \
             that the program may open (ulimit -n) allows no more",
            OneLine(refused),
            OneLine(open)
        );
        self.said.last = Some(Instant::now());
    }
}

/// Answers once the client has asked, and closes once it has read: whoever is closed while it still sends may lose
/// what it was told.
async fn drain_request(mut socket: TcpStream, refusal: Vec<u8>, _heard: OwnedSemaphorePermit) {
    let mut asked = [0; 4096];
    let _ = timeout(PATIENCE, socket.read(&mut asked)).await;
    let told = async {
        socket.write_all(&refusal).await?;
        socket.shutdown().await?;
        while socket.read(&mut asked).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = timeout(PATIENCE, told).await;
}

/// Answers as far as that can be done without waiting for anybody.
fn send_refusal(socket: TcpStream, refusal: &[u8]) {
    if let Ok(mut socket) = socket.into_std() {
        // What is not read by then would take the answer away with it.
        let mut asked = [0; 16 << 10];
        let _ = socket.read(&mut asked);
        // Whoever cannot be told is sent away all the same.
        let _ = socket.write(refusal);
        let _ = socket.shutdown(Shutdown::Write);
    }
}

/// What is answered, whatever was asked.
fn refusal(most: usize) -> Vec<u8> {
    let detail = Texts::english().say(&Message::new("problem.connections").with("most", most));
    let body =
        serde_json::json!({ "status": 503, "title": "Service Unavailable", "detail": detail }).to_string();
    let length = body.len();
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
                cache-control: no-store\r\nconnection: close\r\n";
    format!("{head}retry-after: {RETRY}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// How many connections the system lets the program have that has so many other files open already.
#[cfg(unix)]
fn descriptors(others: u64) -> usize {
    let Ok(most) = rlimit::Resource::NOFILE.get_soft() else { return usize::MAX };
    let left = most.saturating_sub(others).saturating_sub(OTHER_FILES.min(most / OTHER_SHARE));
    usize::try_from(left.max(1)).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn open_files() -> u64 {
    std::fs::read_dir("/dev/fd").map_or(OTHER_FILES / 4, |files| files.count() as u64)
}

#[cfg(unix)]
fn spare() -> Option<std::fs::File> {
    std::fs::File::open("/dev/null").ok()
}

/// `EMFILE` of the program, or `ENFILE` of the whole system.
#[cfg(unix)]
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

#[cfg(not(unix))]
fn descriptors(_: u64) -> usize {
    usize::MAX
}

#[cfg(not(unix))]
fn open_files() -> u64 {
    0
}

#[cfg(not(unix))]
fn spare() -> Option<std::fs::File> {
    None
}

#[cfg(not(unix))]
fn is_out_of_files(_: &io::Error) -> bool {
    false
}
