//! Owns the stream as an answer: its headers, and the way from what a client watches to a body.
//! Refuses to know what is watched and what is in its events.

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::unfold;

use super::respond::query;
use super::watching::{Taken, Watched, Watching};
use crate::feed::News;
use crate::processes::Processes;
use crate::wire::Position;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What the client says it has seen last, by header or by `?last=`; of several runs, once for each.
pub(super) fn last_seen(headers: &HeaderMap, uri: &Uri) -> Vec<Position> {
    let header = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let asked = query(uri).filter(|(name, _)| name == "last").filter_map(|(_, id)| id.parse().ok());
    header.and_then(|id| id.parse().ok()).into_iter().chain(asked).collect()
}

/// The stream of these runs. To a HEAD request it gives the headers, and opens nothing.
pub(super) async fn stream(
    processes: &Processes,
    base: String,
    watched: Vec<Watched>,
    method: &Method,
) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    if method == Method::HEAD {
        return (headers, Body::empty()).into_response();
    }
    let handed = Handed::new(Watching::open(processes.clone(), base, watched).await);
    let body = handed.clone().body();
    let mut response = (headers, body).into_response();
    response.extensions_mut().insert(handed);
    response
}

/// What is watched, in a response: whoever writes to sockets itself takes it out, and leaves the body alone.
#[derive(Clone)]
pub(super) struct Handed(Arc<Mutex<Option<Watching>>>);

impl Handed {
    fn new(watching: Watching) -> Self {
        Self(Arc::new(Mutex::new(Some(watching))))
    }

    pub(super) fn take(&self) -> Option<Watching> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The same as a body, for servers that are not ours.
    fn body(self) -> Body {
        let streamed = Streamed { handed: self, watching: None, news: Vec::new() };
        Body::from_stream(unfold(streamed, |mut streamed| async move {
            let bytes = streamed.next().await?;
            Some((Ok::<_, Infallible>(bytes), streamed))
        }))
    }
}

/// What is watched, as the pieces of a body.
struct Streamed {
    handed: Handed,
    watching: Option<Box<Watching>>,
    news: Vec<News>,
}

impl Streamed {
    async fn next(&mut self) -> Option<Bytes> {
        let watching = match &mut self.watching {
            Some(watching) => watching,
            None => {
                let watching = self.watching.insert(Box::new(self.handed.take()?));
                // Before the first look: what is published from here on wakes us.
                self.news = watching.feeds().flatten().map(|feed| feed.news()).collect();
                watching
            }
        };
        loop {
            match watching.take() {
                Taken::Frame(frame) => return Some(frame.events()),
                // Seldom, and large: it has a place of its own while it lasts.
                Taken::Behind(place) => Box::pin(watching.reopen(place)).await,
                Taken::NotYet => any(&mut self.news).await,
                Taken::Over => return None,
            }
        }
    }
}

/// Waits until any of these has something new.
async fn any(news: &mut [News]) {
    poll_fn(|context| {
        let mut ready = Poll::Pending;
        for one in news.iter_mut() {
            if one.poll(context).is_ready() {
                ready = Poll::Ready(());
            }
        }
        ready
    })
    .await;
}
