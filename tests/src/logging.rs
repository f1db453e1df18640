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

/// The output of tools, and the lines that stand in the log for it.
pub const OUTPUT: [(&str, &str); 14] = [
    ("10%\r20%\r30%", "30%"),
    ("one\r\ntwo\r\r\nthree\n\n", "one\ntwo\nthree"),
    ("\u{1b}[31mERROR\u{1b}[0m disk", "ERROR disk"),
    ("\u{1b}[1;38;5;9merror\u{1b}[0m\u{1b}[1m: expected `;`\u{1b}[m", "error: expected `;`"),
    ("see \u{1b}]8;;https://example.org\u{1b}\\the page\u{1b}]8;;\u{7} for more", "see the page for more"),
    ("\u{1b}]0;window\u{7}\u{1b}[2J\u{1b}[?25lstarts\u{1b}(B\u{7}", "starts"),
    ("fetching\u{1b}[2K\u{1b}[1Gfetched\r", "fetched"),
    ("a long line\r\u{1b}[Kshort", "short"),
    ("\u{9b}32mok\u{9b}0m", "ok"),
    ("|\u{8}/\u{8}-\u{8}done", "done"),
    ("user\u{202e}txt.exe\u{202c} \u{2067}x\u{2069}", "usertxt.exe x"),
    ("nul\0 and \u{7f}del", "nul and del"),
    ("col\tcol", "col\tcol"),
    ("cut off \u{1b}]8;;https://example.org\nnext line", "cut off \nnext line"),
];

/// Writes what tools write, and ends with an error of the kind.
#[process(title = "Speaking like a tool")]
pub async fn speaks_like_a_tool() -> Result<(), String> {
    tokio::time::sleep(Duration::from_millis(300)).await;
    set_title("\u{1b}[1mBuild\u{1b}[0m\r\n");
    for (output, _) in OUTPUT {
        log(output);
    }
    stage("\u{1b}[32mLink\u{1b}[0m\ning");
    set_progress_text("10%\r20%\u{202e}");
    tally("\u{1b}[32mok\u{1b}[0m");
    tally("ok");
    item_failed("\u{1b}[33mmain.rs\u{1b}[0m", "no\r\n\u{1b}[31mway\u{1b}[0m");
    Err("\u{1b}[31merror\u{1b}[0m: it does not link\r\n".into())
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
