//! Memory stays flat under long use and misuse, and visitors never see contradictions, though the program is killed now
//! and then.
//!
//! Some seconds, or the number in `PROCESS_SOAK`: `tests/load/soak` runs it for an hour, in release.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use process_tests::Chance;
use process_tests::chance::{from_env, seed};
use process_tests::load::{Pace, Plan, Said, Viewers, descriptors, request, rss};
use serde_json::json;
use tokio::time::sleep;

use crate::crowds::start;
use crate::hostile::misbehave;
use crate::thousands::{LONG, MIB, Warm};
use crate::visitors::{Book, Program, Trouble, Visitor, What};

/// The sampling interval of the memory.
const LOOK: Duration = Duration::from_millis(200);

/// The names of the visitors.
const VISITORS: [&str; 8] = ["ann", "bob", "cem", "dora", "eve", "finn", "gita", "hugo"];
/// How much memory may rise in the second half, and how many more files may be open: by linear regression, so that no
/// single sample matters.
const MAY_RISE: f64 = 48.0 * MIB as f64;
const MAY_OPEN: f64 = 50.0;

/// The slope of the regression line through these points, per second.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / count, y + point.1 / count));
    let rise: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let run: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    if run > 0.0 { rise / run } else { 0.0 }
}

/// A run that some watch to its end, while others do what they should not.
fn round(warm: &mut Warm, turn: usize) {
    let pace = Pace { ticks: 2, per_second: 20.0, burst: 8, bytes: 120 };
    let input = json!({ "ticks": 2, "per_second": 20.0, "burst": 8, "bytes": 120 });
    let run = start(warm.addr, "bursts", input);
    let plan = Plan {
        paths: vec![format!("{run}/events")],
        lines_each: pace.lines(),
        limit: LONG,
        silent: 5,
        ..Plan::new(warm.addr, "", 50)
    };
    let crowd = Viewers::open(plan).unwrap();
    (0..12).for_each(|one| misbehave(warm.addr, &run, turn + one));
    assert_eq!(crowd.next(LONG), Some(Said::Ready));
    warm.server.tell("go");
    assert_eq!(crowd.next(LONG), Some(Said::Delivered));
    assert_eq!(request(warm.addr, &format!("POST {run}/cancel"), "").unwrap().status, 200);
    assert!(crowd.report().unwrap().ended >= 50);
    assert_eq!(request(warm.addr, "GET /runs", "").unwrap().status, 200);
}

#[test]
fn memory_stays_flat_under_load() {
    let seconds = from_env("PROCESS_SOAK").unwrap_or(6);
    let mut warm = Warm::of_few(|warm| (0..20).for_each(|turn| round(warm, turn)));
    let (began, mut looked) = (Instant::now(), Instant::now());
    let mut points = Vec::new();
    let mut turn = 0;
    while began.elapsed() < Duration::from_secs(seconds) {
        round(&mut warm, turn);
        turn += 1;
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            points.push((began.elapsed().as_secs_f64(), rss(warm.server.id()) as f64));
        }
    }
    // Buffers that fill up at the beginning are not a leak.
    let later = &points[points.len() / 3..];
    let rise = slope(later) / 1024.0;
    let (first, last) =
        (later.first().map_or(0.0, |point| point.1), later.last().map_or(0.0, |point| point.1));
    println!(
        "{turn} rounds in {seconds} s: {:.1} MiB, {:+.1} KiB a second ({:+.1} MiB an hour), {} descriptors",
        last / MIB as f64,
        rise,
        rise * 3600.0 / 1024.0,
        descriptors(warm.server.id())
    );
    assert!(last - first < 24.0 * MIB as f64, "it has grown from {first} to {last} bytes");
    warm.is_as_before(32 * MIB);
}

/// The results of all visitors' steps.
#[derive(Default)]
struct Steps {
    /// The steps to skip, separated by commas.
    without: String,
    taken: AtomicU64,
    done: Mutex<BTreeMap<What, u64>>,
    cut_off: AtomicU64,
    busy: AtomicU64,
    /// The first promise that was broken.
    fault: Mutex<Option<String>>,
}

impl Steps {
    fn from_env() -> Self {
        Self { without: std::env::var("PROCESS_SOAK_WITHOUT").unwrap_or_default(), ..Self::default() }
    }

    fn has_failed(&self) -> bool {
        self.fault.lock().unwrap().is_some()
    }

    fn fail(&self, fault: String) {
        self.fault.lock().unwrap().get_or_insert(fault);
    }

