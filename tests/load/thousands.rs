//! Thousands of viewers, in the tests of every day: all are served, and nothing of them is left.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use process_tests::load::{Child, Pace, Plan, Said, Viewers, descriptors, request, rss};
use serde_json::json;
use tempfile::TempDir;

use crate::crowds::{ours, start};

pub(crate) const LONG: Duration = Duration::from_secs(120);
pub(crate) const MIB: u64 = 1 << 20;

/// All of them at once would be more sockets than a process may have.
static ALONE: Mutex<()> = Mutex::new(());

/// A server whose allocator has already reached its peak: further growth is a leak.
pub(crate) struct Warm {
    pub(crate) server: Child,
    pub(crate) addr: SocketAddr,
    descriptors: usize,
    rss: u64,
    pub(crate) folder: TempDir,
    _alone: Option<MutexGuard<'static, ()>>,
}

impl Warm {
    /// A server that has had such a crowd of thousands before.
    pub(crate) fn up(crowd: impl Fn(&mut Self)) -> Self {
        Self::beside(Some(ALONE.lock().unwrap_or_else(PoisonError::into_inner)), crowd)
    }

    /// The same for few viewers, to run beside other tests.
    pub(crate) fn of_few(crowd: impl Fn(&mut Self)) -> Self {
        Self::beside(None, crowd)
    }

    fn beside(alone: Option<MutexGuard<'static, ()>>, crowd: impl Fn(&mut Self)) -> Self {
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let folder = TempDir::new().unwrap();
        let server = ours("serve-on", &folder);
        let addr = server.address(LONG).unwrap();
        let mut warm = Self { server, addr, descriptors: 0, rss: 0, folder, _alone: alone };
        crowd(&mut warm);
        warm.settle(|warm| descriptors(warm.server.id()) < 100);
        warm.descriptors = descriptors(warm.server.id());
        warm.rss = rss(warm.server.id());
        warm
    }

    /// Lets this many viewers watch this many runs: each must see every line and the end.
    fn crowd(&mut self, runs: usize, viewers: usize, ticks: u64) {
        let pace = Pace { ticks, per_second: 2.0, burst: 4, bytes: 80 };
        let input = json!({ "ticks": ticks, "per_second": 2.0, "burst": 4, "bytes": 80 });
        let runs: Vec<_> = (0..runs).map(|_| start(self.addr, "bursts", input.clone())).collect();
        let paths = runs.iter().map(|run| format!("{run}/events")).collect();
        let plan = Plan { paths, lines_each: pace.lines(), limit: LONG, ..Plan::new(self.addr, "", viewers) };
        let crowd = Viewers::open(plan).unwrap();
        assert_eq!(crowd.next(LONG), Some(Said::Ready), "all have their first event");
        self.server.tell("go");
        assert_eq!(crowd.next(LONG), Some(Said::Delivered), "all have all lines");
        self.server.tell("end");
        let report = crowd.report().unwrap();
        let viewers = viewers as u64;
        assert_eq!((report.answered, report.errors, report.ended), (viewers, 0, viewers), "{report:?}");
        assert_eq!(report.lines + report.old_lines, viewers * pace.lines(), "{report:?}");
    }

    /// Waits until this holds: a server lets go of its connections in its own time.
    pub(crate) fn settle(&self, holds: impl Fn(&Self) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        while (descriptors(self.server.id()) > self.descriptors.max(100) || !holds(self))
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn is_as_before(&self, more: u64) {
        // A reader of the store more or less is no viewer.
        let most = self.descriptors + 16;
        self.settle(|warm| descriptors(warm.server.id()) <= most);
        let left = descriptors(self.server.id());
        assert!(left <= most, "{left} descriptors are open, and {} were before", self.descriptors);
        let grown = rss(self.server.id()).saturating_sub(self.rss);
        assert!(grown < more, "it has grown by {} KiB", grown >> 10);
    }
}

#[test]
fn ten_thousand_viewers_see_one_run() {
    let mut warm = Warm::up(|warm| warm.crowd(1, 10_000, 1));
    warm.crowd(1, 10_000, 3);
    warm.is_as_before(16 * MIB);
}

#[test]
fn thousand_runs_reach_ten_viewers_each() {
    let mut warm = Warm::up(|warm| warm.crowd(1_000, 10_000, 1));
    warm.crowd(1_000, 10_000, 2);
    warm.is_as_before(32 * MIB);
}

#[test]
fn ten_thousand_resets_leak_nothing() {
    let input = json!({ "ticks": 1, "per_second": 1.0, "burst": 1, "bytes": 80 });
    let storm = |warm: &mut Warm| {
        let run = start(warm.addr, "bursts", input.clone());
        for _ in 0..20 {
            let crowd: Vec<_> = (0..500).map(|_| ask(warm.addr, &run)).collect();
            // Closed like this it is a reset, whether the answer was read or not.
            let reset = |socket| socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).unwrap();
            crowd.into_iter().for_each(reset);
        }
        let run = request(warm.addr, &format!("GET {run}"), "").unwrap().json();
        assert_eq!(run["status"], "running");
    };
    let mut warm = Warm::up(storm);
    storm(&mut warm);
    warm.is_as_before(16 * MIB);
    warm.server.tell("end");
}

/// A connection that has requested a stream.
fn ask(addr: SocketAddr, run: &str) -> TcpStream {
    let mut socket = TcpStream::connect(addr).unwrap();
    write!(socket, "GET {run}/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    socket
}
