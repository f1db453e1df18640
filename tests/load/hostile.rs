//! Many viewers, some of them hostile: the others are served, and nothing is left when all have disconnected.
//!
//! A tenth of the numbers in the names, so that it takes seconds; all of it with `PROCESS_LOAD=full`.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use process_tests::load::{Pace, Plan, Said, Viewers, request};
use serde_json::json;

use crate::crowds::start;
use crate::thousands::{LONG, MIB, Warm};

fn full() -> bool {
    std::env::var("PROCESS_LOAD").is_ok_and(|load| load == "full")
}

/// A tenth of this number, or all of it if requested.
fn scaled(all: usize) -> usize {
    if full() { all } else { all / 10 }
}

/// A tenth leaves resources for other tests.
fn warm(crowd: impl Fn(&mut Warm)) -> Warm {
    if full() { Warm::up(crowd) } else { Warm::of_few(crowd) }
}

fn connect(addr: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(addr).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.set_write_timeout(Some(LONG)).unwrap();
    socket
}

/// Closes the socket with a reset.
fn reset(socket: TcpStream) {
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Malformed and hostile requests, one kind after the other.
pub(crate) fn misbehave(addr: SocketAddr, run: &str, turn: usize) {
    let mut socket = connect(addr);
    let said = match turn % 6 {
        0 => format!("GET {run}/events HTTP/1.1\r\nhost: localhost\r\n\r\n"),
        1 => format!("GET {run}/events HTTP/1.1\r\nhost: localhost\r\nx: {}", "y".repeat(200 << 10)),
        2 => format!("GET {run} HTTP/1.1\r\nhost: localhost\r\n\r\n").repeat(200),
        3 => "\u{0}\r\n\r\nPRI * HTTP/2.0\r\n\r\n".to_owned(),
        4 => format!(
            "POST /keeps/start HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999999999\r\n\r\n{run}"
        ),
        _ => format!("GET {run}/events?last={} HTTP/1.1\r\nhost: localhost\r\n\r\n", "9".repeat(60_000)),
    };
    // The server may disconnect in the middle.
    let _ = socket.write_all(said.as_bytes());
    if turn.is_multiple_of(2) {
        reset(socket);
    }
}

#[test]
fn ten_thousand_viewers_survive_hostile_third() {
    let pace = Pace { ticks: 2, per_second: 2.0, burst: 4, bytes: 80 };
    let input = json!({ "ticks": pace.ticks, "per_second": 2.0, "burst": 4, "bytes": 80 });
    let (good, bad) = (scaled(6_600), scaled(3_400));
    let round = |warm: &mut Warm| {
        let run = start(warm.addr, "bursts", input.clone());
        // Some of those read slowly and some not at all; the others come and go, and talk nonsense.
        let plan = Plan {
            paths: vec![format!("{run}/events")],
            lines_each: pace.lines(),
            limit: LONG,
            slow: bad / 4,
            silent: bad / 4,
            ..Plan::new(warm.addr, "", good)
        };
        let crowd = Viewers::open(plan).unwrap();
        let (addr, over) = (warm.addr, AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in (0..).take_while(|turn| *turn < bad / 2 && !over.load(Ordering::Relaxed)) {
                    misbehave(addr, &run, turn);
                }
            });
            assert_eq!(crowd.next(LONG), Some(Said::Ready), "all who behave have their first event");
            warm.server.tell("go");
            assert_eq!(crowd.next(LONG), Some(Said::Delivered), "and all lines");
            warm.server.tell("end");
            let report = crowd.report().unwrap();
            over.store(true, Ordering::Relaxed);
            assert!(
                report.ended >= good as u64 && report.lines + report.old_lines >= good as u64 * pace.lines(),
                "{report:?}"
            );
        });
        let run = request(warm.addr, &format!("GET {run}"), "").unwrap().json();
        assert_eq!(run["status"], "succeeded", "{run}");
    };
    let mut warm = warm(round);
    round(&mut warm);
    warm.is_as_before(32 * MIB);
}

#[test]
fn connection_storm_is_answered() {
    let all = scaled(10_000);
    let storm = |warm: &mut Warm| {
        let addr = warm.addr;
        let mut answered = 0;
        for _ in 0..10 {
            let mut crowd: Vec<_> = (0..all / 10).map(|_| connect(addr)).collect();
            for socket in &mut crowd {
                socket
                    .write_all(b"GET /runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    .unwrap();
            }
            for mut socket in crowd {
                let mut answer = String::new();
                socket.read_to_string(&mut answer).unwrap();
                answered += usize::from(answer.starts_with("HTTP/1.1 200 "));
            }
        }
        assert_eq!(answered, all / 10 * 10);
    };
    let mut warm = warm(storm);
    storm(&mut warm);
    warm.is_as_before(16 * MIB);
}

/// The head of an upload, with the beginning of its file.
fn upload(length: usize) -> Vec<u8> {
    let begun = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
    let head = format!(
        "POST /keeps/start HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n{begun}"
    );
    head.into_bytes()
}

/// How many files and folders wait for a start that has not come.
fn staged(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("uploads/staging")).map_or(0, Iterator::count)
}

#[test]
fn thousand_cut_uploads_leave_nothing() {
    let cuts = |warm: &mut Warm| {
        let piece = vec![b'x'; 64 << 10];
        let mut slow = Vec::new();
        for turn in 0..scaled(1_000) {
            let mut socket = connect(warm.addr);
            socket.write_all(&upload(1 << 30)).unwrap();
            for _ in 0..turn % 8 {
                socket.write_all(&piece).unwrap();
            }
            match turn % 4 {
                0 => slow.push(socket),
                1 => reset(socket),
                _ => drop(socket),
            }
        }
        assert_eq!(request(warm.addr, "GET /runs", "").unwrap().status, 200, "others are served");
        drop(slow);
        warm.settle(|warm| staged(warm.folder.path()) == 0);
        assert_eq!(staged(warm.folder.path()), 0);
    };
    let mut warm = warm(cuts);
    cuts(&mut warm);
    warm.is_as_before(16 * MIB);
}

#[test]
fn slow_senders_are_disconnected_in_time() {
    let begun = |warm: &Warm| -> Vec<_> {
        let mut slow: Vec<_> = (0..scaled(1_000)).map(|_| connect(warm.addr)).collect();
        for socket in &mut slow {
            socket.write_all(b"GET /runs HTTP/1.1\r\nhost: localhost\r\nx: ").unwrap();
        }
        assert_eq!(request(warm.addr, "GET /runs", "").unwrap().status, 200, "others are served");
        slow
    };
    let warm = warm(|warm| drop(begun(warm)));
    let mut slow = begun(&warm);
    let began = std::time::Instant::now();
    while !slow.is_empty() {
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(request(warm.addr, "GET /runs", "").unwrap().status, 200, "others are served");
        // The second write to a closed socket fails.
        slow.retain_mut(|socket| socket.write_all(b"y").is_ok());
        assert!(began.elapsed() < LONG, "{} are still listened to", slow.len());
    }
    // 30 seconds until the head is complete, even for a client that keeps sending.
    assert!(began.elapsed() > Duration::from_secs(20), "{:?}", began.elapsed());
    warm.is_as_before(16 * MIB);
}
