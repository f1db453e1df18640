//! A server that is used without a pause, by those who behave and by others, does not grow.
//!
//! A few seconds, or as many as `PROCESS_SOAK` says: `tests/load/soak` runs it for an hour, in release.

use std::time::{Duration, Instant};

use process_tests::load::{Pace, Plan, Said, Viewers, descriptors, request, rss};
use serde_json::json;

use crate::crowds::start;
use crate::hostile::misbehave;
use crate::thousands::{LONG, MIB, Warm};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What stands on a straight line through these points: how much it rises for each second.
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
fn a_server_that_is_used_without_a_pause_does_not_grow() {
    let seconds = std::env::var("PROCESS_SOAK").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(6);
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
    // What is filled at the beginning, up to its limit, is no leak.
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

#[test]
fn a_line_that_rises_is_told_from_one_that_does_not() {
    assert_eq!(slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]), 2.0);
    assert_eq!(slope(&[(0.0, 5.0), (1.0, 5.0)]), 0.0);
    assert_eq!(slope(&[]), 0.0);
}
