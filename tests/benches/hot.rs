//! The cost of a report in a loop: the helpers compared with indicatif, a channel and an atomic.
//!
//! `cargo bench -p process-tests --bench hot`. Nanoseconds a call. The cases take turns, so that a busy machine
//! is busy for all of them; the best round is the figure to look at, and the median says how far to trust it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]

use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, TermLike};
use process_runtime::prelude::*;
use process_runtime::{log, set_progress, set_progress_of, set_progress_text, tally};
use tempfile::TempDir;
use tokio::sync::watch;

const ROUNDS: usize = 7;
/// How many calls a round of a case has.
const CALLS: u64 = 10_000_000;
/// Those with a string in them take longer.
const CALLS_WITH_TEXT: u64 = 500_000;
/// As many lines as may wait for the store: with more, the loop would be as fast as the disk.
const LINES: u64 = 20_000;

/// A loop with this many calls.
type Loop = Box<dyn Fn(u64) + Send + Sync>;

struct Case {
    name: String,
    calls: u64,
    run: Loop,
    /// Nanoseconds a call, of each round.
    rounds: Vec<f64>,
}

impl Case {
    fn measure(&mut self) {
        let began = Instant::now();
        (self.run)(black_box(self.calls));
        self.rounds.push(began.elapsed().as_nanos() as f64 / self.calls as f64);
    }

    fn best(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn median(&self) -> f64 {
        let mut rounds = self.rounds.clone();
        rounds.sort_by(f64::total_cmp);
        rounds[rounds.len() / 2]
    }
}

fn case(name: impl Into<String>, calls: u64, run: impl Fn(u64) + Send + Sync + 'static) -> Case {
    Case { name: name.into(), calls, run: Box::new(run), rounds: Vec::new() }
}

/// What others take for the same.
fn others() -> Vec<Case> {
    let cell = Arc::new(AtomicU64::new(0));
    let hidden = ProgressBar::hidden();
    hidden.set_length(CALLS);
    let also_hidden = hidden.clone();
    let drawn = ProgressBar::with_draw_target(Some(CALLS), ProgressDrawTarget::term_like(Box::new(Paper)));
    let also_drawn = drawn.clone();
    let (sender, receiver) = watch::channel(0);
    vec![
        case("an atomic store", CALLS, move |calls| {
            for n in 1..=calls {
                cell.store(black_box(n), Ordering::Relaxed);
            }
        }),
        case("indicatif, inc, hidden", CALLS, move |calls| {
            for _ in 1..=calls {
                hidden.inc(black_box(1));
            }
        }),
        case("indicatif, set_position, hidden", CALLS, move |calls| {
            for n in 1..=calls {
                also_hidden.set_position(black_box(n));
            }
        }),
        case("indicatif, inc, drawn", CALLS, move |calls| {
            for _ in 1..=calls {
                drawn.inc(black_box(1));
            }
        }),
        case("indicatif, set_position, drawn", CALLS, move |calls| {
            for n in 1..=calls {
                also_drawn.set_position(black_box(n));
            }
        }),
        case("tokio, watch::send_replace", CALLS, move |calls| {
            let _watched = &receiver;
            for n in 1..=calls {
                sender.send_replace(black_box(n));
            }
        }),
        case("only format!", CALLS_WITH_TEXT, |calls| {
            for n in 1..=calls {
                black_box(format!("Updated product ID: #{n}"));
            }
        }),
    ]
}

/// The helpers, in whatever run they are called.
fn ours(run: &str) -> Vec<Case> {
    let name = |what: &str| format!("{run}: {what}");
    vec![
        case(name("set_progress_of(u64)"), CALLS, |calls| {
            for n in 1..=calls {
                set_progress_of(black_box(n), calls);
            }
        }),
        case(name("set_progress_of(usize)"), CALLS, |calls| {
            let calls = calls as usize;
            for n in 1..=calls {
                set_progress_of(black_box(n), calls);
            }
        }),
        case(name("set_progress_of(i32)"), CALLS, |calls| {
            let calls = calls as i32;
            for n in 1..=calls {
                set_progress_of(black_box(n), calls);
            }
        }),
        case(name("set_progress(f64)"), CALLS, |calls| {
            for n in 1..=calls {
                set_progress(black_box(n) as f64 * 1e-5);
            }
        }),
        case(name("set_progress(i32)"), CALLS, |calls| {
            for n in 1..=calls as i32 {
                set_progress(black_box(n) & 63);
            }
        }),
        case(name(".progress()"), CALLS, |calls| {
            for n in (0..calls).progress() {
                black_box(n);
            }
        }),
        case(name("two threads, set_progress_of"), CALLS, |calls| {
            let progress = Progress::current().unwrap();
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        for n in 1..=calls / 2 {
                            progress.set_progress_of(black_box(n), calls);
                        }
                    });
                }
            });
        }),
        case(name("set_progress_text(literal)"), CALLS_WITH_TEXT, |calls| {
            for _ in 1..=calls {
                set_progress_text("Updating a product");
            }
        }),
        case(name("set_progress_text(format!)"), CALLS_WITH_TEXT, |calls| {
            for n in 1..=calls {
                set_progress_text(format!("Updating product ID: #{n}"));
            }
        }),
        case(name("tally(literal), the second of three"), CALLS_WITH_TEXT, |calls| {
            for n in 1..=calls {
                tally(["imported", "updated", "unchanged"][if n < 3 { n as usize } else { 1 }]);
            }
        }),
        case(name("log(format!)"), LINES, |calls| {
            for n in 1..=calls {
                log(format!("Updated product ID: #{n}"));
            }
        }),
    ]
}

/// A terminal that discards its output.
#[derive(Debug)]
struct Paper;

impl TermLike for Paper {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.write_str(line)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        black_box(text);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Default)]
struct Results(Mutex<Vec<Case>>);

/// Measures every case, inside a run that is executed, stored and watched like any other.
#[process(title = "Measuring")]
async fn measure(results: State<Results>) {
    let mut attached = ours("a run");
    let mut detached = ours("a handle");
    let mut others = others();
    let handle = Progress::detached();
    for _ in 0..ROUNDS {
        others.iter_mut().for_each(Case::measure);
        attached.iter_mut().for_each(Case::measure);
        detached.iter_mut().for_each(|case| handle.enter(|| case.measure()));
        // Waits until the log is stored.
        tokio::time::sleep(Duration::from_millis(1_000)).await;
    }
    let all = others.into_iter().chain(attached).chain(detached);
    results.0.lock().unwrap().extend(all);
}

#[tokio::main]
async fn main() {
    let folder = TempDir::new().unwrap();
    let results = Arc::new(Results::default());
    let processes =
        process_runtime::builder().data_dir(folder.path()).state_arc(Arc::clone(&results)).build().unwrap();
    let run = Measure::start(&processes, ()).await.unwrap();
    // A viewer watches, as on a page.
    let watching = async {
        let mut events = run.events().await.unwrap();
        while events.next().await.is_some() {}
    };
    watching.await;
    let cases = results.0.lock().unwrap();
    let indicatif = cases.iter().filter(|case| case.name.starts_with("indicatif"));
    let indicatif = indicatif.map(Case::best).fold(f64::INFINITY, f64::min);
    println!("ns a call, {CALLS} calls a round, {ROUNDS} rounds:");
    println!("  {:<42} {:>8} {:>8}   of indicatif's best", "", "best", "median");
    for case in cases.iter() {
        let (name, best, median) = (&case.name, case.best(), case.median());
        println!("  {name:<42} {best:>8.2} {median:>8.2}   {:>6.3}", best / indicatif);
    }
}
