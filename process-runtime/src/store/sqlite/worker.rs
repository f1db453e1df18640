//! The writer thread: commits operations in groups.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::StoreError;
use super::damage::{Db, Failure};
use super::groups::{Groups, Weighed};
use super::mark::Mark;
use super::presence::Presence;
use super::upkeep::Upkeep;
use crate::text::OneLine;

/// How many droppable operations may be queued while the disk does not respond.
const MAX_QUEUED: usize = 10_000;

/// Called with the result of the commit: an operation is answered only then.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// The error is the operation's own. If it ended the transaction of the whole group, it is the reason.
type Write = Box<dyn FnOnce(&Db) -> (Answer, Option<StoreError>) + Send>;

/// The writer thread.
pub(super) struct Writer {
    queue: Option<Sender<Weighed<Write>>>,
    queued: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// Whether an operation is executed even if its caller has gone or got an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unwanted {
    Execute,
    Skip,
}

impl Writer {
    /// Starts the thread. It holds `lock` until the last write is done.
    pub(super) fn start(
        db: Db,
        mut mark: Mark,
        presence: Presence,
        lock: File,
        mut upkeep: Upkeep,
    ) -> io::Result<Self> {
        let (queue, writes) = channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let waiting = Arc::clone(&queued);
        let thread = std::thread::Builder::new().name("process-store".into()).spawn(move || {
            let files = (&mut mark, &presence, &mut upkeep);
            write_in_groups(&db, files, &mut Groups::of(writes), &waiting);
            drop(db);
            drop(lock);
        })?;
        Ok(Self { queue: Some(queue), queued, thread: Some(thread) })
    }

    /// Runs `operation` in a savepoint of the next group, and answers after the commit. It is executed even if the
    /// caller stops waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.push(0, Unwanted::Execute, operation).await
    }

    /// Like [`run`](Self::run), for an operation that may write this many bytes: light ones go first.
    pub(super) async fn run_weighing<T: Send + 'static>(
        &self,
        weight: usize,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.push(weight, Unwanted::Execute, operation).await
    }

    /// Like [`run`](Self::run), but skipped if the caller gives up before the operation begins.
    pub(super) async fn run_if_wanted<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.queued.load(Ordering::Relaxed) >= MAX_QUEUED {
            return Err(StoreError::Busy);
        }
        self.push(0, Unwanted::Skip, operation).await
    }

    async fn push<T: Send + 'static>(
        &self,
        weight: usize,
        unwanted: Unwanted,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |db| {
            if unwanted == Unwanted::Skip && sender.is_closed() {
                return (Box::new(|_| {}), None);
            }
            let result = in_savepoint(db, operation).map_err(|failure| db.damage.answer(failure));
            let error = result.as_ref().err().cloned();
            let answer: Answer = Box::new(move |committed| {
                // The caller may have gone; the write stays. In a group that was not committed, the operation's own
                // error says nothing.
                let _ = sender.send(committed.and(result));
            });
            (answer, error)
        });
        if let Some(queue) = &self.queue {
            self.queued.fetch_add(1, Ordering::Relaxed);
            queue.send(Weighed { weight, value: write }).map_err(|_| gone())?;
        }
        receiver.await.map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // Waits for the queued writes, so that the lock is free when this returns.
            let _ = thread.join();
        }
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::Unavailable("its writer thread has ended".into())
}

fn write_in_groups(
    db: &Db,
    (mark, presence, upkeep): (&mut Mark, &Presence, &mut Upkeep),
    groups: &mut Groups<Write>,
    queued: &AtomicUsize,
) {
    loop {
        let idle = upkeep.due();
        let Ok(waiting) = groups.wait(idle) else { return };
        if !waiting {
            upkeep.work(db);
            continue;
        }
        let mut group = groups.next();
        let mut answers = Vec::new();
        let mut committed = execute(db, "BEGIN IMMEDIATE");
        for write in group.by_ref() {
            queued.fetch_sub(1, Ordering::Relaxed);
            let (answer, error) = write(db);
            answers.push(answer);
            // After errors such as a full disk, SQLite rolls back the whole transaction. Later operations of the group
            // must not run in transactions of their own: they get this group's error.
            if committed.is_ok() && db.is_autocommit() {
                let unknown = || StoreError::Unavailable("the transaction was rolled back".into());
                committed = Err(error.unwrap_or_else(unknown));
                break;
            }
        }
        // The rest of the group goes into the next one.
        drop(group);
        committed = committed.and_then(|()| presence.check()).and_then(|()| commit(db, mark));
        match &committed {
            Ok(()) => mark.committed(),
            Err(_) if db.is_autocommit() => {}
            Err(_) => {
                if let Err(error) = db.execute_batch("ROLLBACK") {
                    tracing::error!("could not roll back a transaction: {}", OneLine(&error));
                }
            }
        }
        for answer in answers {
            answer(committed.clone());
        }
        upkeep.wrote(db);
    }
}

fn commit(db: &Db, mark: &mut Mark) -> Result<(), StoreError> {
    // A file that was found damaged in the meantime is not written to.
    db.damage.refuse()?;
    mark.count(db).map_err(|failure| db.damage.answer(failure))?;
    execute(db, "COMMIT")
}

fn execute(db: &Db, statement: &str) -> Result<(), StoreError> {
    db.execute_batch(statement).map_err(|error| db.damage.answer(error.into()))
}

/// Runs one operation in a savepoint, all or nothing, inside the group's transaction.
fn in_savepoint<T>(db: &Db, operation: impl FnOnce(&Db) -> Result<T, Failure>) -> Result<T, Failure> {
    db.damage.refuse()?;
    if db.is_autocommit() {
        return Err(StoreError::Unavailable("could not begin a transaction".into()).into());
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
