//! A cache of the snapshot for viewers who have seen nothing, for those who come right after each other.

use std::time::{Duration, Instant};

use super::{Feed, Offset};
use crate::wire::Frame;

/// For how long an opening is good enough for the next viewer, who is told what came since like all others.
const KEPT: Duration = Duration::from_millis(100);
/// With the log and without it, below one prefix or two, or for viewers with different permissions.
const MOST: usize = 4;

/// What was made for the last viewers. A crowd that comes at once is given the same bytes.
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
    /// What a viewer of this kind was told a moment ago who had seen nothing either, and what it had seen by that.
    pub(crate) fn cached_snapshot(&self, base: &str, kind: u8) -> Option<(Frame, Offset)> {
        let live = self.live.lock();
        let mut fits = live.openings.0.iter().filter(|kept| kept.kind == kind && kept.base == base);
        fits.find(|kept| kept.made.elapsed() < KEPT).map(|kept| (kept.frame.clone(), kept.seen))
    }

    /// Keeps an opening for the viewers who come right after.
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
