//! Owns serving for programs that are nothing but processes: the socket, and the way to stop.
//! Refuses to know what is served.

use std::fmt;
use std::future::IntoFuture;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::builder;
use super::path;
use crate::processes::{Processes, StartupError};

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
/// #[process(title = "Counting to a hundred")]
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
    let listener = TcpListener::bind(addr).await.map_err(|error| ServeError::Listen(addr, error))?;
    serve_on(listener, processes).await
}

/// Serves these processes on a listener, until the program is asked to stop by Ctrl-C or SIGTERM.
///
/// Prints the address of each process's page first. Asked to stop, it [drains](Processes::drain) within the
/// builder's grace; asked a second time, it returns at once.
///
/// # Errors
///
/// When the listener fails.
pub async fn serve_on(listener: TcpListener, processes: Processes) -> Result<(), ServeError> {
    let addr = listener.local_addr().map_err(ServeError::Socket)?;
    // Whoever starts the program wants to know where to look; whoever closed the pipe does not.
    let _ = announce(addr, &processes);
    let app = processes.router::<()>();
    let (stopping, mut stopped) = watch::channel(());
    let listener = listener.tap_io(|socket| {
        // Without it the kernel holds small events back for up to 40 ms, hoping for more.
        let _ = socket.set_nodelay(true);
    });
    let stop = async move { drop(stopped.changed().await) };
    let server = axum::serve(listener, app.into_make_service()).with_graceful_shutdown(stop).into_future();
    tokio::pin!(server);
    tokio::select! {
        served = &mut server => return served.map_err(ServeError::Socket),
        () = asked_to_stop() => {}
    }
    // Streams never end by themselves; without this the server would not.
    processes.shut_down();
    stopping.send_replace(());
    match processes.running() {
        0 => {}
        running => tracing::warn!("waiting for {running} runs to stop; asked once more, the program ends"),
    }
    let open = tokio::time::timeout(OPEN_ANSWERS, &mut server);
    tokio::select! {
        _ = async { tokio::join!(processes.drain(processes.grace()), open) } => {}
        () = asked_to_stop() => {}
    }
    Ok(())
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
    Startup(StartupError),
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