    /// Takes one step after the other.
    async fn take(&self, mut visitor: Visitor<'_>, until: Instant) {
        while Instant::now() < until && !self.has_failed() {
            let what = What::at_random(&mut visitor.chance);
            if self.without.split(',').any(|other| other.trim() == format!("{what:?}")) {
                continue;
            }
            let step = self.taken.fetch_add(1, Ordering::Relaxed);
            match visitor.act(what).await {
                Ok(()) => *self.done.lock().unwrap().entry(what).or_default() += 1,
                Err(Trouble::CutOff) => drop(self.cut_off.fetch_add(1, Ordering::Relaxed)),
                Err(Trouble::Busy) => drop(self.busy.fetch_add(1, Ordering::Relaxed)),
                Err(Trouble::Wrong(fault)) => {
                    self.fail(format!("step {step}, {what:?} of {}: {fault}", visitor.user));
                }
            }
            sleep(Duration::from_millis(visitor.chance.of(0, 40))).await;
        }
    }
}

/// Kills the program now and then, or signals it once or twice.
async fn cut_off_until(program: &Arc<Program>, mut chance: Chance, until: Instant, steps: &Steps) {
    let long = until.saturating_duration_since(Instant::now()).as_millis() as u64 / 4;
    loop {
        sleep(Duration::from_millis(chance.of(1_500, long.clamp(2_000, 60_000)))).await;
        if Instant::now() >= until || steps.has_failed() {
            return;
        }
        let signals: &[&str] = match chance.of(0, 4) {
            0 => &["TERM"],
            1 => &["TERM", "TERM"],
            _ => &["KILL"],
        };
        let program = Arc::clone(program);
        let cut_off = tokio::task::spawn_blocking(move || program.cut_off(signals));
        if let Err(fault) = cut_off.await.unwrap() {
            steps.fail(fault);
        }
    }
}

/// Measures memory and open files until then: seconds, bytes and their number.
async fn measure_until(program: &Program, until: Instant, steps: &Steps) -> Vec<(f64, f64, f64)> {
    let (began, mut points) = (Instant::now(), Vec::new());
    while Instant::now() < until && !steps.has_failed() {
        let (memory, open) = program.usage();
        points.push((began.elapsed().as_secs_f64(), memory as f64, open as f64));
        sleep(LOOK).await;
    }
    points
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_see_no_contradiction() {
    let length = Duration::from_secs(from_env("PROCESS_SOAK").unwrap_or(24));
    let seed = seed("PROCESS_SOAK_SEED");
    println!("PROCESS_SOAK_SEED={seed} makes the same choices again, as far as they do not hang on time");
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let program = Arc::new(Program::start());
    let (book, steps, mut chance) = (Book::of(&program), Steps::from_env(), Chance(seed));
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let (half, end) = (Instant::now() + length / 2, Instant::now() + length);
    let mut visitors = VISITORS.map(|user| {
        let chance = Chance(chance.number());
        Visitor { program: &program, http: http.clone(), user, book: &book, chance }
    });
    let cuts = async {
        // In the second half nobody kills it, so that any growth is its own.
        cut_off_until(&program, Chance(chance.number()), half, &steps).await;
        measure_until(&program, end, &steps).await
    };
    let visits = visitors.each_mut().map(|visitor| steps.take(visitor.again(), end));
    let (points, _) = tokio::join!(cuts, futures_util::future::join_all(visits));
    let settled = if steps.has_failed() { Ok(()) } else { visitors[0].settle().await };
    if let Err(trouble) = settled {
        steps.fail(format!("when all is over: {trouble:?}"));
    }

    // Buffers that fill up at the beginning are not a leak.
    let points = &points[points.len() / 4..];
    let rise = |value: fn(&(f64, f64, f64)) -> f64| {
        let points: Vec<_> = points.iter().map(|point| (point.0, value(point))).collect();
        slope(&points)
            * (points.last().map_or(0.0, |last| last.0) - points.first().map_or(0.0, |first| first.0))
    };
    let (memory, open) = (rise(|point| point.1), rise(|point| point.2));
    let last = points.last().map_or(0.0, |point| point.1 / MIB as f64);
    let Steps { taken, done, cut_off, busy, fault, .. } = &steps;
    println!("{taken:?} steps in {length:?}, {} cuts: {:?}", program.cuts(), done.lock().unwrap());
    println!("{cut_off:?} steps were cut off, {busy:?} found no place; runs by their end: {:?}", book.ends());
    println!(
        "memory {last:.1} MiB, {:+.1} MiB in the second half; {open:+.1} files and sockets",
        memory / MIB as f64
    );
    if let Some(fault) = &*fault.lock().unwrap() {
        panic!("PROCESS_SOAK_SEED={seed}, {fault}\nThe program has said: {}", program.said());
    }
    assert!(memory < MAY_RISE, "PROCESS_SOAK_SEED={seed}: memory has risen by {memory} bytes");
    assert!(open < MAY_OPEN, "PROCESS_SOAK_SEED={seed}: {open} files and sockets more are open");
}

#[test]
fn slope_distinguishes_rise_from_flat() {
    assert_eq!(slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]), 2.0);
    assert_eq!(slope(&[(0.0, 5.0), (1.0, 5.0)]), 0.0);
    assert_eq!(slope(&[]), 0.0);
}
