//! Clients that read logs: many that search and disconnect, and many slow downloads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::field::Field;

/// How many clients search concurrently, for how long, and how often they come.
pub(super) const SEARCHERS: usize = 1_000;
const STAYS: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_secs(15);

/// How many download, how many of them may, and how much each reads a second.
pub(super) const DOWNLOADERS: usize = 1_000;
pub(super) const MAY_DOWNLOAD: u64 = 256;
const BYTES_A_SECOND: usize = 4_096;

/// What became of them.
#[derive(Debug, Default)]
pub(super) struct Readers {
    /// Answers by status; 0 is none before they left.
    pub(super) answers: Mutex<BTreeMap<u16, u64>>,
    /// Rejections without Retry-After.
    pub(super) untold: AtomicU64,
    /// Concurrent downloads, now and at most, and those that the program ended.
    now: AtomicU64,
    pub(super) most: AtomicU64,
    pub(super) cut: AtomicU64,
}

impl Readers {
    fn count(&self, status: u16) {
        *self.answers.lock().unwrap().entry(status).or_default() += 1;
    }
}

/// Sends a request on a socket with a small receive buffer.
async fn asked(field: &Field, path: &str, accept: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4 << 10)?;
    let mut socket = socket.connect(field.addr).await?;
    let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\naccept: {accept}\r\n\r\n", field.addr);
    socket.write_all(head.as_bytes()).await?;
    Ok(socket)
}

/// The response head, in lower case. The part of the body that arrives with it is dropped.
async fn head(socket: &mut TcpStream) -> Option<(u16, String)> {
    let mut head = Vec::with_capacity(1_024);
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if socket.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    Some((head.get(9..12)?.parse().ok()?, head))
}

/// Clients that search for a text that is not in this log, and disconnect before the response.
pub(super) async fn search(field: Arc<Field>, log: String, readers: Arc<Readers>) {
    let mut crowds = JoinSet::new();
    let mut next = Duration::from_secs(1);
    while field.wait_for(next).await {
        next += EVERY;
        for _ in 0..SEARCHERS {
            let (field, path, readers) =
                (Arc::clone(&field), format!("{log}/log?q=zzz"), Arc::clone(&readers));
            crowds.spawn(async move {
                let answer = timeout(STAYS, async {
                    let mut socket = asked(&field, &path, "text/html").await.ok()?;
                    let answer = head(&mut socket).await;
                    // A rejected client leaves immediately, and the others after a second.
                    if answer.as_ref().is_some_and(|(status, _)| *status == 200) {
                        let _ = tokio::io::copy(&mut socket, &mut tokio::io::sink()).await;
                    }
                    answer
                });
                readers.count(answer.await.ok().flatten().map_or(0, |(status, _)| status));
            });
        }
    }
    crowds.join_all().await;
}

/// Slow downloads of this log, which retry after the time in a rejection.
pub(super) async fn download(field: Arc<Field>, log: String, readers: Arc<Readers>) {
    let mut crowd = JoinSet::new();
    for _ in 0..DOWNLOADERS {
        let (field, path, readers) = (Arc::clone(&field), format!("{log}/log"), Arc::clone(&readers));
        crowd.spawn(async move {
            field
                .while_it_lasts(async {
                    loop {
                        let wait = download_once(&field, &path, &readers).await;
                        sleep(wait).await;
                    }
                })
                .await;
        });
    }
    crowd.join_all().await;
}

/// Downloads until the end, and returns when to retry.
async fn download_once(field: &Field, path: &str, readers: &Readers) -> Duration {
    let usual = Duration::from_secs(10);
    let Ok(mut socket) = asked(field, path, "*/*").await else { return usual };
    let Some((status, head)) = head(&mut socket).await else { return usual };
    readers.count(status);
    if status != 200 {
        let told = head.lines().find_map(|line| line.strip_prefix("retry-after: ")?.trim().parse().ok());
        if told.is_none() {
            readers.untold.fetch_add(1, Ordering::Relaxed);
        }
        return told.map_or(usual, |seconds: u64| Duration::from_secs(seconds.max(1)));
    }
    let _place = Place::take(readers);
    let mut piece = [0; BYTES_A_SECOND];
    while let Ok(1..) = socket.read(&mut piece).await {
        sleep(Duration::from_secs(1)).await;
    }
    readers.cut.fetch_add(1, Ordering::Relaxed);
    usual
}

/// One download in progress.
struct Place<'a>(&'a Readers);

impl<'a> Place<'a> {
    fn take(readers: &'a Readers) -> Self {
        let now = readers.now.fetch_add(1, Ordering::Relaxed) + 1;
        readers.most.fetch_max(now, Ordering::Relaxed);
        Self(readers)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
