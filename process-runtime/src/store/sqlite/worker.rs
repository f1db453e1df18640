//! The thread that writes to SQLite, in groups that are committed together.

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

/// How many operations that can be asked for again may wait, where a disk stands still.
const MAX_QUEUED: usize = 10_000;

/// Called when the group's commit is known: only then is an operation answered.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// The error is the operation's own: should it have cost the whole group its transaction, it says why.
type Write = Box<dyn FnOnce(&Db) -> (Answer, Option<StoreError>) + Send>;

/// The thread that writes.
pub(super) struct Writer {
    queue: Option<Sender<Weighed<Write>>>,
    queued: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

/// Whether an operation is done though its caller has gone, or was told that it was not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unasked {
    Done,
    LeftOut,
}

impl Writer {
    /// `lock` is kept until the last write is done.
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

    /// Runs `operation` in a savepoint of the next group; the answer comes after the commit. It is done even if the
    /// caller does not wait for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.push(0, Unasked::Done, operation).await
    }

    /// The same with one that writes so many bytes, where that may be many: others go first.
    pub(super) async fn run_weighing<T: Send + 'static>(
        &self,
        weight: usize,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.push(weight, Unasked::Done, operation).await
    }

    /// Like [`run`](Self::run), unless the caller gives up before it has its turn: then nothing is done.
    pub(super) async fn run_if_wanted<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        if self.queued.load(Ordering::Relaxed) >= MAX_QUEUED {
            return Err(StoreError::Busy);
        }
        self.push(0, Unasked::LeftOut, operation).await
    }

    async fn push<T: Send + 'static>(
        &self,
        weight: usize,
        unasked: Unasked,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |db| {
            if unasked == Unasked::LeftOut && sender.is_closed() {
                return (Box::new(|_| {}), None);
            }
            let result = in_savepoint(db, operation).map_err(|failure| db.damage.answer(failure));
            let error = result.as_ref().err().cloned();
            let answer: Answer = Box::new(move |committed| {
                // The caller may have gone; the write stands all the same. What an operation found in a
                // group that was not committed is not the truth: its error does not count either.
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
            // Waits for the writes in the queue, so that the lock is free when this returns.
            let _ = thread.join();
        }
    }
}

pub(super) fn gone() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
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
            // On errors such as a full disk SQLite gives up the whole transaction by itself. What comes
            // after must not slip into a transaction of its own: it is answered with this group's error.
            if committed.is_ok() && db.is_autocommit() {
                let unknown = || StoreError::Unavailable("the transaction was given up".into());
                committed = Err(error.unwrap_or_else(unknown));
                break;
            }
        }
        // What is left of the group waits for the next one.
        drop(group);
        committed = committed.and_then(|()| presence.check()).and_then(|()| commit(db, mark));
        match &committed {
            Ok(()) => mark.committed(),
            Err(_) if db.is_autocommit() => {}
            Err(_) => {
                if let Err(error) = db.execute_batch("ROLLBACK") {
                    tracing::error!("the store could not roll back: {}", OneLine(&error));
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
    // What has turned out to be damaged meanwhile is not written to.
    db.damage.refuse()?;
    mark.count(db).map_err(|failure| db.damage.answer(failure))?;
    execute(db, "COMMIT")
}

fn execute(db: &Db, statement: &str) -> Result<(), StoreError> {
    db.execute_batch(statement).map_err(|error| db.damage.answer(error.into()))
}

/// One operation's writes, all or nothing, inside the group's transaction.
fn in_savepoint<T>(db: &Db, operation: impl FnOnce(&Db) -> Result<T, Failure>) -> Result<T, Failure> {
    db.damage.refuse()?;
    if db.is_autocommit() {
        return Err(StoreError::Unavailable("no transaction could be begun".into()).into());
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
