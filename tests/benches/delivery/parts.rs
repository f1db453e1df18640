//! What each part does with a server and its viewers, and which figures come of it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use process_tests::load::{Pace, Report, cpu, request, rss};
use serde_json::json;

use crate::choice::{Choice, Part};
use crate::system::{Server, System};
use crate::table::{Figure, figure};

/// An event with this text has 200 bytes.
const TEXT: usize = 90;
const BURST: usize = 64;
const UPDATES: u64 = 10_000_000;

/// The figures of one round, or why there are none.
pub(crate) fn measure(
    part: Part,
    system: System,
    viewers: usize,
    choice: &Choice,
) -> Result<Vec<Figure>, String> {
    match part {
        Part::Pace => pace(system, viewers, choice),
        Part::Burst => burst(system, viewers, choice),
        Part::Memory => memory(system, viewers),
        Part::Updates => updates(system, viewers),
        Part::Start => Ok(start(system)),
    }
}

/// Single events: their cost for the server, and their latency.
fn pace(system: System, viewers: usize, choice: &Choice) -> Result<Vec<Figure>, String> {
    let per_second = if viewers > 1_000 { 5.0 } else { 10.0 };
    let ticks = choice.seconds * per_second as u64;
    let measured = watched(system, viewers, Pace { ticks, per_second, burst: 1, bytes: TEXT }, 1)?;
    let Measured { report, cpu } = measured;
    let ms = |nanos: u64| nanos as f64 / 1e6;
    Ok(vec![
        figure("CPU µs/event", cpu.as_secs_f64() * 1e6 / delivered(&report), 2),
        figure("p50 ms", ms(report.latency.p50), 2),
        figure("p99 ms", ms(report.latency.p99), 2),
        figure("max ms", ms(report.latency.max), 1),
        figure("bytes/event", report.bytes as f64 / delivered(&report), 0),
    ])
}

/// Bursts, each sent when the last one has arrived everywhere.
fn burst(system: System, viewers: usize, choice: &Choice) -> Result<Vec<Figure>, String> {
    let pace = Pace { ticks: 1, per_second: 1.0, burst: BURST, bytes: TEXT };
    // A few events cost less than the resolution of the kernel's CPU clock.
    let waves = if viewers > 1_000 { choice.waves } else { choice.waves * 4 };
    let Measured { report, cpu } = watched(system, viewers, pace, waves)?;
    let mut waves = report.waves_ns.clone();
    waves.sort_unstable();
    let wave = waves[waves.len() / 2] as f64 / 1e9;
    Ok(vec![
        figure("CPU µs/event", cpu.as_secs_f64() * 1e6 / delivered(&report), 2),
        figure("events/s", (viewers * BURST) as f64 / wave, 0),
        figure("burst ms", wave * 1e3, 1),
        figure("bytes/event", report.bytes as f64 / delivered(&report), 0),
        figure("in snapshots", report.old_lines as f64, 0),
    ])
}

/// The memory per idle viewer, without the kernel's memory for sockets.
fn memory(system: System, viewers: usize) -> Result<Vec<Figure>, String> {
    let pace = Pace { ticks: 1, per_second: 1.0, burst: 1, bytes: TEXT };
    let mut server = system.start(pace);
    let path = server.run(system, pace);
    // The first viewer causes one-time allocations.
    let first = server.viewers(&path, 1, 1);
    let before = rss(server.child.id());
    let crowd = server.viewers(&path, viewers, 1);
    let after = rss(server.child.id());
    server.child.tell("end");
    check(&crowd.report(), viewers, 0)?;
    check(&first.report(), 1, 0)?;
    let bytes = after.saturating_sub(before) as f64;
    Ok(vec![
        figure("kB/viewer", bytes / viewers as f64 / 1e3, 2),
        figure("MB before", before as f64 / 1e6, 1),
        figure("MB with all", after as f64 / 1e6, 1),
    ])
}

