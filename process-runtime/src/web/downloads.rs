//! How many downloads are under way at the same time: each has a permit until it is sent or given up.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::respond::Problem;
use crate::processes::Processes;
use crate::texts::Message;

/// Lets one download go on.
pub(super) struct DownloadPermit {
    _permit: OwnedSemaphorePermit,
}

impl DownloadPermit {
    /// One more; an error when as many are under way as may be.
    pub(super) fn take(processes: &Processes) -> Result<Self, Problem> {
        let free = Arc::clone(processes.downloads()).try_acquire_owned();
        free.map(|permit| Self { _permit: permit }).map_err(|_| {
            let most = processes.limits().max_downloads;
            Problem::later(Message::new("problem.downloads").with("most", most))
        })
    }

    /// The body, which keeps the permit for as long as there is anything of it to send.
    pub(super) fn hold(self, body: Body) -> Body {
        Body::new(Permitted { body, _permit: self })
    }
}

struct Permitted {
    body: Body,
    _permit: DownloadPermit,
}

impl HttpBody for Permitted {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
