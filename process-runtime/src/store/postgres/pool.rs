//! The few connections that a store shares: opened on demand, and each given to one operation at a time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::super::{Cause, StoreError};
use super::error::{ConnectError, Failure};
use super::migrate;
use super::session::{Session, Target};

/// How long an operation may take: less than the deadline of its caller, so that the connection is given up first.
const OPERATION: Duration = Duration::from_secs(8);
/// How many operations may wait for a connection.
const MAX_WAITING: usize = 1_024;

/// Opens a connection whose notifications go to `heard`. The first one also checks what the store relies on, and creates
/// the tables.
pub(super) async fn open(
    target: &Arc<Target>,
    heard: impl Fn(&str) + Send + Sync + 'static,
) -> Result<Session, ConnectError> {
    let session = Session::open(target, heard).await?;
    let prepare = async {
        session.check().await?;
        migrate::to_newest(&session).await
    };
    target.prepared.get_or_try_init(|| prepare).await?;
    Ok(session)
}

/// A few connections for one kind of work.
pub(super) struct Pool {
    target: Arc<Target>,
    idle: Mutex<Vec<Session>>,
    permits: Arc<Semaphore>,
    /// One for each operation that waits.
    queue: Semaphore,
}

impl Pool {
    pub(super) fn new(target: &Arc<Target>, size: usize) -> Arc<Self> {
        let (permits, queue) = (Arc::new(Semaphore::new(size)), Semaphore::new(MAX_WAITING));
        Arc::new(Self { target: Arc::clone(target), idle: Mutex::default(), permits, queue })
    }

    /// Waits for a connection, and opens one if none is idle. A caller that goes away gives up its place.
    pub(super) async fn session(self: &Arc<Self>) -> Result<Held, StoreError> {
        let _place = self.queue.try_acquire().map_err(|_| StoreError::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|closed| StoreError::Unavailable(Cause::of(closed)))?;
        let idle = {
            let mut idle = self.idle.lock();
            idle.retain(|session| !session.is_closed());
            idle.pop()
        };
        let session = match idle {
            Some(session) => session,
            None => open(&self.target, |_| {}).await?,
        };
        Ok(Held { pool: Arc::clone(self), session, _permit: permit })
    }
}

/// A connection of a pool, for one operation.
pub(super) struct Held {
    pool: Arc<Pool>,
    session: Session,
    _permit: OwnedSemaphorePermit,
}

impl Held {
    /// Runs an operation on the connection, within a deadline. Afterwards, the connection goes back to the pool,
    /// unless it is broken.
    pub(super) async fn run<T>(
        self,
        operation: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let Self { pool, session, _permit } = self;
        let Ok(result) = timeout(OPERATION, operation(&session)).await else {
            // What the server still does on this connection, it rolls back once it notices.
            drop(session);
            let name = &pool.target.name;
            return Err(StoreError::Unavailable(format!("{name}: no answer within {OPERATION:?}").into()));
        };
        if session.leave().await {
            pool.idle.lock().push(session);
        }
        result.map_err(|failure| failure.answer(&pool.target.name))
    }
}
