//! `serve()`: an HTTP/1.1 and HTTP/2 server that takes streams out of hyper and writes them in one task for each
//! worker.
//!
//! A stream consists of the same bytes for everybody, so after its head an HTTP library has nothing left to do: the
//! socket moves to a [hub](hub), which writes shared bytes to thousands of them. HTTP/2 and all other responses stay
//! with hyper.

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

/// How many connections may wait to be accepted, enough for many clients that reconnect at once.
const BACKLOG: u32 = 4096;
/// How long to pause if the system has no more sockets, not even for a 503.
const OUT_OF_SOCKETS: Duration = Duration::from_secs(1);
/// How long to wait for a connection that is ready.
const AT_ONCE: Duration = Duration::from_millis(10);

/// Opens the listening socket, with a large backlog.
pub(super) fn listen(addr: std::net::SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restarted program can bind its address immediately. On Windows, the option has another meaning.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Limits how much unsent data the kernel buffers. Otherwise it takes megabytes for a slow client, which costs memory
/// and hides whether the client reads at all.
#[cfg(target_os = "linux")]
fn bound_unsent(socket: &TcpStream) {
    const UNSENT: u32 = 32 * 1024;
    // Kernels without this option work, too.
    let _ = socket2::SockRef::from(socket).set_tcp_notsent_lowat(UNSENT);
}

#[cfg(not(target_os = "linux"))]
fn bound_unsent(_: &TcpStream) {}

/// Serves requests until `stop`, and then until all responses have ended.
///
/// The number of open connections is limited, and every wait has a deadline.
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
                    // Without it, the kernel delays small events for up to 40 ms.
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
                // The connection is ready, unless the client has disconnected in the meantime.
                let waiting = timeout(AT_ONCE, listener.accept()).await;
                permits.refuse_last(waiting.ok().and_then(Result::ok).map(|(socket, _)| socket));
            }
            Err(error) => {
                tracing::error!("could not accept a connection: {}", OneLine(&error));
                tokio::time::sleep(OUT_OF_SOCKETS).await;
                permits.find_room();
            }
        }
    }
    drop((listener, hubs));
    tasks.close();
    tasks.wait().await;
}

/// True if the client disconnected before the connection was accepted.
fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
