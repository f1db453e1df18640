//! Conflation: which events a viewer has not seen, joined once for all viewers at the same offset. Progress that was
//! overtaken is left out; log lines are not.

use bytes::Bytes;

use super::{KeptLines, Live};
use crate::wire::{Frame, without_position};

/// How many bytes a viewer gets at a time; a single larger event is sent whole. It limits what a viewer that does not
/// read keeps in memory.
const MOST: usize = 64 * 1024;
/// How many groups are cached: for viewers that are up to date, and a few that are late.
const JOINS: usize = 4;

/// The position of a viewer in a run: numbers, not a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    /// The last line that it got.
    seq: u64,
    progress: u64,
    pulse: u64,
    /// It got the end of the stream.
    over: bool,
}

impl Offset {
    /// The same position for a viewer without log lines.
    pub(crate) fn without_lines(self) -> Self {
        Self { seq: u64::MAX, ..self }
    }

    /// The number of the last line it has seen.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The same position for a viewer that has all lines up to this one, and none after it.
    pub(crate) fn with_lines_to(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    fn is_without_lines(&self) -> bool {
        self.seq == u64::MAX
    }
}

/// The pending events of a viewer.
#[derive(Debug)]
pub(crate) enum Pending {
    /// This, in one write.
    Frame(Frame),
    /// The viewer is so far behind that the missed lines are not in memory, or it has lines that were lost.
    Behind,
    /// Nothing more here: the server shuts down, and the run continues on another node or later.
    Elsewhere,
    /// Nothing at the moment.
    NotYet,
    /// Nothing, ever again.
    Nothing,
}

/// A group of events for viewers at the same position.
#[derive(Debug)]
pub(super) struct Joined {
    from: Offset,
    to: Offset,
    frame: Frame,
    /// The version of the feed when the group was made; `None` if the group is full and so never changes.
    version: Option<u64>,
}

impl Live {
    /// The position of a viewer that has everything.
    pub(super) fn seen(&self) -> Offset {
        Offset { seq: self.lines.last_seq, progress: self.progress_version, pulse: self.pulse, over: false }
    }

    pub(super) fn due(&mut self, seen: &mut Offset) -> Pending {
        if seen.over {
            return Pending::Nothing;
        }
        let KeptLines { evicted, last_seq, .. } = self.lines;
        if seen.seq < evicted || (seen.seq > last_seq && !seen.is_without_lines()) {
            return Pending::Behind;
        }
        let fits = |joined: &&Joined| {
            joined.from == *seen && joined.version.is_none_or(|version| version == self.version)
        };
        if let Some(joined) = self.joined.iter().find(fits) {
            *seen = joined.to;
            return Pending::Frame(joined.frame.clone());
        }
        let from = *seen;
        let mut parts = Vec::new();
        let all = self.gather(seen, &mut parts);
        if parts.is_empty() {
            seen.over = self.end.is_some() || self.closed;
            return match (&self.end, self.closed) {
                (Some(_), _) => Pending::Nothing,
                (None, true) => Pending::Elsewhere,
                (None, false) => Pending::NotYet,
            };
        }
        let frame = Frame::of(&parts);
        self.joined.retain(|joined| joined.from != from);
        if self.joined.len() == JOINS {
            self.joined.pop_front();
        }
        let version = all.then_some(self.version);
        self.joined.push_back(Joined { from, to: *seen, frame: frame.clone(), version });
        Pending::Frame(frame)
    }

    /// Adds the events after position `seen` in the order of publication, because a client's position is that of the
    /// last event it received. Returns false if there are more than fit.
    fn gather(&self, seen: &mut Offset, parts: &mut Vec<Bytes>) -> bool {
        let first = self.lines.chunks.partition_point(|chunk| chunk.last_seq() <= seen.seq);
        let mut size = 0;
        for chunk in self.lines.chunks.range(first..) {
            if size >= MOST {
                // A viewer that is behind with the lines still gets the latest bar. The event has no position, because
                // the viewer has not received the lines before it.
                if let Some(progress) = self.late_progress(seen) {
                    parts.splice(0..0, progress);
                }
                return false;
            }
            if chunk.last_seq() > self.progress_seq {
                self.add_progress(seen, parts);
            }
            let Some(bytes) = chunk.after(seen.seq) else { continue };
            size += bytes.len();
            parts.push(bytes);
            seen.seq = chunk.last_seq();
        }
        self.add_progress(seen, parts);
        if let Some(end) = &self.end {
            seen.over = true;
            parts.push(end.clone());
        } else if seen.pulse < self.pulse && parts.is_empty() {
            parts.push(self.ping.clone());
        }
        seen.pulse = self.pulse;
        true
    }

    /// The progress that a viewer has not seen, in front of lines that it is late with.
    pub(super) fn late_progress(&self, seen: &mut Offset) -> Option<[Bytes; 2]> {
        (seen.progress < self.progress_version).then(|| {
            seen.progress = self.progress_version;
            without_position(&self.progress)
        })
    }

    fn add_progress(&self, seen: &mut Offset, parts: &mut Vec<Bytes>) {
        if seen.progress < self.progress_version {
            seen.progress = self.progress_version;
            parts.push(self.progress.clone());
        }
    }
}
