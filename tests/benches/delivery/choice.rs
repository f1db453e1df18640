//! The command line of the bench: arguments and defaults.

use crate::system::System;

const HELP: &str = "\
cargo bench -p process-tests --bench delivery -- [OPTION…] [PART…] [SYSTEM…]

  --rounds N         how often each figure is taken; 3
  --viewers N[,N…]   1000,10000
  --seconds N        how long events come one at a time; 5
  --waves N          how many bursts of 64 there are; 5, and four times as many to 1,000 viewers or fewer
  --quick            one round with 100 viewers

  parts: pace burst memory updates start
  systems: raw-loop raw-task axum-broadcast axum-bytes hyper-bytes nchan ours ours-axum
  Without any of a kind: all of them; nchan where nginx and its module are installed.";

/// The parts of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Pace,
    Burst,
    Memory,
    Updates,
    Start,
}

impl Part {
    const ALL: [(&str, Self); 5] = [
        ("pace", Self::Pace),
        ("burst", Self::Burst),
        ("memory", Self::Memory),
        ("updates", Self::Updates),
        ("start", Self::Start),
    ];

    pub(crate) fn title(self, viewers: usize) -> String {
        match self {
            Self::Pace => format!("One event at a time, {viewers} viewers"),
            Self::Burst => {
                format!("Bursts of 64 events, {viewers} viewers, each when the last one has arrived")
            }
            Self::Memory => format!("Memory of an idle viewer, {viewers} of them"),
            Self::Updates => format!("10,000,000 updates of the progress, {viewers} viewers"),
            Self::Start => "Start".to_owned(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rounds: usize,
    pub(crate) viewers: Vec<usize>,
    pub(crate) seconds: u64,
    pub(crate) waves: usize,
    pub(crate) parts: Vec<Part>,
    pub(crate) systems: Vec<System>,
}

impl Choice {
    pub(crate) fn of(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut choice = Self {
            rounds: 3,
            viewers: vec![1_000, 10_000],
            seconds: 5,
            waves: 5,
            parts: Vec::new(),
            systems: Vec::new(),
        };
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().unwrap_or_else(|| leave(&format!("{argument} needs a value")));
            match argument.as_str() {
                // Cargo passes this argument to every bench.
                "--bench" => {}
                "--rounds" => choice.rounds = number(&value()),
                "--viewers" => choice.viewers = value().split(',').map(number).collect(),
                "--seconds" => choice.seconds = number(&value()) as u64,
                "--waves" => choice.waves = number(&value()),
                "--quick" => {
                    (choice.rounds, choice.viewers) = (1, vec![100]);
                    (choice.seconds, choice.waves) = (1, 2);
                }
                name => match (Part::ALL.iter().find(|(part, _)| *part == name), System::named(name)) {
                    (Some((_, part)), _) => choice.parts.push(*part),
                    (None, Some(system)) => choice.systems.push(system),
                    (None, None) => leave(&format!("{name} is not known")),
                },
            }
        }
        if choice.parts.is_empty() {
            choice.parts = Part::ALL.iter().map(|(_, part)| *part).collect();
        }
        if choice.systems.is_empty() {
            choice.systems = System::all();
        }
        choice
    }
}

fn number(text: &str) -> usize {
    match text.parse() {
        Ok(number @ 1..) => number,
        _ => leave(&format!("{text:?} is not a number from 1")),
    }
}

#[expect(clippy::exit, reason = "wrong arguments end a program with status 2")]
fn leave(why: &str) -> ! {
    println!("{why}\n\n{HELP}");
    std::process::exit(2);
}
