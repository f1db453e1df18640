//! How a store is opened: the address, the schema, and where notifications are listened to.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::super::Cause;
use super::error::ConnectError;
use super::session::Target;
use super::{PgStore, pool};
use crate::text::OneLine;

/// The schema of the tables, if the program names no other one.
const SCHEMA: &str = "process";

/// The settings of a [`PgStore`].
///
/// ```no_run
/// # async fn connect() -> Result<(), process_runtime::store::postgres::ConnectError> {
/// use process_runtime::store::postgres::PgOptions;
///
/// // Through a pooler, with a connection of its own for notifications.
/// let store = PgOptions::new("postgres://app:secret@pooler:6432/app")
///     .listen_to("postgres://app:secret@db.example.org/app")
///     .schema("processes")
///     .connect()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PgOptions {
    url: String,
    listen: Option<String>,
    schema: String,
}

impl PgOptions {
    /// Creates the settings for the database at this URL, such as `postgres://user:password@host:5432/database`.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), listen: None, schema: SCHEMA.to_owned() }
    }

    /// Sets the schema of the tables, for several applications in one database. Default: `process`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets another address of the same database for the one connection that listens to notifications. A pooler such as
    /// pgbouncer in transaction mode does not pass them on; without them, other nodes see changes within a second.
    #[must_use]
    pub fn listen_to(mut self, url: impl Into<String>) -> Self {
        self.listen = Some(url.into());
        self
    }

    /// Connects, and creates the tables if they do not exist.
    ///
    /// # Errors
    ///
    /// See [`PgStore::connect`].
    pub async fn connect(self) -> Result<PgStore, ConnectError> {
        let (target, listen_to) = self.targets(&Handle::current())?;
        // Fails here rather than in the first operation.
        pool::open(&target, |_| {}).await?;
        Ok(PgStore::new(&target, listen_to))
    }

    /// Opens the store without a future, and even if the server cannot be reached yet: then its operations fail until it
    /// can, and the operator's log says so. `PROCESS_STORE` uses it. Blocks for up to a few seconds.
    ///
    /// # Errors
    ///
    /// Returns an error outside a tokio runtime, and for what does not pass by itself: see [`PgStore::connect`].
    pub fn open(self) -> Result<PgStore, ConnectError> {
        let outside = |_| ConnectError::Unreachable("build the processes within a tokio runtime".into());
        let (target, listen_to) = self.targets(&Handle::try_current().map_err(outside)?)?;
        match std::thread::scope(|scope| scope.spawn(|| self.check()).join()) {
            Ok(Err(error)) if !error.is_temporary() => return Err(error),
            Ok(Err(error)) => tracing::warn!("waiting for the database: {}", OneLine(&error)),
            Ok(Ok(())) | Err(_) => {}
        }
        Ok(PgStore::new(&target, listen_to))
    }

    /// Connects once, in a runtime of its own: the caller's may be the one that waits.
    fn check(&self) -> Result<(), ConnectError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| ConnectError::Unreachable(Cause::of(error)))?;
        let (target, _) = self.targets(runtime.handle())?;
        runtime.block_on(pool::open(&target, |_| {})).map(drop)
    }

    fn targets(&self, runtime: &Handle) -> Result<(Arc<Target>, Arc<Target>), ConnectError> {
        let of = |url: &str| Target::of(url, &self.schema, runtime.clone());
        let target = of(&self.url)?;
        let listen_to = self.listen.as_deref().map_or_else(|| Ok(Arc::clone(&target)), of)?;
        Ok((target, listen_to))
    }
}

/// The addresses may contain passwords.
impl std::fmt::Debug for PgOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgOptions").field("schema", &self.schema).finish_non_exhaustive()
    }
}
