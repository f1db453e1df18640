//! The cost of delivering events to thousands of viewers, compared with servers that only send.
//!
//! `cargo bench -p process-tests --bench delivery -- --help` says what can be chosen; tests/README.md how to read it.
//! Servers run on core 0 and viewers on core 1, in processes of their own. Rounds are interleaved, so that a
//! machine that is busy for a while is so for all; the ratios are what counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a bench")]

use std::time::Duration;

use choice::{Choice, Part};
use table::Table;

mod choice;
mod parts;
mod system;
mod table;

fn main() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let choice = Choice::of(std::env::args().skip(1));
    println!("{} rounds; load average before: {}", choice.rounds, load_average());
    for part in &choice.parts {
        // A part without viewers is measured once.
        let sizes = if *part == Part::Start { &[1][..] } else { &choice.viewers };
        for viewers in sizes {
            let mut table = Table::new(part.title(*viewers));
            for _ in 0..choice.rounds {
                for system in &choice.systems {
                    if *part == Part::Updates && !system.is_ours() {
                        continue;
                    }
                    match parts::measure(*part, *system, *viewers, &choice) {
                        Ok(figures) => table.add(system.name(), figures),
                        Err(why) => println!("no figures for {}: {why}", system.name()),
                    }
                    // The kernel still cleans up after the last server.
                    std::thread::sleep(Duration::from_millis(200));
                }
            }
            println!("\n{table}");
        }
    }
    println!("load average after: {}", load_average());
}

fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
