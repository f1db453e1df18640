//! What a download reads from: bytes of a known length that can be read from any offset, wherever they are kept.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, once};
use jiff::Timestamp;

/// Bytes of a known length, which never change.
pub(crate) trait ByteSource: Send {
    /// How many there are.
    fn length(&self) -> u64;

    /// Differs between two sources whose bytes differ.
    fn tag(&self) -> &str;

    /// Since when they have been what they are, if that is known.
    fn modified(&self) -> Option<Timestamp>;

    /// Reads the bytes of a range that does not go beyond the length.
    fn read(
        self,
        range: Range<u64>,
    ) -> impl Future<Output = io::Result<BoxStream<'static, io::Result<Bytes>>>> + Send;
}

/// Bytes in memory.
pub(crate) struct InMemory {
    pub(crate) bytes: Bytes,
    pub(crate) tag: String,
    pub(crate) modified: Option<Timestamp>,
}

impl ByteSource for InMemory {
    fn length(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn modified(&self) -> Option<Timestamp> {
        self.modified
    }

    async fn read(mut self, range: Range<u64>) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let [start, end] = [range.start, range.end].map(|offset| offset.min(self.length()) as usize);
        self.bytes.truncate(end);
        let part = self.bytes.split_off(start.min(end));
        Ok(once(async { Ok(part) }).boxed())
    }
}
