//! Processes that log: through `tracing`, at every level, without end.

use std::time::Duration;

use process_runtime::prelude::*;
use process_runtime::run::Level;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tracing_subscriber::prelude::*;

use crate::fixtures::{Guard, Traces};
use crate::held::held;

/// Speaks through `tracing`, from everywhere inside its run.
#[process(title = "Speaking")]
pub async fn speaks(name: String) -> Result<(), tokio::task::JoinError> {
    tracing::info!(name, "begins");
    log("a line of its own");
    far_from_a_run(3);
    process_runtime::spawn(async { tracing::error!("from a task") }).await?;
    process_runtime::spawn_blocking(|| tracing::info!("from a blocking task")).await?;
    tracing::info_span!("span", of = 1).in_scope(|| tracing::info!("in a span"));
    tracing::debug!("unheard in the run");
    Ok(())
}

fn far_from_a_run(size: usize) {
    tracing::warn!(size, "from a function");
}

/// Never awaits; logs on after a cancel, and then reports.
#[process(title = "Speaking until cancelled")]
pub async fn speaks_until_cancelled(traces: State<Traces>, progress: Progress) {
    let _guard = Guard(traces.into_inner());
    log("begins");
    while !progress.is_stopped() {
        std::thread::sleep(Duration::from_millis(5));
    }
    tracing::warn!("cancelled, and still speaking");
    log("leaves here");
    log("goes on");
}

/// Writes many lines, a hundred between two pauses, and warns now and then.
#[process(title = "Grumbling")]
pub async fn grumbles(
    #[field(default = 2_000)] lines: u64,
    #[field(default = 500)] every: u64,
    #[field(default = 1)] pause: u64,
) {
    for line in 1..=lines {
        if line % every == 0 {
            warn(format!("line {line}: hm, 100 % <odd> & a_b"));
        } else {
            log(format!("line {line}"));
        }
        if line % 100 == 0 && pause > 0 {
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}

/// Logs lines of this length without an await, once the listener at the address has sent a byte.
#[process(title = "Pouring", concurrency = 20)]
pub async fn pours(
    lines: u64,
    #[field(default = 0)] bytes: usize,
    address: Option<String>,
) -> Result<u64, std::io::Error> {
    if let Some(address) = address {
        TcpStream::connect(address).await?.read_u8().await?;
    }
    let padding = "x".repeat(bytes);
    for line in 1..=lines {
        log(format!("line {line} {padding}"));
    }
    Ok(lines)
}

/// Writes lines of a thousand bytes without an await, until it is stopped.
#[process(title = "Pouring for ever")]
pub async fn pours_for_ever(traces: State<Traces>) {
    let _guard = Guard(traces.into_inner());
    loop {
        log("x".repeat(1_000));
    }
}

/// Reports each of its items as failed.
#[process(title = "Failing often")]
pub async fn fails_often(items: u64) {
    for item in 1..=items {
        item_failed(format!("item {item}"), "it has no weight");
    }
}

/// Writes many lines in a task, on a thread that it shares with the tasks of other runs.
#[process(title = "Pouring in a task")]
pub async fn pours_in_a_task(lines: u64) -> Result<u64, tokio::task::JoinError> {
    let task = process_runtime::spawn(async move {
        for line in 1..=lines {
            process_runtime::log(format!("line {line}"));
        }
    });
    task.await.map(|()| lines)
}

/// Emits an event of each level.
#[process(title = "Saying")]
pub async fn says_all() {
    held("says-all").await;
    let layer = process_runtime::layer().with_max_level(Level::Debug);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        tracing::debug!("found out");
        log("said");
        warn("warned");
        tracing::error!("broken");
    });
}

/// Panics with this text.
#[process(title = "Panicking aloud")]
pub async fn panics_aloud(text: String) {
    std::panic::panic_any(text);
}

/// Takes a secret, and ends in the requested way.
#[process(title = "Keeping a secret", timeout = "1s")]
pub async fn keeps_a_secret(password: Secret<String>, end: String) -> Result<usize, String> {
    tracing::info!(?password, "what is logged of it");
    match end.as_str() {
        "failure" => Err(format!("refused: {password:?}")),
        "panic" => panic!("refused: {password:?}"),
        "timeout" => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            Ok(0)
        }
        _ => Ok(password.expose().len()),
    }
}