/// A loop that reports at full speed, with and without viewers.
fn updates(system: System, viewers: usize) -> Result<Vec<Figure>, String> {
    let pace = Pace { ticks: 1, per_second: 1.0, burst: 1, bytes: TEXT };
    let mut server = system.start(pace);
    let input = |sign: u64| json!({ "ticks": UPDATES, "sign": sign });
    let seconds = |server: &Server, run: &str| loop {
        let found = request(server.addr, &format!("GET {run}"), "").unwrap().json();
        if let Some(seconds) = found["result"].as_f64() {
            return seconds;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let run = server.post("updates", &input(1));
    std::thread::sleep(Duration::from_millis(300));
    server.child.tell("go");
    let alone = seconds(&server, &run);
    let run = server.post("updates", &input(2));
    let crowd = server.viewers(&format!("{run}/events"), viewers, 0);
    server.child.tell("go");
    let report = crowd.report();
    let watched = seconds(&server, &run);
    check(&report, viewers, 0)?;
    if report.current.min != UPDATES as f64 || report.current.unknown > 0 {
        return Err(format!("somebody missed the last value: {report:?}"));
    }
    Ok(vec![
        figure("watched/alone", watched / alone, 2),
        figure("alone ms", alone * 1e3, 0),
        figure("watched ms", watched * 1e3, 0),
        figure("events/viewer", report.events.progress as f64 / viewers as f64, 1),
        figure("last, lowest", report.current.min, 0),
    ])
}

/// From the program's start to the first byte of a page, and from a run's start to its first progress.
fn start(system: System) -> Vec<Figure> {
    let server = system.start(Pace { ticks: 1, per_second: 1.0, burst: 1, bytes: TEXT });
    let began = server.child.started;
    // The other servers have only the stream.
    let accept = if system.is_ours() { "text/html" } else { "text/event-stream" };
    first(server.addr, "GET /", accept, "", b"HTTP/1.1 200");
    let page = began.elapsed();
    let mut figures = vec![figure("page ms", page.as_secs_f64() * 1e3, 1)];
    if system.is_ours() {
        let began = Instant::now();
        let input = json!({ "ticks": 1, "sign": 0 }).to_string();
        first(server.addr, "POST /updates/start", "text/event-stream", &input, b"event: progress");
        figures.push(figure("progress ms", began.elapsed().as_secs_f64() * 1e3, 1));
    }
    figures
}

struct Measured {
    report: Report,
    cpu: Duration,
}

/// Runs this many rounds with viewers, and measures the server's cost, without opening and closing connections.
fn watched(system: System, viewers: usize, pace: Pace, rounds: usize) -> Result<Measured, String> {
    let mut server = system.start(pace);
    let path = server.run(system, pace);
    let crowd = server.viewers(&path, viewers, pace.lines());
    let before = cpu(server.child.id());
    for _ in 0..rounds {
        server.child.tell("go");
        if !crowd.delivered() {
            break;
        }
    }
    let spent = cpu(server.child.id()) - before;
    server.child.tell("end");
    let report = crowd.report();
    check(&report, viewers, pace.lines() * rounds as u64)?;
    Ok(Measured { report, cpu: spent })
}

/// A figure of viewers that have not got everything is none.
fn check(report: &Report, viewers: usize, lines_each: u64) -> Result<(), String> {
    let all = report.ended == viewers as u64 && report.errors == 0;
    if all && delivered(report) == (viewers as u64 * lines_each) as f64 {
        return Ok(());
    }
    Err(format!("not all got all: {report:?}"))
}

fn delivered(report: &Report) -> f64 {
    (report.lines + report.old_lines) as f64
}

/// Waits until these bytes are in the answer.
fn first(addr: SocketAddr, line: &str, accept: &str, body: &str, bytes: &[u8]) {
    let mut socket = TcpStream::connect(addr).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {addr}\r\naccept: {accept}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    socket.write_all(request.as_bytes()).unwrap();
    let (mut answer, mut buffer) = (Vec::new(), [0; 16 << 10]);
    while !answer.windows(bytes.len()).any(|window| window == bytes) {
        let count = socket.read(&mut buffer).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..count]);
    }
}
