//! The tables, and the steps from older formats to the newest.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_postgres::types::Type;

use super::error::{ConnectError, Failure};
use super::session::Session;

/// The format that this version writes.
pub(super) const FORMAT: i32 = 1;

/// How long a node waits for another one that migrates.
const PATIENCE: Duration = Duration::from_secs(30);
/// The advisory lock of a migration, beside the name of the schema.
const LOCK: i64 = 1;

/// Times are microseconds since 1970, as the checksums have them. Statuses are texts and no enums, so that an older
/// version can read rows of a newer one. `hold` is small and changes with every heartbeat: `until` is in no index, so
/// that its updates stay on their pages.
const TABLES: &str = "
    CREATE FUNCTION @now() RETURNS bigint LANGUAGE sql VOLATILE
        AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
    CREATE TABLE @run (
        n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        process text NOT NULL,
        number bigint NOT NULL,
        status text NOT NULL,
        actor text,
        priority bigint NOT NULL,
        created bigint NOT NULL,
        released bigint,
        due bigint,
        ended bigint,
        concurrency_key text,
        idempotency_key text,
        epoch bigint NOT NULL,
        claim uuid,
        control text,
        home uuid,
        failed bigint NOT NULL,
        data text NOT NULL,
        crc bigint NOT NULL
    );
    CREATE INDEX run_by_time ON @run (created, n);
    CREATE INDEX run_by_status ON @run (status, created, n);
    CREATE INDEX run_by_process ON @run (process, status, created, n);
    CREATE INDEX run_by_actor ON @run (actor, status, created, n) WHERE actor IS NOT NULL;
    CREATE INDEX run_with_failures ON @run (status, created, n) WHERE failed > 0;
    CREATE UNIQUE INDEX run_by_number ON @run (number, process);
    CREATE INDEX run_by_end ON @run (ended, n) WHERE ended IS NOT NULL;
    CREATE INDEX run_queued ON @run (process, priority DESC, n) WHERE status = 'queued';
    CREATE UNIQUE INDEX run_by_idempotency_key ON @run (process, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE TABLE @number (process text PRIMARY KEY, last bigint NOT NULL);
    CREATE TABLE @hold (
        n bigint PRIMARY KEY,
        epoch bigint NOT NULL,
        claim uuid NOT NULL UNIQUE,
        node uuid NOT NULL,
        abandoned boolean NOT NULL,
        until bigint NOT NULL
    ) WITH (fillfactor = 50);
    CREATE TABLE @line (
        n bigint NOT NULL,
        seq bigint NOT NULL,
        at bigint NOT NULL,
        level text NOT NULL,
        text text NOT NULL,
        crc bigint NOT NULL,
        PRIMARY KEY (n, seq)
    );
    CREATE TABLE @meta (format int NOT NULL, oldest_reader int NOT NULL, probed bigint);
";

/// Creates the tables, or brings them to the newest format. Several nodes may do so at once.
pub(super) async fn to_newest(session: &Session) -> Result<(), ConnectError> {
    let began = Instant::now();
    loop {
        let step = async {
            session.begin().await?;
            let step = migrate(session).await?;
            session.commit().await?;
            Ok::<_, Failure>(step)
        };
        match step.await {
            Ok(Step::Done) => return Ok(()),
            Ok(Step::Newer(format)) => return Err(ConnectError::newer(&session.target.name, format, FORMAT)),
            // Tried and not waited for, so that a node that hangs in its migration holds up nobody for ever.
            Ok(Step::Locked) if began.elapsed() < PATIENCE => sleep(Duration::from_millis(100)).await,
            Ok(Step::Locked) => {
                let text =
                    format!("{}: another node has been migrating for {PATIENCE:?}", session.target.name);
                return Err(ConnectError::Unreachable(text.into()));
            }
            Err(failure) => return Err(session.unreachable(failure)),
        }
    }
}

enum Step {
    Done,
    Newer(i32),
    Locked,
}

async fn migrate(session: &Session) -> Result<Step, Failure> {
    if exist(session).await? {
        return format(session).await;
    }
    if !session.try_lock(LOCK).await? {
        return Ok(Step::Locked);
    }
    // Another node may have finished in between.
    if exist(session).await? {
        return format(session).await;
    }
    let name = session.target.schema.replace('"', "\"\"");
    session.batch(&format!("CREATE SCHEMA IF NOT EXISTS \"{name}\"; {TABLES}")).await?;
    session.batch(&format!("INSERT INTO @meta (format, oldest_reader) VALUES ({FORMAT}, {FORMAT})")).await?;
    Ok(Step::Done)
}

/// True if the tables exist. By a query and not by `to_regclass`, which within a transaction may still remember that they
/// did not.
async fn exist(session: &Session) -> Result<bool, Failure> {
    let row = session
        .first(
            "SELECT EXISTS (SELECT FROM pg_class AS class JOIN pg_namespace AS space ON space.oid = class.relnamespace
                            WHERE space.nspname = $1 AND class.relname = 'meta')",
            &[(&session.target.schema, Type::TEXT)],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

async fn format(session: &Session) -> Result<Step, Failure> {
    let row = session.first("SELECT format, oldest_reader FROM @meta", &[]).await?;
    let (format, oldest): (i32, i32) = row.map_or((FORMAT, FORMAT), |row| (row.get(0), row.get(1)));
    Ok(if oldest > FORMAT { Step::Newer(format) } else { Step::Done })
}
