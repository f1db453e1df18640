//! Conflation: which events a viewer has not seen, joined once for all viewers at the same offset. Progress that was
//! overtaken is left out; log lines are not.

use bytes::Bytes;

use super::{KeptLines, Live};
use crate::wire::{Frame, without_position};

/// How much is given to a viewer at a time, in bytes, but for one event that is longer. It bounds what one who
/// does not read keeps from being freed.
const MOST: usize = 64 * 1024;
/// How many of the last joins are kept: those who are on time, and a few who are late.
const JOINS: usize = 4;

/// What a viewer has seen of a run: numbers, not a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    /// The last line it was given.
    seq: u64,
    progress: u64,
    pulse: u64,
    /// It was told that nothing follows.
    over: bool,
}

impl Offset {
    /// The same viewer, who is not interested in lines.
    pub(crate) fn without_lines(self) -> Self {
        Self { seq: u64::MAX, ..self }
    }

    /// The number of the last line it has seen.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// The same viewer, who was given all lines up to this one, and none after it.
    pub(crate) fn with_lines_to(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    fn is_without_lines(&self) -> bool {
        self.seq == u64::MAX
    }
}

/// What is due to a viewer.
#[derive(Debug)]
pub(crate) enum Pending {
    /// This, in one write.
    Frame(Frame),
    /// It is so far behind that the lines it has missed are not at hand, or it has seen some that were lost.
    Behind,
    /// Nothing here: the server is going away, and the run's story goes on elsewhere or later.
    Elsewhere,
    /// Nothing at the moment.
    NotYet,
    /// Nothing, ever again.
    Nothing,
}

/// What was due to those who had seen the same.
#[derive(Debug)]
pub(super) struct Joined {
    from: Offset,
    to: Offset,
    frame: Frame,
    /// What was published when it was made; `None` when it is full, and so is the same for ever.
    version: Option<u64>,
}

impl Live {
    /// What a viewer has seen who has just been told all there is.
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

    /// Adds what is new to someone who has seen so much, in the order in which it was published: a client is at
    /// the position of the last event it was given. False when there is more than fits.
    fn gather(&self, seen: &mut Offset, parts: &mut Vec<Bytes>) -> bool {
        let first = self.lines.chunks.partition_point(|chunk| chunk.last_seq() <= seen.seq);
        let mut size = 0;
        for chunk in self.lines.chunks.range(first..) {
            if size >= MOST {
                // A viewer who is late with the lines need not be late with the bar. Without a position it does not
                // say that the lines before it have been seen.
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
