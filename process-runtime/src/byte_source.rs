//! The source of a download: bytes of a known length that can be read from any offset, in any storage.

use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, once};
use jiff::Timestamp;

/// Immutable bytes of a known length.
pub(crate) trait ByteSource: Send {
    /// The number of bytes.
    fn length(&self) -> u64;

    /// The content of the ETag: two sources with different bytes have different tags.
    fn tag(&self) -> &str;

    /// The time of the last modification, if it is known.
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
