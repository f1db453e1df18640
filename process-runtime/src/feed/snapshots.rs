//! A cache of the snapshots for new viewers, for many that connect at about the same time.

use std::time::{Duration, Instant};

use super::{Feed, Offset};
use crate::wire::Frame;

/// How long a snapshot is reused; a viewer then gets the newer events like all others.
const KEPT: Duration = Duration::from_millis(100);
/// With the log and without it, below one prefix or two, or for viewers with different permissions.
const MOST: usize = 4;

/// The last snapshots. Viewers that connect together share their bytes.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Vec<Kept>);

#[derive(Debug)]
struct Kept {
    /// Where the router is mounted: addresses are in it.
    base: String,
    kind: u8,
    made: Instant,
    frame: Frame,
    seen: Offset,
}

impl Feed {
    /// A recent snapshot for viewers of this kind, and the position after it.
    pub(crate) fn cached_snapshot(&self, base: &str, kind: u8) -> Option<(Frame, Offset)> {
        let live = self.live.lock();
        let mut fits = live.openings.0.iter().filter(|kept| kept.kind == kind && kept.base == base);
        fits.find(|kept| kept.made.elapsed() < KEPT).map(|kept| (kept.frame.clone(), kept.seen))
    }

    /// Caches a snapshot for the next viewers.
    pub(crate) fn cache_snapshot(&self, base: &str, kind: u8, frame: &Frame, seen: Offset) {
        let mut live = self.live.lock();
        let kept = &mut live.openings.0;
        kept.retain(|kept| kept.made.elapsed() < KEPT);
        if kept.len() < MOST {
            let (base, frame) = (base.to_owned(), frame.clone());
            kept.push(Kept { base, kind, made: Instant::now(), frame, seen });
        }
    }
}
