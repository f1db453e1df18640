//! The reader threads, each with its own connection, behind bounded queues.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::StoreError;
use super::damage::{Db, Failure};
use super::worker::gone;

/// How many reads of each kind may be queued. Their callers bound the size of the answers.
const MAX_QUEUED: usize = 1_024;
const MAX_QUEUED_SCANS: usize = 128;
/// How many scans run at the same time: the other threads stay free for lookups.
const MAX_SCANNING: usize = 1;

/// The cost of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Finds a few rows by an index.
    Lookup,
    /// Reads rows that may not match.
    Scan,
}

/// A queued read.
struct Read {
    /// Returns false if the caller no longer waits for the answer.
    is_wanted: Box<dyn Fn() -> bool + Send>,
    run: Box<dyn FnOnce(&Db) + Send>,
}

#[derive(Default)]
struct Queue {
    lookups: VecDeque<Read>,
    scans: VecDeque<Read>,
    scanning: usize,
    closed: bool,
}

impl Queue {
    fn of(&mut self, kind: Kind) -> (&mut VecDeque<Read>, usize) {
        match kind {
            Kind::Lookup => (&mut self.lookups, MAX_QUEUED),
            Kind::Scan => (&mut self.scans, MAX_QUEUED_SCANS),
        }
    }

    /// Queues a read, unless the queue is full. Reads whose callers have gone do not count.
    fn push(&mut self, kind: Kind, read: Read) -> bool {
        let (queue, most) = self.of(kind);
        if queue.len() >= most {
            queue.retain(|read| (read.is_wanted)());
        }
        let fits = queue.len() < most;
        if fits {
            queue.push_back(read);
        }
        fits
    }

    fn next(&mut self) -> Option<(Kind, Read)> {
        if let Some(read) = self.lookups.pop_front() {
            return Some((Kind::Lookup, read));
        }
        let read = if self.scanning < MAX_SCANNING { self.scans.pop_front() } else { None }?;
        self.scanning += 1;
        Some((Kind::Scan, read))
    }
}

#[derive(Default)]
struct ReaderState {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl ReaderState {
    /// Waits for the next read; returns `None` when the queue is closed.
    fn next(&self) -> Option<(Kind, Read)> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(next) = queue.next() {
                return Some(next);
            }
            if queue.closed {
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }

    fn work(&self, db: &Db) {
        while let Some((kind, read)) = self.next() {
            if (read.is_wanted)() {
                (read.run)(db);
            }
            if kind == Kind::Scan {
                self.queue.lock().scanning -= 1;
                self.changed.notify_one();
            }
        }
    }
}

/// The reader threads and their queue.
pub(super) struct Reader {
    shared: Arc<ReaderState>,
    threads: Vec<JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(name: &str, connections: Vec<Db>) -> io::Result<Self> {
        let shared = Arc::new(ReaderState::default());
        let spawn = |db: Db| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name(name.into()).spawn(move || shared.work(&db))
        };
        let threads = connections.into_iter().map(spawn).collect::<io::Result<_>>()?;
        Ok(Self { shared, threads })
    }

    /// Reads, unless the caller goes away before the read begins.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        kind: Kind,
        operation: impl FnOnce(&Db) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let sender = Arc::new(Mutex::new(Some(sender)));
        let waits = Arc::clone(&sender);
        let is_wanted = move || {
            let sender = waits.lock();
            sender.as_ref().is_some_and(|sender: &oneshot::Sender<_>| !sender.is_closed())
        };
        let run = move |db: &Db| {
            let result = db.damage.refuse().map_err(Failure::from).and_then(|()| operation(db));
            let answer = result.map_err(|failure| db.damage.answer(failure));
            if let Some(sender) = sender.lock().take() {
                let _ = sender.send(answer);
            }
        };
        let read = Read { is_wanted: Box::new(is_wanted), run: Box::new(run) };
        if !self.shared.queue.lock().push(kind, read) {
            return Err(StoreError::Busy);
        }
        self.shared.changed.notify_one();
        receiver.await.map_err(|_| gone())?
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.queue.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn read(wanted: &Arc<AtomicBool>) -> Read {
        let wanted = Arc::clone(wanted);
        Read { is_wanted: Box::new(move || wanted.load(Ordering::Relaxed)), run: Box::new(|_| {}) }
    }

    #[test]
    fn reads_beyond_the_limit_are_refused() {
        let (mut queue, wanted) = (Queue::default(), Arc::new(AtomicBool::new(true)));
        for _ in 0..MAX_QUEUED_SCANS {
            assert!(queue.push(Kind::Scan, read(&wanted)));
        }
        assert!(!queue.push(Kind::Scan, read(&wanted)));
        assert!(queue.push(Kind::Lookup, read(&wanted)), "others have a queue of their own");
        wanted.store(false, Ordering::Relaxed);
        assert!(queue.push(Kind::Scan, read(&wanted)), "those whose callers have gone do not count");
        assert_eq!(queue.scans.len(), 1);
    }

    #[test]
    fn lookups_go_before_scans() {
        let (mut queue, wanted) = (Queue::default(), Arc::new(AtomicBool::new(true)));
        (0..3).for_each(|_| assert!(queue.push(Kind::Scan, read(&wanted))));
        assert!(queue.push(Kind::Lookup, read(&wanted)));
        let kinds: Vec<_> = std::iter::from_fn(|| queue.next().map(|(kind, _)| kind)).collect();
        assert_eq!(kinds, [Kind::Lookup, Kind::Scan], "only one scan at a time");
        queue.scanning -= 1;
        assert!(queue.next().is_some());
    }
}
