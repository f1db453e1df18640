//! A program that is besieged and visited: all fixtures, and processes that talk, fill a log or work as long as they are
//! told.
//!
//! `load-child FOLDER` prints its address. `PROCESS_TEST_LEASE_MS` sets its lease, `PROCESS_TEST_KEEP_MS` how long ended
//! runs are kept, and `PROCESS_TEST_ACCESS` has it ask who somebody is: by a cookie `user=`, where a guest may only look.

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use process_runtime::prelude::*;
use process_runtime::{AccessRequest, Action, Actor, Denied};
use process_tests::fixtures::Traces;
use process_tests::load::Asked;

/// A line with its number, padded to the length.
fn line(number: u64, bytes: u32) -> String {
    format!("{:.<1$}", format!("line {number} "), bytes as usize)
}

/// Logs without a pause and without an await, until its time is over.
#[process(title = "Talking", concurrency = 10)]
async fn talks(#[field(help = "How long each line is")] bytes: u32, seconds: f64) -> Result<u64, Infallible> {
    let (began, mut number) = (Instant::now(), 0);
    while began.elapsed().as_secs_f64() < seconds {
        number += 1;
        log(line(number, bytes));
    }
    Ok(number)
}

/// Logs this many lines, no faster than they can be stored.
#[process(title = "Filling a log", concurrency = 10)]
async fn fills(lines: u64, bytes: u32) -> Result<u64, Infallible> {
    for number in 1..=lines {
        log(line(number, bytes));
        if number % 100 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    Ok(lines)
}

/// Works for this long, without a cursor, and reports now and then.
#[process(title = "Working", concurrency = 100)]
async fn works(milliseconds: u64, #[field(default = 500, min = 1)] every: u64) -> Result<u64, Infallible> {
    let began = Instant::now();
    let steps = milliseconds / every;
    for step in 1..=steps {
        tokio::time::sleep(Duration::from_millis(step * every).saturating_sub(began.elapsed())).await;
        set_progress_of(step, steps);
        set_progress_text(format!("Step {step}"));
        log(line(step, 0));
    }
    tokio::time::sleep(Duration::from_millis(milliseconds).saturating_sub(began.elapsed())).await;
    Ok(steps)
}

/// Has nothing to do.
#[process(title = "Empty", concurrency = 50)]
async fn empty() {}

fn who_may(request: &AccessRequest) -> Result<Actor, Denied> {
    let cookies = request.parts().headers.get("cookie").and_then(|cookies| cookies.to_str().ok());
    let mut cookies = cookies.unwrap_or_default().split("; ");
    let user = cookies.find_map(|cookie| cookie.strip_prefix("user=")).ok_or_else(Denied::not_found)?;
    let may = user != "guest" || matches!(request.action(), Action::View | Action::Download);
    if may { Ok(Actor::named(user)) } else { Err(Denied::not_found()) }
}

fn milliseconds(name: &str) -> Result<Option<Duration>, Box<dyn Error>> {
    let Ok(given) = std::env::var(name) else { return Ok(None) };
    Ok(Some(Duration::from_millis(given.parse()?)))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("the data folder is missing")?;
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    // It receives no commands, but ends with its parent.
    let _told = Asked::from_stdin();
    let mut builder = process_runtime::builder()
        .data_dir(folder)
        .state(Traces::default())
        .shutdown_timeout(Duration::from_secs(2))
        .metrics_route();
    if let Some(lease) = milliseconds("PROCESS_TEST_LEASE_MS")? {
        builder = builder.lease(lease);
    }
    if let Some(age) = milliseconds("PROCESS_TEST_KEEP_MS")? {
        builder = builder.retain_for(age);
    }
    if std::env::var_os("PROCESS_TEST_ACCESS").is_some() {
        builder = builder.authorize(|request| {
            let answer = who_may(&request);
            async move { answer }
        });
    }
    let processes = builder.build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(process_runtime::serve_on(listener, processes).await?)
}
