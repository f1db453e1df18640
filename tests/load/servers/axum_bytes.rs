//! The next step: each event is encoded once and shared by all viewers as `Bytes`; through axum's own server, or
//! through hyper without `writev`, which copies it into a buffer and costs less.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt as _, once, unfold};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use process_tests::load::Rounds;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::events::{END, Lines, SNAPSHOT, log};

/// More than a burst.
const ROOM: usize = 1_024;

pub(crate) async fn serve(listener: TcpListener, rounds: Rounds, by_hyper: bool) {
    let (sender, _) = broadcast::channel(ROOM);
    let viewers = sender.clone();
    let answer = move || async move {
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
        let body = events(viewers.subscribe()).map(Ok::<_, std::convert::Infallible>);
        (headers, Body::from_stream(body)).into_response()
    };
    let app = Router::new().route("/", get(answer));
    if by_hyper {
        tokio::spawn(through_hyper(listener, app));
    } else {
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        tokio::spawn(async move { axum::serve(listener, app.into_make_service()).await });
    }
    let mut lines = Lines::new(rounds);
    while let Some(burst) = lines.next().await {
        for line in &burst {
            let _ = sender.send(Some(Bytes::from(log(line))));
        }
    }
    let _ = sender.send(None);
    std::future::pending::<()>().await;
}

async fn through_hyper(listener: TcpListener, app: Router) {
    while let Ok((socket, _)) = listener.accept().await {
        let _ = socket.set_nodelay(true);
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(http1::Builder::new().writev(false).serve_connection(TokioIo::new(socket), service));
    }
}

/// `None` is the end.
fn events(events: broadcast::Receiver<Option<Bytes>>) -> impl Stream<Item = Bytes> {
    let events = unfold(Some(events), |events| async move {
        let mut events = events?;
        loop {
            match events.recv().await {
                Ok(Some(event)) => return Some((event, Some(events))),
                Ok(None) => return Some((END, None)),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    once(async { SNAPSHOT }).chain(events)
}
