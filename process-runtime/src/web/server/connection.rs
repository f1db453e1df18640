//! One connection: detects the HTTP version, serves requests, and hands the socket over when a stream begins.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower_service::Service;

use super::handing::{Answered, Handing, Noted};
use super::hub::{HubSender, Viewer};
use super::idle::Requests;
use crate::limits::Limits;
use crate::web::stream::response::Handed;

/// The preface of HTTP/2 with prior knowledge.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The first and the longest pause while a preface is incomplete, so that a client that sends one byte causes little
/// work.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
const LOOK_SELDOM: Duration = Duration::from_secs(1);
/// How many bytes beyond the limit of a head are read, so that a client slightly over the limit gets an explanation.
const BEYOND_HEAD: usize = 16 << 10;
/// The smallest buffer of hyper.
const LEAST_HEAD: usize = 8 << 10;
/// The header lines that hyper reads by default, without an allocation. Lower limits are checked later, with an
/// explanation.
const USUAL_HEADERS: usize = 100;
/// The interval of HTTP/2 keep-alive pings, and the time to answer one.
const ALIVE: Duration = Duration::from_secs(20);
/// How long an idle HTTP/2 connection may take to shut down.
const GOODBYE: Duration = Duration::from_secs(5);

/// An accepted connection.
pub(super) struct Arrived {
    pub(super) socket: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) permit: OwnedSemaphorePermit,
}

/// Serves a connection until it ends or becomes a stream.
pub(super) async fn serve(
    arrived: Arrived,
    app: Router,
    hub: HubSender,
    limits: Limits,
    stop: CancellationToken,
) {
    match timeout(limits.header_timeout, speaks_http2(&arrived.socket)).await {
        Ok(true) => serve_http2(arrived, app, limits, stop).await,
        Ok(false) => serve_http1(arrived, app, hub, limits, stop).await,
        Err(_) => {}
    }
}

async fn speaks_http2(socket: &TcpStream) -> bool {
    let mut seen = [0; PREFACE.len()];
    let mut wait = POLL_INTERVAL;
    while let Ok(length) = socket.peek(&mut seen).await {
        match seen.get(..length) {
            Some(seen) if length > 0 && PREFACE.starts_with(seen) => {
                if length == PREFACE.len() {
                    return true;
                }
            }
            _ => return false,
        }
        sleep(wait).await;
        wait = (wait * 2).min(LOOK_SELDOM);
    }
    false
}

async fn answer(mut app: Router, mut request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    request.extensions_mut().insert(ConnectInfo(peer));
    match app.call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn serve_http1(
    Arrived { socket, peer, permit }: Arrived,
    app: Router,
    hub: HubSender,
    limits: Limits,
    stop: CancellationToken,
) {
    let handing = Arc::new(Handing::default());
    let noted = Noted::new(socket, Arc::clone(&handing), limits.reader_timeout);
    let service = service_fn(|request| {
        let (app, handing) = (app.clone(), Arc::clone(&handing));
        async move {
            let version = request.version();
            let mut response = answer(app, request, peer).await;
            if let Some(handed) = response.extensions_mut().remove::<Handed>()
                && let (false, Some(watching)) = (handing.is_blocked(), handed.take())
            {
                handing.put(Answered::new(version, &response.into_parts().0, watching));
                // The socket is taken from hyper before hyper sees a response.
                return pending().await;
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = http1::Builder::new();
    // One copy into one write costs less than a list of buffers.
    http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).writev(false);
    http.max_buf_size(limits.max_header_bytes.saturating_add(BEYOND_HEAD).max(LEAST_HEAD));
    if limits.max_header_count > USUAL_HEADERS {
        http.max_headers(limits.max_header_count);
    }
    let mut connection = http.serve_connection(TokioIo::new(noted), service);
    let mut stop = pin!(stop.cancelled());
    let mut stopping = false;
    let answered = poll_fn(|context| {
        if !stopping && stop.as_mut().poll(context).is_ready() {
            stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        // The reason is the client's: it disconnected, or sent malformed HTTP and got an error.
        let over = Pin::new(&mut connection).poll(context).is_ready();
        match handing.take() {
            Some(answered) => Poll::Ready(Some(answered)),
            None if over => Poll::Ready(None),
            None => Poll::Pending,
        }
    });
    if let Some(Answered { head, chunked, watching }) = answered.await {
        let socket = connection.into_parts().io.into_inner().socket;
        hub.send(Viewer { socket, permit, head, chunked, watching });
    }
}

async fn serve_http2(
    Arrived { socket, peer, permit: _permit }: Arrived,
    app: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let requests = Requests::default();
    let service = service_fn(|request| {
        let (app, open) = (app.clone(), requests.begin());
        async move { Ok::<_, Infallible>(open.until_sent(answer(app, request, peer).await)) }
    });
    let noted = Noted::new(socket, Arc::default(), limits.reader_timeout);
    let mut connection = pin!(
        http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .max_concurrent_streams(limits.max_h2_streams)
            .max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX))
            .serve_connection(TokioIo::new(noted), service)
    );
    tokio::select! {
        _ = &mut connection => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        () = requests.none_for(limits.header_timeout) => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(GOODBYE, connection).await;
        }
    }
}
