//! Backpressure for a body that is parsed part by part: one chunk at a time, never far ahead of its parser.
//!
//! The parser takes everything available before it looks at any of it, and searches all of it for the end of a part's
//! headers. Without this, a fast sender, or headers without an end, would fill the memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::stream::Stream;

/// How far a body may be ahead of its parser, in bytes. The headers of a part are much smaller.
const MAX_AHEAD: usize = 1 << 20;

/// The chunks of a body.
pub(in crate::web) struct Paced {
    body: BodyDataStream,
    ahead: Arc<AtomicUsize>,
    /// A chunk was passed on since the parser last ran.
    given: bool,
}

/// Counts the bytes that the parser has not consumed.
pub(in crate::web) struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// True if the parser made no progress within the limit: the body is abandoned.
    pub(in crate::web) fn is_lost(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_AHEAD
    }

    /// The parser has consumed everything so far.
    pub(in crate::web) fn caught_up(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Splits a body into its chunks and the handle through which the parser reports progress.
pub(in crate::web) fn paced(body: Body) -> (Paced, Pace) {
    let ahead = Arc::new(AtomicUsize::new(0));
    (Paced { body: body.into_data_stream(), ahead: Arc::clone(&ahead), given: false }, Pace(ahead))
}

impl Stream for Paced {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.given {
            // The parser looks at what it has, and polls again immediately.
            self.given = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.ahead.load(Ordering::Relaxed) > MAX_AHEAD {
            return Poll::Ready(Some(Err(io::Error::other("the headers of a part are too long"))));
        }
        let polled = Pin::new(&mut self.body).poll_next(context);
        polled.map(|piece| {
            piece.map(|piece| {
                let piece = piece.map_err(io::Error::other)?;
                self.given = true;
                self.ahead.fetch_add(piece.len(), Ordering::Relaxed);
                Ok(piece)
            })
        })
    }
}
