//! A stream as a response: its headers, `Last-Event-ID`, and a body for servers other than `serve()`.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::feed::Subscription;
use crate::viewers::Ticket;
use crate::web::request::context;
use crate::web::request::query::query;
use crate::web::stream::watching::{Taken, Watched, Watching};
use crate::wire::Position;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The positions that the client has seen last, from the header or from `?last=`, one for each run.
pub(in crate::web) fn last_seen(headers: &HeaderMap, uri: &Uri) -> Vec<Position> {
    last_id(headers, uri).filter_map(|id| id.parse().ok()).collect()
}

/// The same as it was sent.
pub(in crate::web) fn last_id<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
) -> impl Iterator<Item = Cow<'a, str>> {
    let header = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let asked = query(uri).filter(|(name, _)| name == "last").map(|(_, id)| id);
    header.map(Cow::Borrowed).into_iter().chain(asked)
}

/// A stream, with the headers of every stream.
pub(in crate::web) fn head(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// The stream of these runs. A HEAD request gets the headers only.
pub(in crate::web) async fn stream(
    context: &context::Context,
    ticket: Ticket,
    watched: Vec<Watched>,
    method: &Method,
) -> Response {
    if method == Method::HEAD {
        return head(Body::empty());
    }
    let handed = Handed::new(Watching::open(context, ticket, watched).await);
    let mut response = head(handed.clone().body());
    response.extensions_mut().insert(handed);
    response
}

/// The watched runs, in a response: `serve()` takes them out and writes to the socket itself.
#[derive(Clone)]
pub(in crate::web) struct Handed(Arc<Mutex<Option<Watching>>>);

impl Handed {
    fn new(watching: Watching) -> Self {
        Self(Arc::new(Mutex::new(Some(watching))))
    }

    pub(in crate::web) fn take(&self) -> Option<Watching> {
        self.0.lock().take()
    }

    /// The same as a body, for other servers.
    fn body(self) -> Body {
        Body::new(Streamed { handed: self, watching: None, subscriptions: SmallVec::new(), opening: None })
    }
}

/// The watched runs as a body. The data that each event needs lies together.
struct Streamed {
    handed: Handed,
    /// `None` before the first poll, and while a snapshot is being made.
    watching: Option<Watching>,
    /// One for each watched run.
    subscriptions: SmallVec<[Subscription; 1]>,
    opening: Option<BoxFuture<'static, Watching>>,
}

impl Streamed {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(opening) = &mut self.opening {
                self.watching = Some(ready!(opening.as_mut().poll(context)));
                self.opening = None;
            }
            let Some(watching) = &mut self.watching else {
                let Some(watching) = self.handed.take() else { return Poll::Ready(None) };
                // Before the first poll, so that nothing is missed.
                self.subscriptions = watching.feeds().flatten().map(|feed| feed.subscribe()).collect();
                self.watching = Some(watching);
                continue;
            };
            match watching.take() {
                Taken::Frame(frame) => return Poll::Ready(Some(frame.events())),
                Taken::Behind(place) => self.opening = self.watching.take().map(|one| one.reopen(place)),
                Taken::NotYet => {
                    // All of them are polled, so that each of them wakes the task.
                    let ready = self
                        .subscriptions
                        .iter_mut()
                        .filter_map(|subscription| subscription.poll(context).is_ready().then_some(()));
                    if ready.count() == 0 {
                        return Poll::Pending;
                    }
                }
                Taken::Over => return Poll::Ready(None),
            }
        }
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        self.poll_next(context).map(|bytes| bytes.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}
