//! Owns one connection: which HTTP it speaks, its requests and answers, and the moment it becomes a stream.
//! Refuses to know what is answered, and how a stream is written.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::handing::{Answered, Handing, Noted};
use super::hub::{Entrance, Viewer};
use crate::web::stream::Handed;

/// What a client sends first that speaks HTTP/2 without having asked.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long a client may take for its first bytes, and for the head of a request.
const HEAD: Duration = Duration::from_secs(30);
/// How soon to look again when a preface has come in part.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to answer.
const ALIVE: Duration = Duration::from_secs(20);

/// How many streams one connection of HTTP/2 may have: a proxy may bring many viewers over one.
const STREAMS: u32 = 2_000;

/// Serves a connection to its end, or until it becomes a stream.
pub(super) async fn serve(socket: TcpStream, app: Router, hub: Entrance, stop: CancellationToken) {
    match timeout(HEAD, speaks_http2(&socket)).await {
        Ok(true) => serve_http2(socket, app, stop).await,
        Ok(false) => serve_http1(socket, app, hub, stop).await,
        Err(_) => {}
    }
}

async fn speaks_http2(socket: &TcpStream) -> bool {
    let mut seen = [0; PREFACE.len()];
    while let Ok(length) = socket.peek(&mut seen).await {
        match seen.get(..length) {
            Some(seen) if length > 0 && PREFACE.starts_with(seen) => {
                if length == PREFACE.len() {
                    return true;
                }
            }
            _ => return false,
        }
        sleep(LOOK_AGAIN).await;
    }
    false
}

async fn answer(mut app: Router, request: Request<Incoming>) -> Response<Body> {
    match app.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn serve_http1(socket: TcpStream, app: Router, hub: Entrance, stop: CancellationToken) {
    let handing = Arc::new(Handing::default());
    let noted = Noted { socket, handing: Arc::clone(&handing) };
    let service = service_fn(|request| {
        let (app, handing) = (app.clone(), Arc::clone(&handing));
        async move {
            let version = request.version();
            let mut response = answer(app, request).await;
            if let Some(handed) = response.extensions_mut().remove::<Handed>() {
                if let (false, Some(watching)) = (handing.is_blocked(), handed.take()) {
                    handing.put(Answered::new(version, &response.into_parts().0, watching));
                    // The connection is taken away from hyper before it could be told of an answer.
                    return pending().await;
                }
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        // One copy into one write costs less than a list of pieces.
        .writev(false)
        .serve_connection(TokioIo::new(noted), service);
    let mut stop = pin!(stop.cancelled());
    let mut stopping = false;
    let answered = poll_fn(|context| {
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        // Why it ended is the client's affair: it went away, or sent what is no HTTP and was told so.
        let over = Pin::new(&mut connection).poll(context).is_ready();
        match handing.take() {
            Some(answered) => Poll::Ready(Some(answered)),
            None if over => Poll::Ready(None),
            None => Poll::Pending,
        }
    });
    if let Some(Answered { head, chunked, watching }) = answered.await {
        let socket = connection.into_parts().io.into_inner().socket;
        hub.enter(Viewer { socket, head, chunked, watching });
    }
}

async fn serve_http2(socket: TcpStream, app: Router, stop: CancellationToken) {
    let service = service_fn(|request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(answer(app, request).await) }
    });
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .max_concurrent_streams(STREAMS)
            .serve_connection(TokioIo::new(socket), service)
    );
    tokio::select! {
        _ = &mut connection => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
