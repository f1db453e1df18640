//! Tests with a real nginx if requested; otherwise reports that they are skipped.
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
    streams::nginx_delivers_each_event_immediately,
    streams::every_upstream_http_version_delivers_immediately,
    streams::gzip_nginx_delivers_each_event_immediately,
    streams::http2_nginx_shares_one_connection,
    streams::idle_stream_outlives_proxy_timeout,
    streams::nginx_ignoring_headers_buffers_the_stream,
    cuts::viewers_survive_an_nginx_restart,
    cuts::stopped_program_gives_viewers_502,
    addresses::pages_and_streams_keep_proxy_prefix,
    addresses::csrf_check_knows_the_proxied_host,
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    // There are no tests here that a harness could list.
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
    // All concurrently, because they mostly wait. The runtime reports why a task panicked.
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
