//! The built-in server for programs that contain nothing but processes: the socket and the shutdown.

use std::fmt;
use std::io::{self, Write};
use std::net::{AddrParseError, SocketAddr};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::processes::{BuildError, Processes};
use crate::web::request::path;
use crate::web::{builder, server};

/// The default address, if `PROCESS_ADDR` is not set.
const ADDR: &str = "127.0.0.1:3000";
/// How long open responses may take to end after a shutdown begins.
const OPEN_ANSWERS: Duration = Duration::from_secs(5);

/// Serves every process of this program. Use it if the program contains nothing else.
///
/// The server listens on the address in the environment variable `PROCESS_ADDR`, or on 127.0.0.1:3000, until the
/// program is asked to stop.
///
/// ```no_run
/// use process_runtime::prelude::*;
///
/// #[process(title = "Count to a hundred")]
/// async fn count() {
///     for step in 1..=100 {
///         set_progress_of(step, 100);
///         tokio::time::sleep(std::time::Duration::from_millis(50)).await;
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> Result<(), process_runtime::ServeError> {
///     process_runtime::serve().await
/// }
/// ```
///
/// # Errors
///
/// Returns an error if the runtime cannot start, if `PROCESS_ADDR` is not a socket address, or if the server cannot
/// listen on the address. The message states how to fix the problem.
pub async fn serve() -> Result<(), ServeError> {
    let text = std::env::var("PROCESS_ADDR").unwrap_or_else(|_| ADDR.to_owned());
    let addr: SocketAddr = text.parse().map_err(|error| ServeError::Address(text.clone(), error))?;
    let processes = builder().build_async().await.map_err(ServeError::Startup)?;
    is_admitted(addr, &processes)?;
    let listener = server::listen(addr).map_err(|error| ServeError::Listen(addr, error))?;
    serve_on(listener, processes).await
}

/// Refuses an address that others can reach if there is neither an `authorize` hook nor anonymous access.
fn is_admitted(addr: SocketAddr, processes: &Processes) -> Result<(), ServeError> {
    if addr.ip().to_canonical().is_loopback() || processes.has_access_policy() {
        return Ok(());
    }
    let why = format!("other machines can reach the address {addr}");
    Err(ServeError::Startup(BuildError::Access(why)))
}

/// Serves these processes on a listener until the program receives Ctrl-C or SIGTERM.
///
/// At the start, the server raises the open-file limit of the program as far as the system permits, because each
/// viewer needs a file descriptor, and prints the address of each process's page. After the first signal, it
/// [drains](Processes::drain) the processes within the builder's
/// [`shutdown_timeout`](crate::Builder::shutdown_timeout). After a second signal, it returns immediately.
///
/// # Errors
///
/// Returns an error if the listener fails, or if others can reach its address and the builder has neither an
/// [`authorize`](crate::Builder::authorize) hook nor [`allow_anonymous`](crate::Builder::allow_anonymous).
pub async fn serve_on(listener: TcpListener, processes: Processes) -> Result<(), ServeError> {
    let app = processes.router();
    serve_app(listener, processes, app).await
}

/// Serves these processes as [`serve_on`] does, together with your own pages.
///
/// The processes answer every request for which `pages` has no route. The routes of `pages` do not get the checks
/// and the headers of the processes' pages.
///
/// ```no_run
/// use axum::{Router, response::Html, routing::get};
/// # async fn example(processes: process_runtime::Processes) -> Result<(), Box<dyn std::error::Error>> {
/// let pages = Router::new().route("/about", get(Html("<p>Ours</p>")));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// process_runtime::serve_with(listener, processes, pages).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns an error if the listener fails, or if others can reach its address and the builder has neither an
/// [`authorize`](crate::Builder::authorize) hook nor [`allow_anonymous`](crate::Builder::allow_anonymous).
pub async fn serve_with(
    listener: TcpListener,
    processes: Processes,
    pages: Router,
) -> Result<(), ServeError> {
    let app = pages.fallback_service(processes.router::<()>());
    serve_app(listener, processes, app).await
}

async fn serve_app(listener: TcpListener, processes: Processes, app: Router) -> Result<(), ServeError> {
    let addr = listener.local_addr().map_err(ServeError::Socket)?;
    is_admitted(addr, &processes)?;
    // Each viewer needs a file descriptor, and many systems begin with 1,024. If the system does not grant more,
    // the server logs it when it runs out.
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    // An error only means that standard output is closed: nobody reads the addresses.
    let _ = announce(addr, &processes);
    let asked_once = CancellationToken::new();
    let asked = async {
        asked_to_stop().await;
        asked_once.cancel();
    };
    let asked_twice = async {
        asked_once.cancelled().await;
        asked_to_stop().await;
    };
    tokio::select! {
        () = until(listener, processes, app, asked) => {}
        () = asked_twice => {}
    }
    Ok(())
}

/// Serves these processes on a listener until `stop` completes, then until they are [drained](Processes::drain) or
/// the builder's [`shutdown_timeout`](crate::Builder::shutdown_timeout) has elapsed.
///
/// The server speaks HTTP/1.1 and HTTP/2 without TLS. If your application contains more than processes, you can
/// mount [`Processes::router`] on any server. This server is optimized for streams: it writes the same bytes to
/// thousands of viewers at little more than the cost of the kernel, and keeps about a kilobyte for each viewer.
///
/// ```no_run
/// # async fn example(processes: process_runtime::Processes) -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let stop = tokio::time::sleep(std::time::Duration::from_secs(3600));
/// process_runtime::serve_until(listener, processes, stop).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns an error if others can reach the address and the builder has neither an
/// [`authorize`](crate::Builder::authorize) hook nor [`allow_anonymous`](crate::Builder::allow_anonymous), or if
/// the address of the listener cannot be read.
pub async fn serve_until(
    listener: TcpListener,
    processes: Processes,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    is_admitted(listener.local_addr().map_err(ServeError::Socket)?, &processes)?;
    let app = processes.router();
    until(listener, processes, app, stop).await;
    Ok(())
}

async fn until(listener: TcpListener, processes: Processes, app: Router, stop: impl Future<Output = ()>) {
    let closing = CancellationToken::new();
    let server = server::serve(listener, app, *processes.limits(), closing.clone());
    tokio::pin!(server);
    tokio::select! {
        () = &mut server => return,
        () = stop => {}
    }
    // Streams never end by themselves, so the server would never stop.
    processes.shut_down();
    closing.cancel();
    match processes.running() {
        0 => {}
        running => {
            tracing::warn!(
                "waiting for {running} runs to stop; a second signal ends the program immediately"
            );
        }
    }
    let open = tokio::time::timeout(OPEN_ANSWERS, server);
    let (_, ()) = tokio::join!(open, processes.drain(processes.shutdown_timeout()));
}

fn announce(addr: SocketAddr, processes: &Processes) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "http://{addr}/")?;
    for process in processes.registry().iter() {
        writeln!(out, "http://{addr}/{}/show_progress  {}", path::route(&process.route()), process.title)?;
    }
    out.flush()
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let ctrl_c = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = ctrl_c => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(ctrl_c.await),
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    drop(tokio::signal::ctrl_c().await);
}

/// The error of [`serve`] and its siblings. The message is for the person who starts the program.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The runtime could not start.
    #[error("{0}")]
    Startup(#[from] BuildError),
    /// `PROCESS_ADDR` is not a socket address.
    #[error("PROCESS_ADDR is {0:?}: write an IP address and a port, such as 127.0.0.1:3000")]
    Address(String, #[source] AddrParseError),
    /// The server cannot listen on the address.
    #[error("cannot listen on {0}: {1} (set PROCESS_ADDR to a free address)")]
    Listen(SocketAddr, #[source] io::Error),
    /// The listening socket failed.
    #[error("the listening socket failed: {0}")]
    Socket(#[source] io::Error),
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
