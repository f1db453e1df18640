//! What is promised behind a proxy, shown with a real nginx when asked to; otherwise says that it was left out.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use futures_util::future::BoxFuture;

mod addresses;
mod cuts;
mod nginx;
mod streams;

/// The tests run only where this is set: they need an nginx.
const WANTED: &str = "PROCESS_NGINX";

/// The program that is served: all fixtures on `serve_on`.
const PROGRAM: &str = env!("CARGO_BIN_EXE_crash-child");

/// A test, by its name.
type Promise = (&'static str, fn() -> BoxFuture<'static, ()>);

/// Lists tests, so that each is named once.
macro_rules! promises {
    ($($module:ident::$name:ident),* $(,)?) => {
        [$((concat!(stringify!($module), "::", stringify!($name)), || Box::pin($module::$name()))),*]
    };
}

const PROMISES: [Promise; 10] = promises![
    streams::as_nginx_comes_each_event_arrives_before_the_next_is_made,
    streams::each_event_arrives_at_once_whichever_http_nginx_speaks_to_the_program,
    streams::each_event_arrives_at_once_though_nginx_packs_the_stream,
    streams::each_event_arrives_at_once_over_http_2_and_many_streams_share_a_connection,
    streams::a_stream_in_which_nothing_happens_is_not_taken_for_a_dead_one,
    streams::an_nginx_that_is_told_not_to_listen_to_the_stream_holds_it_back,
    cuts::viewers_come_back_through_nginx_killed_and_started_again_without_losing_or_doubling_a_line,
    cuts::while_the_program_is_gone_viewers_get_a_502_and_no_stream,
    addresses::under_a_prefix_pages_starts_and_streams_stay_under_it,
    addresses::under_a_name_of_its_own_the_program_tells_its_own_pages_from_others,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // There is no test here that a harness could name.
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if env::var_os(WANTED).is_none() {
        return said(&format!("The proxy tests were left out: `tests/run` runs them, or {WANTED}=1 here."));
    }
    if nginx::program().is_none() {
        said("The proxy tests need nginx on the PATH.");
        return ExitCode::FAILURE;
    }
    let asked: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|part| name.contains(part.as_str()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // All at once: most of their time they wait. The runtime says why a task has panicked.
    let running = PROMISES.into_iter().filter(|(name, _)| is_asked(name));
    let running: Vec<_> = running.map(|(name, test)| (name, runtime.spawn(test()))).collect();
    let mut all = ExitCode::SUCCESS;
    for (name, test) in running {
        let kept = runtime.block_on(test).is_ok();
        said(&format!("test {name} ... {}", if kept { "ok" } else { "FAILED" }));
        if !kept {
            all = ExitCode::FAILURE;
        }
    }
    all
}

fn said(line: &str) -> ExitCode {
    if writeln!(io::stdout(), "{line}").is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
