//! One connection: where it leads, what is checked of it, and its statements and transactions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls, Row};
use tokio_util::task::AbortOnDropHandle;

use super::super::Cause;
use super::error::{ConnectError, Failure, named};

/// How long making a connection may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// When data that was sent is not acknowledged for this long, the connection is dead.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Values and their types: statements are not prepared, because a pooler may give the next one another connection.
pub(super) type Values<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// Where the server is, and the names of the tables.
#[derive(Debug)]
pub(super) struct Target {
    config: Config,
    /// The schema, quoted, with a dot.
    prefix: String,
    pub(super) schema: String,
    /// The server as people write it, without the password.
    pub(super) name: String,
    /// Where the connections are driven: operations come from several runtimes.
    pub(super) runtime: Handle,
    /// Whether the tables exist in the format of this version. Checked by the first connection.
    pub(super) prepared: OnceCell<()>,
}

impl Target {
    pub(super) fn of(url: &str, schema: &str, runtime: Handle) -> Result<Arc<Self>, ConnectError> {
        // The URL itself is not shown: it may contain a password.
        let mut config: Config = url.parse().map_err(|error| ConnectError::Url(Cause::of(error)))?;
        if config.get_hosts().is_empty() {
            return Err(ConnectError::Url("it names no host".into()));
        }
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        config.connect_timeout(CONNECTING).tcp_user_timeout(UNACKNOWLEDGED);
        config.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
        if config.get_application_name().is_none() {
            config.application_name("process-runtime");
        }
        let name = name_of(&config);
        let prefix = format!("\"{}\".", schema.replace('"', "\"\""));
        Ok(Arc::new(Self {
            config,
            prefix,
            schema: schema.to_owned(),
            name,
            runtime,
            prepared: OnceCell::new(),
        }))
    }

    /// A statement with the names of this store's tables and functions in place of `@run`.
    fn sql(&self, statement: &str) -> String {
        statement.replace('@', &self.prefix)
    }

    fn refusal(&self, error: tokio_postgres::Error) -> ConnectError {
        let code = error.code().cloned();
        let cause = named(&self.name, error);
        match code {
            Some(code)
                if code == SqlState::INVALID_PASSWORD
                    || code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                    || code == SqlState::INVALID_CATALOG_NAME =>
            {
                ConnectError::Refused(cause)
            }
            _ => ConnectError::Unreachable(cause),
        }
    }
}

/// The hosts and the database of a configuration.
fn name_of(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(index, host)| {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            #[cfg(unix)]
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    format!("postgres://{hosts}/{}", config.get_dbname().unwrap_or_default())
}

/// One connection.
pub(super) struct Session {
    client: Client,
    pub(super) target: Arc<Target>,
    _connection: AbortOnDropHandle<()>,
    in_transaction: AtomicBool,
}

impl Session {
    /// Opens a connection whose notifications go to `heard`.
    pub(super) async fn open(
        target: &Arc<Target>,
        heard: impl Fn(&str) + Send + Sync + 'static,
    ) -> Result<Self, ConnectError> {
        let config = target.config.clone();
        let opening = target.runtime.spawn(async move { timeout(CONNECTING, config.connect(NoTls)).await });
        let opening = opening.await.map_err(|gone| ConnectError::Unreachable(Cause::of(gone)))?;
        let late =
            |_| ConnectError::Unreachable(format!("{}: no answer within {CONNECTING:?}", target.name).into());
        let (client, mut connection) = opening.map_err(late)?.map_err(|error| target.refusal(error))?;
        let task = target.runtime.spawn(async move {
            let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
            // The client's next call reports an error.
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notification(notification) = message {
                    heard(notification.payload());
                }
            }
        });
        let in_transaction = AtomicBool::new(false);
        let _connection = AbortOnDropHandle::new(task);
        Ok(Self { client, target: Arc::clone(target), _connection, in_transaction })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Checks the settings without which a committed run could be lost.
    pub(super) async fn check(&self) -> Result<(), ConnectError> {
        let rows =
            self.query("SELECT current_setting('fsync'), current_setting('server_version_num')::int4", &[]);
        let rows = rows.await.map_err(|failure| self.unreachable(failure))?;
        let (fsync, version): (String, i32) =
            rows.first().map_or_else(Default::default, |row| (row.get(0), row.get(1)));
        let name = &self.target.name;
        if fsync != "on" {
            let text =
                format!("{name} has fsync = off, so it can lose what it has confirmed: set fsync = on");
            return Err(ConnectError::Unsafe(text.into()));
        }
        if version < 130_000 {
            let text = format!("{name} is PostgreSQL {}: version 13 or newer is needed", version / 10_000);
            return Err(ConnectError::Unsafe(text.into()));
        }
        Ok(())
    }

    pub(super) fn unreachable(&self, failure: Failure) -> ConnectError {
        match failure {
            Failure::Postgres(error) => self.target.refusal(error),
            Failure::Refused(error) => ConnectError::Unreachable(Cause::of(error)),
        }
    }

    pub(super) async fn query(&self, statement: &str, values: Values<'_>) -> Result<Vec<Row>, Failure> {
        Ok(self.client.query_typed(&self.target.sql(statement), values).await?)
    }

    /// The first row, if there is one.
    pub(super) async fn first(&self, statement: &str, values: Values<'_>) -> Result<Option<Row>, Failure> {
        Ok(self.query(statement, values).await?.into_iter().next())
    }

    /// How many rows the statement changed.
    pub(super) async fn execute(&self, statement: &str, values: Values<'_>) -> Result<u64, Failure> {
        Ok(self.client.execute_typed(&self.target.sql(statement), values).await?)
    }

    /// Executes statements without values.
    pub(super) async fn batch(&self, statements: &str) -> Result<(), Failure> {
        Ok(self.client.batch_execute(&self.target.sql(statements)).await?)
    }

    /// Begins a transaction that is durable once it is committed, whatever the server's setting is.
    pub(super) async fn begin(&self) -> Result<(), Failure> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on").await
    }

    /// Begins a transaction in which all reads see one moment.
    pub(super) async fn begin_reading(&self) -> Result<(), Failure> {
        self.in_transaction.store(true, Ordering::Relaxed);
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    pub(super) async fn commit(&self) -> Result<(), Failure> {
        self.batch("COMMIT").await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Takes one of this schema's advisory locks until the end of the transaction, unless another node has it.
    pub(super) async fn try_lock(&self, lock: i64) -> Result<bool, Failure> {
        let row = self
            .first(
                "SELECT pg_try_advisory_xact_lock(hashtextextended($1, $2))",
                &[(&self.target.schema, Type::TEXT), (&lock, Type::INT8)],
            )
            .await?;
        Ok(row.is_some_and(|row| row.get(0)))
    }

    /// Leaves a transaction that is not to be committed. Returns false if the connection is of no use any more.
    pub(super) async fn leave(&self) -> bool {
        if !self.in_transaction.swap(false, Ordering::Relaxed) {
            return !self.is_closed();
        }
        matches!(timeout(CONNECTING, self.batch("ROLLBACK")).await, Ok(Ok(())))
    }
}
