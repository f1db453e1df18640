//! The servers to measure: how to start and control each.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use process_tests::load::{Child, Pace, nchan_module, request};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The core that servers run on, and the one that viewers do.
pub(crate) const SERVER: usize = 0;
pub(crate) const VIEWERS: usize = 1;
const SOON: Duration = Duration::from_secs(30);

/// A way to bring events to viewers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// One of `load-servers`.
    Baseline(&'static str),
    /// One of the ways of `load-ours`.
    Ours(&'static str),
}

impl System {
    const EVERY: [(&str, Self); 8] = [
        ("raw-loop", Self::Baseline("raw-loop")),
        ("raw-task", Self::Baseline("raw-task")),
        ("axum-broadcast", Self::Baseline("axum-broadcast")),
        ("axum-bytes", Self::Baseline("axum-bytes")),
        ("hyper-bytes", Self::Baseline("hyper-bytes")),
        ("nchan", Self::Baseline("nchan")),
        ("ours", Self::Ours("serve-on")),
        ("ours-axum", Self::Ours("axum")),
    ];

    /// The systems available on this machine.
    pub(crate) fn all() -> Vec<Self> {
        let there = |system: &Self| *system != Self::Baseline("nchan") || nchan_module().is_some();
        Self::EVERY.iter().map(|(_, system)| *system).filter(there).collect()
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::EVERY.iter().find(|(own, _)| *own == name).map(|(_, system)| *system)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::EVERY.iter().find(|(_, system)| *system == self).map_or("", |(name, _)| name)
    }

    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Ours(_))
    }

    /// Starts it, and waits until it has printed its address.
    pub(crate) fn start(self, pace: Pace) -> Server {
        let folder = TempDir::new().unwrap();
        let child = match self {
            Self::Ours(way) => {
                let program = Path::new(env!("CARGO_BIN_EXE_load-ours"));
                child(program, SERVER, &[way.to_owned(), folder.path().to_str().unwrap().to_owned()])
            }
            Self::Baseline(name) => {
                let arguments: Vec<_> = [name.to_owned()].into_iter().chain(pace.arguments()).collect();
                child(Path::new(env!("CARGO_BIN_EXE_load-servers")), SERVER, &arguments)
            }
        };
        let addr = child.address(SOON).expect("the server says where it listens");
        Server { child, addr, _folder: folder }
    }
}

/// A program pinned to a core, if possible.
pub(crate) fn child(program: &Path, core: usize, arguments: &[String]) -> Child {
    let pinned = Path::new("/usr/bin/taskset").exists()
        && std::thread::available_parallelism().is_ok_and(|n| n.get() > 1);
    Child::start(program, pinned.then_some(core), arguments)
}

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) addr: SocketAddr,
    _folder: TempDir,
}

impl Server {
    /// Starts the run to watch, and returns the path of its stream.
    pub(crate) fn run(&self, system: System, pace: Pace) -> String {
        if !system.is_ours() {
            return "/".to_owned();
        }
        let Pace { ticks, per_second, burst, bytes } = pace;
        let input = json!({ "ticks": ticks, "per_second": per_second, "burst": burst, "bytes": bytes });
        format!("{}/events", self.post("bursts", &input))
    }

    /// Starts one of our runs, and returns its path.
    pub(crate) fn post(&self, route: &str, input: &Value) -> String {
        let answer = request(self.addr, &format!("POST /{route}/start"), &input.to_string()).unwrap();
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        format!("/runs/{}", answer.json()["id"].as_str().unwrap())
    }

    /// Opens viewers on a path, each of which waits for this many lines at a time.
    pub(crate) fn viewers(&self, path: &str, count: usize, lines_each: u64) -> Crowd {
        let arguments = [
            self.addr.to_string(),
            path.to_owned(),
            count.to_string(),
            "--lines-each".to_owned(),
            lines_each.to_string(),
        ];
        let client = child(Path::new(env!("CARGO_BIN_EXE_load-client")), VIEWERS, &arguments);
        assert_eq!(client.line(SOON).as_deref(), Some("ready"), "{count} viewers could not be opened");
        // The connections are accepted; this lets the server finish its remaining work.
        std::thread::sleep(Duration::from_millis(300));
        Crowd(client)
    }
}

/// Viewers that are all there.
pub(crate) struct Crowd(Child);

impl Crowd {
    /// Waits until each has got its lines.
    pub(crate) fn delivered(&self) -> bool {
        self.0.line(Duration::from_secs(60)).as_deref() == Some("delivered")
    }

    /// Waits until the streams have ended, and returns the report.
    pub(crate) fn report(self) -> process_tests::load::Report {
        let line = self.0.line_with("{", Duration::from_secs(150)).expect("the viewers report");
        serde_json::from_str(&line).unwrap()
    }
}
