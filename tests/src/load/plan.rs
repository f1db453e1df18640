//! The plan of a crowd: who watches what and for how long, and the notifications meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

/// Who watches what, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    pub addr: SocketAddr,
    /// Viewers are dealt out to these in turn.
    pub paths: Vec<String>,
    /// Viewers that read at full speed. Only they are waited for.
    pub viewers: usize,
    /// Viewers that read `slow_bytes` a second, and viewers that read nothing.
    pub slow: usize,
    pub slow_bytes: usize,
    pub silent: usize,
    /// How many connections may wait for their answer at the same time, and how many are opened a second.
    pub at_once: usize,
    pub connects_per_second: Option<f64>,
    /// After how many lines at each viewer [`Said::Delivered`] is sent; 0 is never.
    pub lines_each: u64,
    /// When the crowd stops in any case.
    pub limit: Duration,
}

impl Plan {
    pub fn new(addr: SocketAddr, path: impl Into<String>, viewers: usize) -> Self {
        Self {
            addr,
            paths: vec![path.into()],
            viewers,
            slow: 0,
            slow_bytes: 1_000,
            silent: 0,
            at_once: 256,
            connects_per_second: None,
            lines_each: 0,
            limit: Duration::from_secs(120),
        }
    }
}

/// Notifications of a crowd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Each viewer has its first event.
    Ready,
    /// Each viewer has received this many more lines.
    Delivered,
}
