//! Serving for programs that are nothing but processes: the socket, and the way to stop.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::processes::{BuildError, Processes};
use crate::web::request::path;
use crate::web::{builder, server};

/// The address that is served, unless `PROCESS_ADDR` names another.
const ADDR: &str = "127.0.0.1:3000";
/// How long open answers may take to end after the program was asked to stop.
const OPEN_ANSWERS: Duration = Duration::from_secs(5);

/// Serves every process of this program, for programs that are nothing else.
///
/// Listens on `PROCESS_ADDR`, or on 127.0.0.1:3000, until the program is asked to stop.
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
/// When the runtime cannot start or the address cannot be listened on. The message says what to do.
pub async fn serve() -> Result<(), ServeError> {
    let text = std::env::var("PROCESS_ADDR").unwrap_or_else(|_| ADDR.to_owned());
    let addr: SocketAddr = text.parse().map_err(|_| ServeError::Address(text))?;
    let processes = builder().build().map_err(ServeError::Startup)?;
    is_admitted(addr, &processes)?;
    let listener = server::listen(addr).map_err(|error| ServeError::Listen(addr, error))?;
    serve_on(listener, processes).await
}

/// Nothing is open to strangers by oversight.
fn is_admitted(addr: SocketAddr, processes: &Processes) -> Result<(), ServeError> {
    if addr.ip().to_canonical().is_loopback() || processes.has_access_policy() {
        return Ok(());
    }
    let why = format!("{addr} is an address that others can reach");
    Err(ServeError::Startup(BuildError::Access(why)))
}

/// Serves these processes on a listener, until the program is asked to stop by Ctrl-C or SIGTERM.
///
/// Raises the number of files the program may have open as far as the system lets it, for viewers, and prints
/// the address of each process's page first. Asked to stop, it [drains](Processes::drain) within the
/// builder's grace; asked a second time, it returns at once.
///
/// # Errors
///
/// When the listener fails, or others can reach its address and nobody has said
/// [who may](crate::Builder::authorize).
pub async fn serve_on(listener: TcpListener, processes: Processes) -> Result<(), ServeError> {
    let app = processes.router();
    serve_app(listener, processes, app).await
}

/// Serves these processes as [`serve_on`] does, and beside them pages of the program's own.
///
/// Whatever `pages` has no route for is answered by the processes. What it has is answered as it says, without the
/// checks and the headers of the processes' pages.
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
/// When the listener fails, or others can reach its address and nobody has said
/// [who may](crate::Builder::authorize).
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
    // Each viewer takes a file descriptor, and many systems begin with 1,024. What the system does not grant is
    // said when it is needed.
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    // Whoever starts the program wants to know where to look; whoever closed the pipe does not.
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

/// Serves these processes on a listener until `stop` is ready, and then until they are
/// [drained](Processes::drain), or the builder's grace is over.
///
/// Speaks HTTP/1.1 and HTTP/2 without TLS. For an application that is more than its processes there is
/// [`Processes::router`], on any server; this one is there for the streams: it writes the same bytes to thousands
/// of viewers for little more than the kernel takes, and keeps about a kilobyte for each.
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
/// When others can reach the address, and nobody has said who may.
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
    // Streams never end by themselves; without this the server would not.
    processes.shut_down();
    closing.cancel();
    match processes.running() {
        0 => {}
        running => tracing::warn!("waiting for {running} runs to stop; asked once more, the program ends"),
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

/// Why nothing is served. The message is for the person who starts the program.
#[non_exhaustive]
pub enum ServeError {
    /// The runtime could not start.
    Startup(BuildError),
    /// `PROCESS_ADDR` is not an address.
    Address(String),
    /// The address cannot be listened on.
    Listen(SocketAddr, io::Error),
    /// The socket failed while it was served.
    Socket(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Startup(error) => error.fmt(f),
            Self::Address(text) => {
                write!(f, "PROCESS_ADDR is {text:?}: write an IP address and a port, such as 127.0.0.1:3000")
            }
            Self::Listen(addr, error) => {
                write!(f, "cannot listen on {addr}: {error} (set PROCESS_ADDR to a free address)")
            }
            Self::Socket(error) => write!(f, "the listening socket failed: {error}"),
        }
    }
}

/// The sentence itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServeError {}
