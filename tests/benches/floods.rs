//! The cost of a run that logs at full speed to other runs: the latency of starts beside it, and memory and disk usage.

use std::path::Path;
use std::time::{Duration, Instant};

use process_runtime::Processes;
use process_runtime::prelude::*;
use tempfile::TempDir;

/// For how long it talks.
const TALKS: Duration = Duration::from_secs(20);

/// Logs lines of 1,000 to 1,863 bytes without a pause.
#[process(title = "Talking", concurrency = 10)]
async fn talking() {
    let text = "x".repeat(1_863);
    let began = Instant::now();
    while began.elapsed() < TALKS {
        for length in 1_000..=1_863 {
            log(&text[..length]);
        }
    }
}

/// Does nothing.
#[process(title = "Passing", concurrency = 10)]
async fn passing() {}

fn megabytes(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |file| file.len() >> 20)
}

/// How much memory this program has, in megabytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) >> 10
}

struct Starts(Vec<Duration>);

impl Starts {
    async fn until(processes: &Processes, end: Instant, mut look: impl FnMut()) -> Self {
        let mut took = Vec::new();
        while Instant::now() < end {
            let began = Instant::now();
            Passing::start(processes, ()).await.unwrap();
            took.push(began.elapsed());
            look();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        took.sort();
        Self(took)
    }

    fn said(&self) -> String {
        let at = |part: f64| self.0[((self.0.len() - 1) as f64 * part) as usize];
        format!("p50 {:.1?}, p99 {:.1?}, at most {:.1?}, of {}", at(0.5), at(0.99), at(1.0), self.0.len())
    }
}

pub(crate) async fn floods() {
    for talkers in [1, 4] {
        let folder = TempDir::new().unwrap();
        let processes = process_runtime::builder().data_dir(folder.path()).build().unwrap();
        let file = folder.path().join("runs.sqlite3");
        let log = folder.path().join("runs.sqlite3-wal");
        let quiet = Starts::until(&processes, Instant::now() + TALKS / 4, || ()).await;
        let before = memory();
        let mut runs = Vec::new();
        for _ in 0..talkers {
            runs.push(Talking::start(&processes, ()).await.unwrap());
        }
        let (mut most, mut longest) = (0, 0);
        let beside = Starts::until(&processes, Instant::now() + TALKS, || {
            (most, longest) = (memory().max(most), megabytes(&log).max(longest));
        });
        let beside = beside.await;
        let mut lines = 0;
        for run in runs {
            run.wait().await.unwrap();
            let last = processes.store().log_tail(run.id(), 1).await.unwrap();
            lines += last.last().map_or(0, |line| line.seq);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        println!("starts beside {talkers} that log 1,000 to 1,863 bytes a line without a pause:");
        println!("  before:    {}", quiet.said());
        println!("  meanwhile: {}", beside.said());
        println!(
            "  {lines} lines in {TALKS:?}; memory from {before} to at most {most} MB, write-ahead log at most \
             {longest} MB, at last {} MB of file and {} of log",
            megabytes(&file),
            megabytes(&log)
        );
    }
}
