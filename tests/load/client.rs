//! Viewers in their own process: prints `ready` and `delivered`, and one line of JSON at the end. Ends when its
//! standard input is closed.
#![allow(clippy::print_stdout, reason = "a program that says what it does")]

use std::error::Error;
use std::io::Read as _;
use std::time::Duration;

use process_tests::load::{Plan, Said, Viewers};

const HELP: &str =
    "load-client ADDR PATH[,PATH…] VIEWERS [--paths-file FILE] [--slow N] [--slow-bytes A_SECOND]
    [--silent N] [--at-once N] [--connects-per-second N] [--lines-each N] [--seconds LIMIT]";

fn main() -> Result<(), Box<dyn Error>> {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let viewers = Viewers::open(plan(std::env::args().skip(1)).map_err(|error| format!("{error}\n{HELP}"))?)?;
    let stopper = viewers.stopper();
    std::thread::spawn(move || {
        // It receives no commands: only the end of its input matters.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        stopper.stop();
    });
    while let Some(said) = viewers.next(Duration::MAX) {
        match said {
            Said::Ready => println!("ready"),
            Said::Delivered => println!("delivered"),
        }
    }
    println!("{}", serde_json::to_string(&viewers.report()?)?);
    Ok(())
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Result<Plan, Box<dyn Error>> {
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (addr, paths) = (next("the address")?.parse()?, next("the path")?);
    let mut plan = Plan::new(addr, "", next("the number of viewers")?.parse()?);
    plan.paths = paths.split(',').map(str::to_owned).collect();
    while let Ok(option) = next("an option") {
        let value = next(&format!("the value of {option}"))?;
        match option.as_str() {
            "--paths-file" => {
                plan.paths = std::fs::read_to_string(value)?.lines().map(str::to_owned).collect();
            }
            "--slow" => plan.slow = value.parse()?,
            "--slow-bytes" => plan.slow_bytes = value.parse()?,
            "--silent" => plan.silent = value.parse()?,
            "--at-once" => plan.at_once = value.parse()?,
            "--connects-per-second" => plan.connects_per_second = Some(value.parse()?),
            "--lines-each" => plan.lines_each = value.parse()?,
            "--seconds" => plan.limit = Duration::from_secs(value.parse()?),
            other => return Err(format!("{other} is not known").into()),
        }
    }
    Ok(plan)
}
