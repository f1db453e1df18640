//! `serve()`: an HTTP/1.1 and HTTP/2 server whose streams leave hyper and are written by one task a worker.
//!
//! A stream of ours is the same bytes for everybody, so once its head is answered there is nothing left that an
//! HTTP library could do for it: its socket goes to a [hub](hub), which writes shared bytes to thousands of them.
//! What is not HTTP/1, and every other answer, stays with hyper.

use std::io;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::Limits;
use crate::text::OneLine;

mod connection;
mod handing;
mod hub;
mod idle;
mod permits;
pub(super) mod serve;

/// How many connections may wait to be accepted. A crowd that comes back all at once should not be sent away.
const BACKLOG: u32 = 4096;
/// How long nobody is accepted when the system has no more sockets, not even one to say so.
const OUT_OF_SOCKETS: Duration = Duration::from_secs(1);
/// How long to wait for a connection that is there.
const AT_ONCE: Duration = Duration::from_millis(10);

/// Listens, for a crowd.
pub(super) fn listen(addr: std::net::SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A program that is started again gets its address back at once. On Windows the option means another thing.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Has the kernel take little that it has not sent yet. Without it, it takes megabytes for a client who reads slowly:
/// that costs memory, and it cannot be told whether the client reads at all.
#[cfg(target_os = "linux")]
fn bound_unsent(socket: &TcpStream) {
    const UNSENT: u32 = 32 * 1024;
    // A kernel that cannot do it serves all the same.
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(target_os = "linux"))]
fn bound_unsent(_: &TcpStream) {}

/// Answers requests until `stop`, and then until all answers have ended.
///
/// No more connections are open at a time than there may be, and nobody is waited for without end.
pub(super) async fn serve(listener: TcpListener, app: Router, limits: Limits, stop: CancellationToken) {
    let tasks = TaskTracker::new();
    let hubs = hub::Hubs::start(&tasks, limits.reader_timeout);
    let mut permits = permits::ConnectionPermits::new(limits.max_connections);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((socket, peer)) => match permits.take() {
                Some(permit) => {
                    // Without it the kernel holds small events back for up to 40 ms, hoping for more.
                    let _ = socket.set_nodelay(true);
                    bound_unsent(&socket);
                    let arrived = connection::Arrived { socket, peer, permit };
                    let served = connection::serve(arrived, app.clone(), hubs.next(), limits, stop.clone());
                    tasks.spawn(served);
                }
                None => permits.refuse(socket),
            },
            Err(error) if is_of_client(&error) => {}
            Err(error) if permits.make_room(&error) => {
                // It is there already, unless it has gone away meanwhile.
                let waiting = timeout(AT_ONCE, listener.accept()).await;
                permits.refuse_last(waiting.ok().and_then(Result::ok).map(|(socket, _)| socket));
            }
            Err(error) => {
                tracing::error!("no connection can be accepted at the moment: {}", OneLine(&error));
                tokio::time::sleep(OUT_OF_SOCKETS).await;
                permits.find_room();
            }
        }
    }
    drop((listener, hubs));
    tasks.close();
    tasks.wait().await;
}

/// A client that went away before it was accepted.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
