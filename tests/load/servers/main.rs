//! Servers to compare with ours: the same events, sent in other ways.
//!
//! `load-servers SYSTEM TICKS PER_SECOND BURST BYTES` prints its address, and sends a round of rounds for each line
//! `go` on its standard input, and the end for a line `end`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that is measured"
)]

use process_tests::load::{Asked, Pace, Rounds};
use tokio::net::TcpListener;

mod axum_broadcast;
mod axum_bytes;
mod events;
mod http;
mod nchan;
mod raw_loop;
mod raw_task;

const HELP: &str =
    "load-servers raw-loop|raw-task|axum-broadcast|axum-bytes|hyper-bytes|nchan TICKS PER_SECOND BURST BYTES";

fn main() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut arguments = std::env::args().skip(1);
    let system = arguments.next().unwrap_or_default();
    let Some(pace) = Pace::from_arguments(arguments) else { return println!("{HELP}") };
    // As many threads as there are cores it may use; the one loop needs one.
    let mut runtime = match system.as_str() {
        "raw-loop" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().unwrap();
    // On the runtime's own thread, where wake-ups are cheapest.
    let serving = async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // nginx listens when it is ready.
        if system != "nchan" {
            println!("http://{}/", listener.local_addr().unwrap());
        }
        let rounds = Rounds::new(Asked::from_stdin(), pace);
        match system.as_str() {
            "raw-loop" => raw_loop::serve(listener, rounds).await,
            "raw-task" => raw_task::serve(listener, rounds).await,
            "axum-broadcast" => axum_broadcast::serve(listener, rounds).await,
            "axum-bytes" => axum_bytes::serve(listener, rounds, false).await,
            "hyper-bytes" => axum_bytes::serve(listener, rounds, true).await,
            "nchan" => nchan::serve(listener, rounds).await,
            _ => println!("{HELP}"),
        }
    };
    runtime.block_on(async { tokio::spawn(serving).await.unwrap() });
}
