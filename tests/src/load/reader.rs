//! Reads one response: from the bytes of a socket to counts.

use super::frames::Frames;
use super::scan::{Events, Seen};

/// The state of one answer: some dozens of bytes, so that thousands of them cost nothing.
#[derive(Debug, Default)]
pub struct Reader {
    pub frames: Frames,
    events: Events,
    /// What cannot be judged without what follows it.
    carry: Vec<u8>,
}

impl Reader {
    /// Processes more bytes. `scratch` is a reusable buffer.
    pub fn read(&mut self, bytes: &[u8], scratch: &mut Vec<u8>, seen: impl FnMut(Seen)) {
        scratch.clear();
        scratch.append(&mut self.carry);
        self.frames.unpack(bytes, scratch);
        let done = self.events.scan(scratch, seen);
        self.carry.extend_from_slice(&scratch[done..]);
    }
}
