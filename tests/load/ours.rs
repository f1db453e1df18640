//! Processes that report on command, served by `serve_on` or by axum's own server.
//!
//! `load-ours serve-on|axum FOLDER` prints its address; its processes take a line `go` on its standard input for a
//! sign to begin, and `end` for a sign to end.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program that is measured")]

use std::time::Instant;

use axum::Router;
use axum::serve::ListenerExt as _;
use process_runtime::prelude::*;
use process_runtime::registry::Registry;
use process_tests::load::{Asked, Pace, Rounds, stamped};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The commands from standard input.
#[derive(Debug)]
struct Orders(watch::Receiver<Asked>);

/// Logs bursts of lines that begin with the time, a round of them for each sign.
#[process(title = "Logging in bursts", concurrency = 1_000)]
async fn bursts(
    orders: State<Orders>,
    ticks: u64,
    per_second: f64,
    burst: u32,
    #[field(help = "How long each line is")] bytes: u32,
) {
    let pace = Pace { ticks, per_second, burst: burst as usize, bytes: bytes as usize };
    let mut rounds = Rounds::new(orders.0.clone(), pace);
    while rounds.next().await {
        for _ in 0..pace.burst {
            log(stamped(pace.bytes));
        }
    }
}

/// Reports progress in a loop without an await after a signal, and returns how many seconds that took.
#[process(title = "Counting")]
async fn updates(
    orders: State<Orders>,
    ticks: u64,
    #[field(help = "At which sign it begins; 0 is at once")] sign: u64,
) -> Result<f64, std::convert::Infallible> {
    let _ = orders.0.clone().wait_for(|asked| asked.rounds >= sign || asked.ended).await;
    let began = Instant::now();
    for tick in 1..=ticks {
        set_progress_of(tick, ticks);
    }
    Ok(began.elapsed().as_secs_f64())
}

/// Takes a file and ignores it.
#[process(title = "Keeping")]
async fn keeps(file: Option<Upload>) {
    log(format!("{} bytes", file.map_or(0, |file| file.size())));
}

#[tokio::main]
async fn main() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut arguments = std::env::args().skip(1);
    let (way, folder) = (arguments.next().unwrap(), arguments.next().unwrap());
    let orders = Orders(Asked::from_stdin());
    // Not the fixtures, which are linked in as well.
    let registry = Registry::of([Bursts::PROCESS, Updates::PROCESS, Keeps::PROCESS]).unwrap();
    let builder =
        process_runtime::builder().registry(registry).data_dir(folder).state(orders).max_running(1_000);
    let processes = builder.build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    if way == "serve-on" {
        return process_runtime::serve_on(listener, processes).await.unwrap();
    }
    println!("http://{}/", listener.local_addr().unwrap());
    let app: Router = processes.router();
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    axum::serve(listener, app.into_make_service()).await.unwrap();
}
