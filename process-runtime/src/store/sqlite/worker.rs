//! Owns the threads that talk to SQLite: one that writes, in groups, and a few that read.
//! Refuses to know what is written and read.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::StoreError;
use super::damage::{Db, Failure};
use super::groups::{Groups, Weighed};
use super::mark::Mark;
use super::upkeep::Upkeep;
use crate::text::OneLine;

/// Called when the group's commit is known: only then is an operation answered.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// The error is the operation's own: should it have cost the whole group its transaction, it says why.
type Write = Box<dyn FnOnce(&Db) -> (Answer, Option<StoreError>) + Send>;
type Read = Box<dyn FnOnce(&Db) + Send>;

/// The thread that writes.
pub(super) struct Writer {
    queue: Option<Sender<Weighed<Write>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `lock` is kept until the last write is done.
    pub(super) fn start(db: Db, mut mark: Mark, lock: File, mut upkeep: Upkeep) -> io::Result<Self> {
        let (queue, writes) = channel();
        let thread = std::thread::Builder::new().name("process-store".into()).spawn(move || {
            write_in_groups(&db, &mut mark, &mut Groups::of(writes), &mut upkeep);
            drop(db);
            drop(lock);
        })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `operation` in a savepoint of the next group; the answer comes after the commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run_weighing(0, operation).await
    }

    /// The same with one that writes so many bytes, where that may be many: others go first.
    pub(super) async fn run_weighing<T: Send + 'static>(
        &self,
        weight: usize,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let write: Write = Box::new(move |db| {
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

fn gone() -> StoreError {
    StoreError::Unavailable("its thread has ended".into())
}

fn write_in_groups(db: &Db, mark: &mut Mark, groups: &mut Groups<Write>, upkeep: &mut Upkeep) {
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
        committed = committed.and_then(|()| commit(db, mark));
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

/// The threads that read, each with a connection of its own, from one queue.
pub(super) struct Reader {
    queue: Option<Sender<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(connections: Vec<Db>) -> io::Result<Self> {
        let (queue, reads) = channel::<Read>();
        let reads = Arc::new(Mutex::new(reads));
        let spawn = |db: Db| {
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
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |db| {
            let result = db.damage.refuse().map_err(Failure::from).and_then(|()| operation(db));
            let _ = sender.send(result.map_err(|failure| db.damage.answer(failure)));
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
