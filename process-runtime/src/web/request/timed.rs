//! The deadline of a body: it grows with the bytes that arrive, so that large uploads finish and slow ones time out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::{BoxError, Error};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::limits::Limits;

/// A body with a deadline.
struct Timed {
    body: Body,
    began: Instant,
    /// How many bytes have arrived.
    came: u64,
    patience: Duration,
    rate: u64,
    alarm: Pin<Box<Sleep>>,
    late: Arc<AtomicBool>,
}

/// Records that a body arrived too slowly and was abandoned.
pub(in crate::web) struct Late(Arc<AtomicBool>);

impl Late {
    pub(in crate::web) fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body; it ends with an error if it arrives too slowly.
pub(in crate::web) fn timed(body: Body, limits: &Limits) -> (Body, Late) {
    let late = Arc::new(AtomicBool::new(false));
    let began = Instant::now();
    let timed = Timed {
        body,
        began,
        came: 0,
        patience: limits.body_timeout,
        rate: limits.min_body_bytes_per_second.max(1),
        alarm: Box::pin(sleep_until(began + limits.body_timeout)),
        late: Arc::clone(&late),
    };
    (Body::new(timed), Late(late))
}

impl Timed {
    /// When too little will have arrived.
    fn due(&self) -> Instant {
        self.began + self.patience + Duration::from_secs(self.came / self.rate)
    }
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.came += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::into)));
        }
        // The clock is read only while waiting, and the timer is reset only when it has fired.
        while self.alarm.as_mut().poll(context).is_ready() {
            let due = self.due();
            if due <= Instant::now() {
                self.late.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())));
            }
            self.alarm.as_mut().reset(due);
        }
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
