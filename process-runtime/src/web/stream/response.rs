//! A stream as a response: its headers, `Last-Event-ID`, and the body for servers other than ours.

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

/// What the client says it has seen last, by header or by `?last=`; of several runs, once for each.
pub(in crate::web) fn last_seen(headers: &HeaderMap, uri: &Uri) -> Vec<Position> {
    last_id(headers, uri).filter_map(|id| id.parse().ok()).collect()
}

/// The same as it was written.
pub(in crate::web) fn last_id<'a>(
    headers: &'a HeaderMap,
    uri: &'a Uri,
) -> impl Iterator<Item = Cow<'a, str>> {
    let header = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let asked = query(uri).filter(|(name, _)| name == "last").map(|(_, id)| id);
    header.map(Cow::Borrowed).into_iter().chain(asked)
}

/// A stream, with the headers that every stream has.
pub(in crate::web) fn head(body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

/// The stream of these runs. To a HEAD request it gives the headers, and opens nothing.
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

/// What is watched, in a response: whoever writes to sockets itself takes it out, and leaves the body alone.
#[derive(Clone)]
pub(in crate::web) struct Handed(Arc<Mutex<Option<Watching>>>);

impl Handed {
    fn new(watching: Watching) -> Self {
        Self(Arc::new(Mutex::new(Some(watching))))
    }

    pub(in crate::web) fn take(&self) -> Option<Watching> {
        self.0.lock().take()
    }

    /// The same as a body, for servers that are not ours.
    fn body(self) -> Body {
        Body::new(Streamed { handed: self, watching: None, news: SmallVec::new(), opening: None })
    }
}

/// What is watched, as a body. All that is looked at for each event lies in one place.
struct Streamed {
    handed: Handed,
    /// `None` before the first look, and while an opening is made anew.
    watching: Option<Watching>,
    /// Of each run that is watched.
    news: SmallVec<[Subscription; 1]>,
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
                // Before the first look: what is published from here on wakes us.
                self.news = watching.feeds().flatten().map(|feed| feed.subscribe()).collect();
                self.watching = Some(watching);
                continue;
            };
            match watching.take() {
                Taken::Frame(frame) => return Poll::Ready(Some(frame.events())),
                Taken::Behind(place) => self.opening = self.watching.take().map(|one| one.reopen(place)),
                Taken::NotYet => {
                    // Each of them is asked, so that each of them wakes us.
                    let news =
                        self.news.iter_mut().filter_map(|news| news.poll(context).is_ready().then_some(()));
                    if news.count() == 0 {
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
