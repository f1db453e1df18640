//! Backpressure for a body that is read part by part: one piece at a time, never far ahead of its reader.
//!
//! The reader takes all that is there before it looks at any of it, and looks for the end of a part's head
//! in all it has. Without this a fast sender, or a head without an end, would fill the memory.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::stream::Stream;

/// How far a body may be ahead of its parts, in bytes. A part's head is much smaller.
const MAX_AHEAD: usize = 1 << 20;

/// The pieces of a body.
pub(in crate::web) struct Paced {
    body: BodyDataStream,
    ahead: Arc<AtomicUsize>,
    /// A piece was given since the reader last looked at what it has.
    given: bool,
}

/// Where the reader says that it got on.
pub(in crate::web) struct Pace(Arc<AtomicUsize>);

impl Pace {
    /// The reader has made nothing of too much: the body is given up.
    pub(in crate::web) fn is_lost(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_AHEAD
    }

    /// Everything given so far was made something of.
    pub(in crate::web) fn caught_up(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The body's pieces, and where their reader says that it got on.
pub(in crate::web) fn paced(body: Body) -> (Paced, Pace) {
    let ahead = Arc::new(AtomicUsize::new(0));
    (Paced { body: body.into_data_stream(), ahead: Arc::clone(&ahead), given: false }, Pace(ahead))
}

impl Stream for Paced {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.given {
            // The reader looks at what it has, and asks again at once.
            self.given = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.ahead.load(Ordering::Relaxed) > MAX_AHEAD {
            return Poll::Ready(Some(Err(io::Error::other("a part of it has no end to its head"))));
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
