//! Owns the threads that talk to SQLite: one that writes, in groups, and a few that read.
//! Refuses to know what is written and read.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// The most operations that share one commit.
const GROUP: usize = 1_024;

/// Called when the group's commit is known: only then is an operation answered.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Write = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Read = Box<dyn FnOnce(&Connection) + Send>;

/// The thread that writes.
pub(super) struct Writer {
    queue: Option<Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `lock` is kept until the last write is done.
    pub(super) fn start(db: Connection, lock: File) -> io::Result<Self> {
        let (queue, writes) = channel();
        let thread = std::thread::Builder::new().name("process-store".into()).spawn(move || {
            write_in_groups(&db, &writes);
            drop(db);
            drop(lock);
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `operation` in a savepoint of the next group; the answer comes after the commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |db| {
            let result = in_savepoint(db, operation);
            Box::new(move |committed| {
                // The caller may have gone; the write stands all the same.
                let _ = sender.send(committed.and(result));
            })
        });
        if let Some(queue) = &self.queue {
            queue.send(write).map_err(|_| gone())?;
        }
        receiver.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // Waits for the writes in the queue, so that the lock is free when this returns.
            let _ = thread.join();
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}

fn write_in_groups(db: &Connection, writes: &Receiver<Write>) {
    while let Ok(first) = writes.recv() {
        let mut group = std::iter::once(first).chain(writes.try_iter().take(GROUP - 1));
        let mut answers = Vec::new();
        let mut committed = db.execute_batch("BEGIN IMMEDIATE").map_err(StoreError::from);
        for write in group.by_ref() {
            answers.push(write(db));
            // On errors such as a full disk SQLite gives up the whole transaction by itself. What comes
            // after must not slip into a transaction of its own: it is answered with this group's error.
            if committed.is_ok() && db.is_autocommit() {
                committed = Err(StoreError::Unavailable("the transaction was given up".into()));
                break;
            }
        }
        // Written in its own loop iteration: what is left in `group` waits in the queue.
        drop(group);
        if committed.is_ok() {
            committed = db.execute_batch("COMMIT").map_err(StoreError::from);
        }
        if committed.is_err() && !db.is_autocommit() {
            if let Err(error) = db.execute_batch("ROLLBACK") {
                tracing::error!("the store could not roll back: {error}");
            }
        }
        for answer in answers {
            answer(committed.clone());
        }
    }
}

/// One operation's writes, all or nothing, inside the group's transaction.
fn in_savepoint<T>(
    db: &Connection,
    operation: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if db.is_autocommit() {
        return Err(StoreError::Unavailable("no transaction could be begun".into()));
    }
    db.execute_batch("SAVEPOINT operation")?;
    match operation(db) {
        Ok(value) => {
            db.execute_batch("RELEASE operation")?;
            Ok(value)
        }
        Err(error) => {
            if !db.is_autocommit() {
                db.execute_batch("ROLLBACK TO operation; RELEASE operation")?;
            }
            Err(error)
        }
    }
}

/// The threads that read, each with a connection of its own, from one queue.
pub(super) struct Reader {
    queue: Option<Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(connections: Vec<Connection>) -> io::Result<Self> {
        let (queue, reads) = channel::<Read>();
        let reads = Arc::new(Mutex::new(reads));
        let spawn = |db: Connection| {
            let reads = Arc::clone(&reads);
            std::thread::Builder::new().name("process-reader".into()).spawn(move || {
                loop {
                    // The lock is held while waiting: whoever has it takes the next read, then lets go.
                    let next = reads.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    match next {
                        Ok(read) => read(&db),
                        Err(_) => break,
                    }
                }
            })
        };
        let threads = connections.into_iter().map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |db| {
            let _ = sender.send(operation(db));
        });
        if let Some(queue) = &self.queue {
            queue.send(read).map_err(|_| gone())?;
        }
        receiver.await.map_err(|_| gone())?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}
